"""The import rule: arithmetic inside, I/O at the edge; each heavy library in its own place."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatch
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = ("lis_online", "streams", "migrations", "grafana")

ALLOWED = {
    "faust": ("streams/*",),
    "mode": ("streams/*",),
    "aiokafka": ("streams/*",),
    "torch": (
        "lis_online/preference/lookup.py",
        "lis_online/preference/pair_*.py",
        "lis_online/preference/sketch*.py",
        "lis_online/representation/*",
        "lis_online/rankers/*",
        "lis_online/shards/rank*.py",
        "lis_online/transfers.py",
    ),
    "numba": ("lis_online/compiled.py",),
    "sqlalchemy": ("lis_online/history/*", "migrations/*"),
    "alembic": ("lis_online/history/*", "migrations/*"),
    "psycopg": ("lis_online/history/*",),
    "prometheus_client": ("lis_online/exporter/*", "streams/sensors.py"),
    "kafka": ("lis_online/replay/*", "streams/topic*.py", "streams/lag.py", "streams/group_time.py"),
    "river": ("lis_online/drift/*",),
    "fastavro": ("lis_online/mapping/avro.py",),
    "google.protobuf": ("lis_online/mapping/protobuf.py",),
    "fastapi": ("lis_online/api/*",),
    "starlette": ("lis_online/api/*",),
    "uvicorn": ("lis_online/api/server.py", "lis_online/api/patience.py"),
    "grafana_foundation_sdk": ("grafana/*",),
    "plotly": ("lis_online/review/html.py",),
    "fsspec": ("lis_online/checkpoints/place.py",),
    "xxhash": ("lis_online/checkpoints/*",),
}
"""Library -> where it may be imported."""

LAZY = {
    "streams": ("lis_online/cli/*", "lis_online/demo/*"),
    "lis_online.history": ("lis_online/cli/*",),
    "lis_online.demo": ("lis_online/cli/*",),
    "lis_online.api": ("lis_online/cli/*",),
}
"""Package of ours -> who reaches it only from inside a function, so that a command loads what it needs."""

APART = {"streams": ("lis_online/*",)}
"""Package of ours -> who imports it at no other place than those of LAZY."""

BELOW = {
    "lis_online.shards": (
        "lis_online/checkpoints/*",
        "lis_online/doctor/*",
        "lis_online/drift/*",
        "lis_online/events/*",
        "lis_online/experiments/*",
        "lis_online/forget/*",
        "lis_online/history/*",
        "lis_online/join/*",
        "lis_online/mapping/*",
        "lis_online/metrics/*",
        "lis_online/preference/*",
        "lis_online/rankers/*",
        "lis_online/records.py",
        "lis_online/representation/*",
        "lis_online/simulate/*",
        "lis_online/snapshots/*",
    )
}
"""Package of ours -> what stands below it, which knows nothing of it."""

LATER = {"lis_online.mapping.schemas": ("lis_online.mapping.avro", "lis_online.mapping.protobuf")}
"""Module -> what it loads when it is asked for, although that knows it: the extra may not be installed."""

PLAIN = "lis_online.history.rows"
"""What the history stores, as plain data: the publish shard makes it, without SQLAlchemy."""


@dataclass(frozen=True)
class Import:
    """One import. module: its full name; inside: in a function, so that loading the file does not run it."""

    module: str
    line: int
    inside: bool


def imports(source: str, package: str) -> Iterator[Import]:
    """Yield what a file imports, wherever in it. package: the file's own, for relative names.

    What stands under `if TYPE_CHECKING:` is never run and not yielded.
    """
    yield from _imports(ast.parse(source), package, inside=False)


def _imports(node: ast.AST, package: str, *, inside: bool) -> Iterator[Import]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.If) and ast.unparse(child.test) in ("TYPE_CHECKING", "typing.TYPE_CHECKING"):
            for branch in child.orelse:
                yield from _imports(ast.Module([branch], []), package, inside=inside)
            continue
        for module in _modules(child, package):
            yield Import(module, getattr(child, "lineno", 0), inside)
        is_function = isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
        yield from _imports(child, package, inside=inside or is_function)


def _modules(node: ast.AST, package: str) -> Iterator[str]:
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
        parts = package.split(".")
        base = parts[: len(parts) - node.level + 1] if node.level else []
        module = ".".join([*base, *([node.module] if node.module else [])])
        yield from (f"{module}.{alias.name}" for alias in node.names)
    elif isinstance(node, ast.Call) and ast.unparse(node.func) in (
        "__import__",
        "importlib.import_module",
        "import_module",
    ):
        yield from (str(given.value) for given in node.args[:1] if isinstance(given, ast.Constant))


def offences(path: str, source: str) -> list[str]:
    """Return the lines of a file that break the rule, in words. path: from the root, with slashes."""
    package = ".".join(Path(path).parent.parts)
    found = []
    for one in imports(source, package):
        for library, places in ALLOWED.items():
            if _is_in(one.module, library) and not _matches(path, places):
                found.append(f"{path}:{one.line} imports {one.module}: only {', '.join(places)} may")
        for ours, readers in LAZY.items():
            if (
                _is_in(one.module, ours)
                and not _is_in(one.module, PLAIN)
                and _matches(path, readers)
                and not one.inside
            ):
                found.append(f"{path}:{one.line} imports {one.module}: only inside a function")
        for ours, others in APART.items():
            if _is_in(one.module, ours) and _matches(path, others) and not _matches(path, LAZY[ours]):
                found.append(f"{path}:{one.line} imports {one.module}: only {', '.join(LAZY[ours])} may")
        for ours, parts in BELOW.items():
            if _is_in(one.module, ours) and _matches(path, parts):
                found.append(f"{path}:{one.line} imports {one.module}: it stands on {', '.join(parts)}")
    return found


def _is_in(module: str, package: str) -> bool:
    return module == package or module.startswith(f"{package}.")


def _matches(path: str, patterns: tuple[str, ...]) -> bool:
    return any(fnmatch(path, pattern) for pattern in patterns)


def files() -> list[Path]:
    """Return every source file that the rule is about."""
    return sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))


def test_every_library_is_imported_in_its_own_place_alone() -> None:
    """Join and publish run without torch, the shards without Kafka, the arithmetic without either."""
    assert len(files()) > 100
    found = [line for path in files() for line in offences(path.relative_to(ROOT).as_posix(), path.read_text())]
    assert found == []


def test_every_library_of_the_rule_is_used_where_it_may_be() -> None:
    """A rule about a library that nothing imports, or about a folder that has moved, guards nothing."""
    used: set[tuple[str, str]] = set()
    for path in files():
        name = path.relative_to(ROOT).as_posix()
        for one in imports(path.read_text(), ".".join(Path(name).parent.parts)):
            used |= {(library, place) for library, places in ALLOWED.items() for place in places
                     if _is_in(one.module, library) and fnmatch(name, place)}  # fmt: skip
    unused = {(library, place) for library, places in ALLOWED.items() for place in places} - used
    assert unused == {("mode", "streams/*")}  # Faust's own foundation: nothing needs it directly, nothing else may


def test_modules_import_each_other_in_one_direction() -> None:
    """What two modules of a circle share belongs below both."""
    names = {_name(path): path for path in files()}
    below = {name: _ours(path, names) - {name} for name, path in names.items()}
    for name, later in LATER.items():
        below[name] -= set(later)
    try:
        TopologicalSorter(below).prepare()
    except CycleError as exc:
        pytest.fail(" imports ".join(reversed(exc.args[1])))


def _name(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def _ours(path: Path, names: Mapping[str, Path]) -> set[str]:
    """Return the modules of ours that a file imports; of `from package import name`, the module that has the name."""
    package = ".".join(path.relative_to(ROOT).parent.parts)
    found = (one.module for one in imports(path.read_text(), package))
    return {module if module in names else module.rpartition(".")[0] for module in found} & names.keys()


@pytest.mark.parametrize(
    ("path", "source"),
    [
        ("lis_online/shards/join.py", "import torch"),
        ("lis_online/preference/folds.py", "from torch import Tensor"),
        ("lis_online/shards/pipeline.py", "def f():\n    import torch.nn as nn"),
        ("lis_online/metrics/auc.py", "try:\n    import torch\nexcept ImportError:\n    pass"),
        ("lis_online/cli/worker.py", "import faust"),
        ("lis_online/replay/pacing.py", "from mode import Service"),
        ("lis_online/shards/publish.py", "async def f():\n    from sqlalchemy.orm import Session"),
        ("lis_online/cli/db.py", "from lis_online.history.engine import connect"),
        ("lis_online/cli/db.py", "from ..history import engine"),
        ("lis_online/cli/worker.py", "import streams.live"),
        ("lis_online/replay/producer.py", "def f():\n    from streams.topics import create_topics"),
        ("streams/worker.py", "import prometheus_client"),
        ("streams/runner.py", "from kafka.errors import KafkaError"),
        ("lis_online/exporter/names.py", "import importlib\nimportlib.import_module('kafka')"),
        ("lis_online/metrics/auc.py", "__import__('torch')"),
        ("lis_online/preference/sketch.py", "from lis_online.shards.contract import Shard"),
        ("lis_online/checkpoints/admission.py", "def f():\n    from lis_online.shards import fingerprint"),
        ("lis_online/snapshots/steps.py", "from lis_online.shards import contract"),
        ("lis_online/cli/x.py", "if TYPE_CHECKING:\n    pass\nelse:\n    import torch"),
    ],
)
def test_the_rule_can_be_broken(path: str, source: str) -> None:
    """Each made-up offender is found: at the top, in a function, in a try, relative, by name as text."""
    assert len(offences(path, source)) == 1


@pytest.mark.parametrize(
    ("path", "source"),
    [
        ("lis_online/preference/sketch_features.py", "import torch"),
        ("lis_online/shards/rank_features.py", "from torch import Tensor"),
        ("lis_online/cli/db.py", "def f():\n    from lis_online.history.engine import connect"),
        ("lis_online/cli/worker.py", "def f():\n    from streams.live import run_worker"),
        ("lis_online/shards/join.py", "if TYPE_CHECKING:\n    import torch"),
        ("lis_online/shards/publish.py", "from lis_online.history.rows import BucketRow"),
        ("lis_online/events/topics.py", "import kafka_like, torchvision"),
        ("lis_online/shards/rank.py", "from lis_online.preference.leak import Leak"),
        ("streams/sensors.py", "from prometheus_client import CollectorRegistry"),
    ],
)
def test_the_rule_lets_pass_what_is_in_its_place(path: str, source: str) -> None:
    """A rule that refuses everything would pass the test above as well."""
    assert offences(path, source) == []


HEAVY = (
    "fastavro",
    "google.protobuf",
    "torch",
    "faust",
    "mode",
    "aiokafka",
    "sqlalchemy",
    "alembic",
    "kafka",
    "prometheus_client",
    "pyarrow",
    "fastapi",
    "uvicorn",
    "plotly",
)


@pytest.mark.parametrize(
    ("module", "unwanted"),
    [
        ("lis_online.shards.join", HEAVY),
        ("lis_online.shards.publish", (*HEAVY, "river", "pandas", "sklearn")),
        ("lis_online.drift.monitor", (*HEAVY, "river", "pandas", "sklearn")),
        ("lis_online.cli.main", (*HEAVY, "numpy")),
    ],
)
def test_loading_a_module_loads_nothing_heavy_behind_it(module: str, unwanted: tuple[str, ...]) -> None:
    """In a fresh process: the join and publish roles need no torch, and `lis-online --help` answers at once."""
    code = f"import sys, {module}; print(*sorted(set(sys.modules) & set({unwanted!r})))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.split() == []
