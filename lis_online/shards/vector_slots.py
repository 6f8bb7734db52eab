"""The vectors of all variants by slot of the layout."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Generic

import numpy as np

from lis_online.events.batches import VectorBatch
from lis_online.events.windows_log import SlotVersion
from lis_online.metrics.layout import slot_name
from lis_online.representation.versions import AnyStore, Versions
from lis_online.settings import Settings
from lis_online.settings.model import VariantSettings
from lis_online.snapshots.nested import nest, unnest
from lis_online.snapshots.steps import Steps, at_once


class VectorSlots(Generic[AnyStore]):
    """`Versions` of every variant, in the settings' order; a slot is its index in `Layout.variants`."""

    def __init__(self, settings: Settings, make: Callable[[VariantSettings], AnyStore]) -> None:
        """make: returns an empty store of a variant."""
        self.variants = [
            Versions(lambda variant=variant: make(variant), variant.versions, settings.leakage.memory)  # type: ignore[misc]
            for variant in settings.variant
        ]
        self._names = [variant.name for variant in settings.variant]
        sizes = [variant.versions for variant in settings.variant]
        self._first = [sum(sizes[:v]) for v in range(len(sizes))]

    @property
    def late(self) -> int:
        """Vectors that came after their time had been reached."""
        return sum(versions.late for versions in self.variants)

    def defer(self, variant: int) -> None:
        """Let a variant that was added begin with the next decision: see `Versions.defer`."""
        self.variants[variant].defer()

    def update(self, variant: int, batch: VectorBatch, names: list[str]) -> None:
        """Take vectors of a variant. names: of the versions among them."""
        self.variants[variant].update(batch, names)

    def begin(self, t: int) -> None:
        """Note that t, ms, has been reached: see `Versions.begin`."""
        for versions in self.variants:
            versions.begin(t)

    def decide(self, t: int, until: int) -> list[tuple[int, bool]]:
        """Settle who holds which slot from t to `until`, ms; return each slot that changed and whether it is in use."""
        return [
            (first + place, in_use)
            for first, versions in zip(self._first, self.variants, strict=True)
            for place, in_use in versions.decide(t, until)
        ]

    def in_use(self) -> list[int]:
        """Return the slots in use, in order."""
        both = zip(self._first, self.variants, strict=True)
        return [first + place for first, versions in both for place in versions.in_use]

    def stores(self) -> Iterator[tuple[int, AnyStore]]:
        """Yield the slots in use and their stores, in order."""
        for first, versions in zip(self._first, self.variants, strict=True):
            for place in versions.in_use:
                yield first + place, versions.stores[place]

    def get(self) -> list[SlotVersion]:
        """Return what the slots in use hold."""
        return [
            SlotVersion(
                slot_name(name, place),
                versions.name(place),
                versions.assignment.slots[place].since,
                versions.assignment.slots[place].began,
                place == versions.assignment.newest,
            )
            for name, versions in zip(self._names, self.variants, strict=True)
            for place in versions.in_use
        ]

    def snapshot(self) -> tuple[list[Any], dict[str, np.ndarray]]:
        """Return the state: msgpack-able data and arrays."""
        return at_once(self.begin_snapshot())

    def begin_snapshot(self) -> Steps[tuple[list[Any], dict[str, np.ndarray]]]:
        """Take hold of the state; return the copying of it."""
        return _copying([versions.begin_snapshot() for versions in self.variants])

    def restore(self, meta: list[Any], arrays: dict[str, np.ndarray]) -> None:
        """Replace the state with that of `snapshot`."""
        for v, (versions, data) in enumerate(zip(self.variants, meta, strict=True)):
            versions.restore(data, unnest(str(v), arrays))


def _copying(
    parts: list[Steps[tuple[dict[str, Any], dict[str, np.ndarray]]]],
) -> Steps[tuple[list[Any], dict[str, np.ndarray]]]:
    states: list[Any] = []
    arrays: dict[str, np.ndarray] = {}
    for variant, part in enumerate(parts):
        state, columns = yield from part
        states.append(state)
        arrays |= nest(str(variant), columns)
    return states, arrays
