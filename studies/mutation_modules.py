"""The maths modules that need no torch, and the tests that must notice when one of them changes."""

from __future__ import annotations

from pathlib import Path
from typing import Final

_PREFERENCE: Final = ("leak", "folds", "placebo", "buckets")
_REPRESENTATION: Final = ("index", "permutation")
_METRICS: Final = (
    "auc",
    "within_slate",
    "jackknife",
    "ratio",
    "efficiency",
    "effective",
    "statistics",
    "tally",
    "tally_loop",
    "windows",
    "tiles",
    "blocks",
    "whole_run",
    "sparse",
    "user_cap",
    "levels",
    "estimate",
    "layout",
)
_RANKERS: Final = ("counts",)
_JOIN: Final = ("histories", "clock", "coengagement", "remembered", "pending")

MODULES: Final = (
    "events.hashing",
    *(f"preference.{name}" for name in _PREFERENCE),
    *(f"representation.{name}" for name in _REPRESENTATION),
    *(f"metrics.{name}" for name in _METRICS),
    *(f"rankers.{name}" for name in _RANKERS),
    *(f"join.{name}" for name in _JOIN),
)
"""Below lis_online."""

_STATISTICS: Final = "tests/metrics/test_statistics.py"
_STREAMS: Final = "tests/metrics/test_streams.py"
_WINDOWS: Final = "tests/metrics/test_windows.py"
_SLOTS: Final = "tests/metrics/test_slots.py"
MORE: Final[dict[str, tuple[str, ...]]] = {
    "metrics.statistics": (_SLOTS, _STREAMS),
    "metrics.tally": (_STATISTICS, _STREAMS),
    "metrics.tally_loop": (_STATISTICS, _STREAMS),
    "metrics.windows": (f"{_STREAMS}::test_a_window_says_what_its_raw_samples_say", _SLOTS),
    "metrics.blocks": (_SLOTS,),
    "metrics.whole_run": (
        f"{_STREAMS}::test_a_whole_run_says_what_its_raw_samples_say",
        "tests/metrics/test_windows.py",
    ),
    "metrics.levels": (_STREAMS,),
    "metrics.effective": (f"{_STREAMS}::test_statistics_are_those_of_the_samples_however_they_came",),
}
"""Tests beside a module's own, which is at the mirrored path where there is one."""


def path_of(module: str) -> str:
    """Return the path of a module.

    >>> path_of("metrics.auc")
    'lis_online/metrics/auc.py'
    """
    return f"lis_online/{module.replace('.', '/')}.py"


def tests_of(module: str) -> list[str]:
    """Return the test files of a module.

    >>> tests_of("metrics.auc")
    ['tests/metrics/test_auc.py']
    """
    package, name = module.split(".")
    own = f"tests/{package}/test_{name}.py"
    return [*([own] if Path(own).exists() else []), *MORE.get(module, ())]
