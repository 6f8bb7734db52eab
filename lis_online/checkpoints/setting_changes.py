"""What differs between the settings of a checkpoint and those it is to be restored under, and what becomes of it.

parts
    Sources, variants, experiments, arms and an experiment's metrics come and go: the others' state goes on by name.
at a clean stop
    The order of the parts, and keys that change what comes out without changing what the state means. Records sent
    since the last checkpoint would be made again under the same sequence numbers, and differ.
never
    Everything else: the state means something else under another value.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

PARTS: Final = {"preference": "preference source", "variant": "variant", "experiment": "arm"}
"""The keys that list what comes and goes, and what one of them is called."""

AT_A_CLEAN_STOP: Final = frozenset(
    {
        "events.max_ahead",
        "events.history_length",
        "events.user_idle_limit",
        "events.user_sample",
        "metrics.max_user_samples",
        "history.user_totals_share",
    }
)


@dataclass(frozen=True, slots=True)
class SettingChanges:
    """added, removed: parts, as people call them; others: what changes at a clean stop; lost: what cannot change.

    others, lost: "key was 1 and is 2".
    """

    added: tuple[str, ...]
    removed: tuple[str, ...]
    others: tuple[str, ...]
    lost: tuple[str, ...]

    @classmethod
    def of(cls, saved: Mapping[str, Any], now: Mapping[str, Any]) -> SettingChanges:
        """Return what differs between two fingerprints of one role.

        >>> saved = {"leakage.folds": 8, "variant": ["a"], "variant.a.dimension": 4}
        >>> SettingChanges.of(saved, {"leakage.folds": 4, "variant": ["b"], "variant.b.dimension": 4})
        ... # doctest: +NORMALIZE_WHITESPACE
        SettingChanges(added=("variant 'b'",), removed=("variant 'a'",), others=(),
                       lost=('leakage.folds was 8 and is 4',))
        """
        added, removed, others, lost = (list[str]() for _ in range(4))
        for key in sorted(saved.keys() | now.keys()):
            before, after = saved.get(key), now.get(key)
            if before == after:
                continue
            said = f"{key} was {_said(saved, key)} and is {_said(now, key)}"
            if key in PARTS:
                mine, theirs = after or [], before or []
                added += [f"{PARTS[key]} {name!r}" for name in mine if name not in theirs]
                removed += [f"{PARTS[key]} {name!r}" for name in theirs if name not in mine]
                kept = [name for name in mine if name in theirs]
                if kept != [name for name in theirs if name in mine]:
                    others.append(said)
            elif _is_of_one_that_moves(key, saved, now):
                continue
            else:
                (others if _keeps_state(key, None in (before, after)) else lost).append(said)
        return cls(tuple(added), tuple(removed), tuple(others), tuple(lost))

    @property
    def any(self) -> bool:
        """Whether something differs."""
        return bool(self.added or self.removed or self.others or self.lost)

    def sentence(self) -> str:
        """Return what may differ, in words.

        >>> SettingChanges(("variant 'b'",), (), ("events.max_ahead was 1 and is 2",), ()).sentence()
        "variant 'b' is added; events.max_ahead was 1 and is 2"
        """
        return "; ".join(
            [*(f"{one} is added" for one in self.added), *(f"{one} is removed" for one in self.removed), *self.others]
        )

    @property
    def of_parts(self) -> bool:
        """Whether all that is lost belongs to sources, variants or experiments, which could have other names."""
        return bool(self.lost) and all(one.partition(".")[0] in PARTS for one in self.lost)


def _keeps_state(key: str, absent: bool) -> bool:
    """Say whether the state goes on under another value. absent: there is none on one side."""
    of_metrics = key.startswith("experiment.") and key.endswith(".metric")
    first_experiment = absent and key == "history.rollup"
    return of_metrics or first_experiment or key in AT_A_CLEAN_STOP


def _is_of_one_that_moves(key: str, saved: Mapping[str, Any], now: Mapping[str, Any]) -> bool:
    """Say whether a key is of a source, variant or experiment that is not on both sides."""
    kind = key.partition(".")[0]
    if kind not in PARTS:
        return False
    before, after = (_names(kind, one.get(kind, ())) for one in (saved, now))
    mine = [name for name in before | after if key.startswith(f"{kind}.{name}.")]
    return bool(mine) and max(mine, key=len) not in before & after


def _names(kind: str, listed: Iterable[str]) -> set[str]:
    return {name.partition("/")[0] if kind == "experiment" else name for name in listed}


def _said(table: Mapping[str, Any], key: str) -> str:
    return repr(table[key]) if key in table else "absent"
