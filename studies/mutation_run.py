"""A mutant's tests in a forked child of a parent that has imported what takes long."""

from __future__ import annotations

import ast
import gc
import importlib
import importlib.util
import os
import resource
import signal
import sys
import traceback
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

import pytest

from studies.mutants import Mutant, mutated
from studies.mutation_modules import path_of, tests_of

KEPT: Final = ("lis_online.settings", "lis_online.errors")
"""What of the package a child need not import again: no mutated module is in there."""
MEMORY: Final = 8 << 30
"""Bytes of address space a child may take: a mutant that asks for more fails, and so is killed."""
UNUSED: Final = ("cacheprovider", "unraisableexception", "threadexception", "junitxml", "faulthandler", "pastebin")
"""Plugins of pytest that take time and tell nothing here."""
HARDLY: Final = 3
"""Seconds of CPU on top of five times what the tests need unchanged."""

Verdict = Literal["killed", "timeout", "survived"]


@dataclass
class Child:
    """A running mutant. seconds: of CPU that it may take."""

    mutant: Mutant | None
    module: str
    pid: int


def warm() -> None:
    """Import what the tests import, and make Hypothesis repeatable, without shrinking: a failure is enough."""
    for name in ("numpy", "scipy.stats", "scipy.optimize", "sklearn.metrics", "lis_online.settings", "zlib"):
        importlib.import_module(name)
    from hypothesis import HealthCheck, Phase, settings

    settings.register_profile(
        "mutation",
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.explicit, Phase.generate],
    )
    settings.load_profile("mutation")
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    gc.collect()
    gc.freeze()  # what is imported by now is shared with the children, and left alone by their collector


def start(module: str, mutant: Mutant | None, seconds: int) -> Child:
    """Fork a child that runs a module's tests, with a mutant in the module's place (None: as it is)."""
    pid = os.fork()
    if pid:
        return Child(mutant, module, pid)
    code = 3
    try:
        code = _tests(module, mutant, seconds)
    except BaseException:  # a mutant may raise anything, from its import on
        traceback.print_exc()
        code = 1
    finally:
        os._exit(code)


def verdict(status: int) -> Verdict:
    """Return what a child's wait status says. Raises RuntimeError where its tests did not run at all."""
    if os.WIFSIGNALED(status):
        return "timeout" if os.WTERMSIG(status) in (signal.SIGXCPU, signal.SIGKILL) else "killed"
    code = os.WEXITSTATUS(status)
    if code in (pytest.ExitCode.NO_TESTS_COLLECTED, pytest.ExitCode.USAGE_ERROR):
        raise RuntimeError(f"the tests did not run: pytest's exit code is {code}")
    return "survived" if code == pytest.ExitCode.OK else "killed"


def _tests(module: str, mutant: Mutant | None, seconds: int) -> int:
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 5))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    if mutant is not None or not os.environ.get("MUTATION_SHOW"):
        silence = os.open(os.devnull, os.O_WRONLY)
        os.dup2(silence, 1)
        os.dup2(silence, 2)
    for name in [n for n in sys.modules if n.startswith(("lis_online.", "tests.")) and not n.startswith(KEPT)]:
        del sys.modules[name]
    if mutant is not None:
        _put(module, mutated(Path(path_of(module)).read_text(encoding="utf-8"), mutant.place))
    options = ["-x", "-q", "--noconftest", "--doctest-modules", "-p", "pytest_timeout"]
    options += ["-W", "ignore::pytest.PytestAssertRewriteWarning"]  # the parent has imported Hypothesis
    if mutant is not None:
        options += ["--tb=no", "--assert=plain"]
    options += [part for name in UNUSED for part in ("-p", f"no:{name}")]
    return int(pytest.main([*options, *tests_of(module), path_of(module)]))


def _put(module: str, tree: ast.Module) -> None:
    """Make a changed syntax tree the module that every import finds."""
    name, path = f"lis_online.{module}", path_of(module)
    spec = importlib.util.spec_from_file_location(name, Path(path).resolve())
    assert spec is not None
    made = importlib.util.module_from_spec(spec)
    sys.modules[name] = made
    exec(compile(tree, path, "exec"), made.__dict__)
    package, _, last = name.rpartition(".")
    setattr(importlib.import_module(package), last, made)
