"""The maths modules that need no torch, and the tests that must notice when one of them changes."""

from __future__ import annotations

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
    "windows",
    "tiles",
    "blocks",
    "whole_run",
    "sparse",
    "user_cap",
    "levels",
    "estimate",
)
_JOIN: Final = ("histories", "clock", "coengagement", "remembered", "pending")

MODULES: Final = (
    "events.hashing",
    *(f"preference.{name}" for name in _PREFERENCE),
    *(f"representation.{name}" for name in _REPRESENTATION),
    *(f"metrics.{name}" for name in _METRICS),
    *(f"join.{name}" for name in _JOIN),
)
"""Below lis_online."""

MORE: Final[dict[str, tuple[str, ...]]] = {}
"""Tests beside a module's own, which is at the mirrored path."""


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
    return [f"tests/{package}/test_{name}.py", *MORE.get(module, ())]
