"""The wheel, built from a copy of the checkout, and environments of it, what it asks for, and nothing else."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Iterable, Iterator
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from tests.documents import ROOT

SOURCES = ("lis_online", "streams", "migrations", "pyproject.toml", "README.md", "LICENSE")
BUILD = "import sys; from setuptools import build_meta; build_meta.build_wheel(sys.argv[1])"
DEV = Path(sysconfig.get_path("purelib"))


def build(folder: Path) -> Path:
    """Build the wheel without a network; the checkout itself gets no build folder."""
    source = folder / "source"
    source.mkdir()
    for name in SOURCES:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, source / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(ROOT / name, source / name)
    subprocess.run([sys.executable, "-c", BUILD, folder], cwd=source, check=True, capture_output=True, timeout=120)
    [wheel] = folder.glob("*.whl")
    return wheel


def described(wheel: Path) -> metadata.Distribution:
    """Return the wheel's own metadata."""
    [found] = metadata.distributions(path=[str(wheel)])
    return found


def needed(wheel: Path, extras: Iterable[str], *, deep: bool = True) -> set[str]:
    """Return the distributions that the wheel asks for with some extras; deep: and theirs, as pip does."""
    found: set[tuple[str, str]] = set()
    waiting = [one for extra in ("", *extras) for one in _asked(described(wheel).requires, extra)]
    while waiting:
        name, extra = waiting.pop()
        if (name, extra) not in found:
            found.add((name, extra))
            waiting += _asked(metadata.requires(name), extra) if deep else ()
    return {name for name, _ in found}


class Environment:
    """A virtual environment in a folder: the wheel, and links to the distributions of the test's own environment."""

    def __init__(self, folder: Path, wheel: Path, extras: Iterable[str]) -> None:
        self.python = folder / "bin" / "python"
        self._folder = folder
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True, timeout=60)
        [self.packages] = folder.glob("lib/python*/site-packages")
        for name in needed(wheel, extras):
            for top in {file.parts[0] for file in metadata.distribution(name).files or ()} - {"..", "__pycache__"}:
                if not (self.packages / top).exists():
                    (self.packages / top).symlink_to(DEV / top)
        uv = [
            sys.executable,
            "-m",
            "uv",
            "pip",
            "install",
            "--quiet",
            "--offline",
            "--no-deps",
            "--python",
            self.python,
        ]
        subprocess.run([*uv, wheel], check=True, timeout=60)

    def run(self, *words: str | Path) -> subprocess.CompletedProcess[str]:
        """Run a program of the environment, in its folder, and wait for its end."""
        return subprocess.run(
            words,
            cwd=self._folder,
            env={
                "PATH": f"{self._folder}/bin:/usr/bin:/bin",
                "HOME": str(self._folder),
                "OMP_NUM_THREADS": "1",
                "COLUMNS": "200",
            },
            capture_output=True,
            text=True,
            timeout=120,
        )


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the wheel's path."""
    return build(tmp_path_factory.mktemp("wheel"))


def _asked(requirements: Iterable[str] | None, extra: str) -> Iterator[tuple[str, str]]:
    """Yield what is asked for with an extra ("" for none): names, with no extra and with those wanted."""
    for one in map(Requirement, requirements or ()):
        if one.marker is None or one.marker.evaluate({"extra": extra}):
            yield from ((normal(one.name), wanted) for wanted in ("", *one.extras))


def normal(name: str) -> str:
    """Return a distribution's name as indexes spell it.

    >>> normal("Prometheus_client")
    'prometheus-client'
    """
    return re.sub(r"[-_.]+", "-", name).lower()
