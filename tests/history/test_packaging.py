"""What a wheel holds: every package, the migrations inside ours, and nothing at the top that is not ours."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MIGRATIONS = {"lis_online._migrations", "lis_online._migrations.versions"}


def test_the_list_of_packages_is_that_of_the_folders() -> None:
    """A package that is not listed is missing from the wheel, and only there."""
    listed = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["setuptools"]["packages"]
    files = [path for top in ("lis_online", "streams") for path in (ROOT / top).rglob("__init__.py")]
    found = {".".join(path.parent.relative_to(ROOT).parts) for path in files}
    assert set(listed) == found | MIGRATIONS


def test_a_wheel_keeps_what_a_page_is_made_of(wheel: Path) -> None:
    """Files that are no Python must be named to be packed."""
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    assets = [path.relative_to(ROOT).as_posix() for path in (ROOT / "lis_online" / "review" / "assets").iterdir()]
    assert assets
    assert set(assets) <= names


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a wheel built from a copy of the sources: the build writes beside them."""
    copy = tmp_path_factory.mktemp("sources")
    for name in ("lis_online", "streams", "migrations"):
        shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", copy)
    for name in ("README.md", "LICENSE"):  # their text does not matter here
        (copy / name).write_text("text\n", encoding="utf-8")
    build = "import sys; from setuptools import build_meta; build_meta.build_wheel(sys.argv[1])"
    subprocess.run([sys.executable, "-c", build, str(copy / "out")], cwd=copy, check=True, capture_output=True)
    return next((copy / "out").glob("*.whl"))


def test_a_wheel_keeps_the_migrations_inside_the_package(wheel: Path) -> None:
    """A top-level `migrations` would meet that of another project in somebody's site-packages."""
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
    assert {name.split("/")[0].split("-")[0] for name in names} == {"lis_online", "streams"}
    assert {"lis_online/_migrations/env.py", "lis_online/_migrations/script.py.mako"} <= set(names)
    versions = {path.name for path in (ROOT / "migrations" / "versions").glob("*.py")}
    assert {f"lis_online/_migrations/versions/{name}" for name in versions} <= set(names)


def test_an_installed_wheel_finds_its_migrations(wheel: Path, tmp_path: Path) -> None:
    """The same code runs from a checkout and from site-packages."""
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path)
    program = "from lis_online.history import schema; print(schema.scripts(), schema.head())"
    found = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, check=True, capture_output=True, text=True, timeout=60
    )
    assert found.stdout.split() == [str(tmp_path / "lis_online" / "_migrations"), "0006"]
