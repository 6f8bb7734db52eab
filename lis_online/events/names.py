"""The names behind the indices of the rank log and of shards' states: who comes and goes while the others stay.

Sources, variants, experiments and their arms are written as indices in the settings' order. Where that order has
changed, indices are mapped by name: what is no longer there is left out, what is new has nothing yet.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, Final

import msgspec
import numpy as np

from lis_online.errors import BlockError
from lis_online.events.batches import PairBatch, SlateBatch
from lis_online.settings import Settings

GONE: Final = -1
"""The new index of what is no longer there."""


class Names(msgspec.Struct, array_like=True, frozen=True):
    """The names in the order of their indices. arms: of each experiment, as many lists as experiments.

    >>> names = Names.of(Settings.of({}))
    >>> names.sources, names.variants, Names.decode(names.encode()) == names
    (['coclick'], [], True)
    """

    sources: list[str]
    variants: list[str]
    experiments: list[str]
    arms: list[list[str]]

    @classmethod
    def of(cls, settings: Settings) -> Names:
        """Return the names of the settings."""
        return cls(
            [source.name for source in settings.preference],
            [variant.name for variant in settings.variant],
            [experiment.name for experiment in settings.experiment],
            [[arm.name for arm in experiment.arm] for experiment in settings.experiment],
        )

    def encode(self) -> bytes:
        """Return the names as msgpack."""
        return msgspec.msgpack.encode(self)

    @classmethod
    def decode(cls, data: bytes) -> Names:
        """Return the names of `encode`. Raises BlockError on other bytes."""
        return _decoded(data)

    def said(self) -> set[str]:
        """Return each name with what it is a name of.

        >>> sorted(Names(["s"], ["v"], ["e"], [["a", "b"]]).said())
        ["arm 'a' of experiment 'e'", "arm 'b' of experiment 'e'", "preference source 's'", "variant 'v'"]
        """
        arms = {
            f"arm {arm!r} of experiment {name!r}"
            for name, row in zip(self.experiments, self.arms, strict=True)
            for arm in row
        }
        sources = {f"preference source {name!r}" for name in self.sources}
        return arms | sources | {f"variant {name!r}" for name in self.variants}


@lru_cache(maxsize=64)
def _decoded(data: bytes) -> Names:
    try:
        names = msgspec.msgpack.decode(data, type=Names)
    except (ValueError, RecursionError) as exc:
        raise BlockError(f"names of a block cannot be read: {exc}") from exc
    if len(names.arms) != len(names.experiments):
        raise BlockError(f"names of a block must have the arms of each experiment, got {names}")
    return names


class Renumbering:
    """What the indices under one set of names are under another.

    sources, variants, experiments: new index of each old one, GONE where there is none; arms: the same of the arms of
    each old experiment. is_same: nothing changes.
    """

    def __init__(self, old: Names, new: Names) -> None:
        self.is_same = old == new
        self._count = len(new.experiments)
        self.sources = places(old.sources, new.sources)
        self.variants = places(old.variants, new.variants)
        self.experiments = places(old.experiments, new.experiments)
        self.arms = [
            places(row, new.arms[at]) if at != GONE else [GONE] * len(row)
            for at, row in zip(self.experiments, old.arms, strict=True)
        ]

    def slates(self, slates: SlateBatch) -> SlateBatch:
        """Return slates with the new indices of their arms."""
        if self.is_same:
            return slates
        columns: dict[str, Any] = slates.columns()
        return SlateBatch(**columns | {"arm": self.arm_columns(slates.arm)})

    def arm_columns(self, arm: np.ndarray) -> np.ndarray:
        """Return the new index of each arm, -1 for none: int16 [slates, experiments] of [slates, old experiments]."""
        found = np.full((len(arm), self._count), GONE, np.int16)
        for old, (at, row) in enumerate(zip(self.experiments, self.arms, strict=True)):
            if at != GONE:
                found[:, at] = np.array([*row, GONE], np.int16)[arm[:, old]]
        return found

    def arm_row(self, arms: Sequence[int]) -> tuple[int, ...]:
        """Return the new arms of one impression, one for each experiment, -1 for none."""
        found = [GONE] * self._count
        for arm, at, row in zip(arms, self.experiments, self.arms, strict=True):
            if at != GONE and arm != GONE:
                found[at] = row[arm]
        return tuple(found)

    def pairs(self, pairs: PairBatch) -> PairBatch:
        """Return the pairs of the sources that are still there, with their new indices."""
        if self.is_same:
            return pairs
        source = np.array([*self.sources, GONE], np.int16)[pairs.source]
        columns: dict[str, Any] = pairs.columns()
        kept = PairBatch(**columns | {"source": source})
        return kept if (source != GONE).all() else kept.take(source != GONE)


def places(old: Sequence[str], new: Sequence[str]) -> list[int]:
    """Return the place of each old name among the new ones, GONE where it is not there.

    >>> places(["a", "b"], ["c", "a"])
    [1, -1]
    """
    at = {name: place for place, name in enumerate(new)}
    return [at.get(name, GONE) for name in old]
