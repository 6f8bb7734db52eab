"""Statistics of other settings in the layout of these: what both know is kept, by name."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from lis_online.events.names import GONE, places
from lis_online.metrics.blocks import Block
from lis_online.metrics.layout import Layout, slot_variant
from lis_online.metrics.statistics import Statistics, axes_of

_BY_RANKER = {"fine", "fine_places", "coarse", "coarse_places", "sums"}


def layout_of(axes: Sequence[Sequence[str]]) -> Layout:
    """Return a layout with these names of rankers, slices, sources and slots, enough to read statistics by."""
    rankers, slices, sources, variants = (tuple(names) for names in axes)
    of = tuple(slot_variant(name) for name in variants)
    return Layout(rankers, slices, sources, variants, of, (0,) * len(variants), 0, ())


def relaid(layout: Layout, data: bytes) -> bytes:
    """Return the bytes of statistics in a layout: the same bytes where they are.

    What the layout does not have is left out. Rankers, slices and sources that were not there then have counts of 0;
    slots that were not are not in use. Raises BlockError on other bytes.
    """
    found = axes_of(data)
    held = layout.take([place for place, name in enumerate(layout.variants) if name in found[-1]])
    if found == [list(names) for names in axes(held)]:
        return data
    return relaid_statistics(held, Statistics.decode(layout_of(found), data)).encode()


def relaid_statistics(layout: Layout, statistics: Statistics) -> Statistics:
    """Return statistics in a layout, by name."""
    found = Statistics(layout)
    found.widen(statistics.samples)
    old = statistics.layout
    slices = _pairs(old.slices, layout.slices)
    second = {
        name: _pairs(old.rankers, layout.rankers)
        if name in _BY_RANKER
        else _pairs(old.sources, layout.sources)
        if name == "cover"
        else _pairs(old.variants, layout.variants)
        if name == "vectors"
        else None
        for name in found.arrays()
    }
    for name, array in found.arrays().items():
        given, axis = statistics.arrays()[name], second[name]
        if name == "left_out":
            array[...] = given
        elif axis is None:
            array[slices[1]] = given[slices[0]]
        else:
            array[np.ix_(slices[1], axis[1])] = given[np.ix_(slices[0], axis[0])]
    return found


def relaid_block(layout: Layout, old: Layout, block: Block) -> Block:
    """Return a block of an old layout in another, by name."""
    found = Block.empty(layout)
    slices, rankers = _pairs(old.slices, layout.slices), _pairs(old.rankers, layout.rankers)
    for name in ("coarse", "coarse_places", "sums"):
        getattr(found, name)[np.ix_(slices[1], rankers[1])] = getattr(block, name)[np.ix_(slices[0], rankers[0])]
    found.counts[slices[1]] = block.counts[slices[0]]
    return found


def axes(layout: Layout) -> tuple[tuple[str, ...], ...]:
    """Return a layout's names of rankers, slices, sources and slots."""
    return layout.rankers, layout.slices, layout.sources, layout.variants


def _pairs(old: Sequence[str], new: Sequence[str]) -> tuple[list[int], list[int]]:
    """Return the old and the new places of the names that are in both."""
    kept = [(before, after) for before, after in enumerate(places(old, new)) if after != GONE]
    return [before for before, _ in kept], [after for _, after in kept]
