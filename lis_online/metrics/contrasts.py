"""Which rankers are compared to give which number."""

from __future__ import annotations

from typing import Final, NamedTuple

from lis_online.metrics.layout import TWIN, UNLEAKED, Layout

SOURCE_NUMBERS: Final = ("lis", "past", "future", "placebo", "adjusted_lis", "bound")


class Contrast(NamedTuple):
    """A number that is the metric of one ranker less that of another."""

    kind: str
    subject: str
    number: str
    first: int
    second: int


def contrasts(layout: Layout) -> list[Contrast]:
    """Return every difference that is published: the twin's first.

    >>> from lis_online.settings import Settings
    >>> [(c.number, c.first, c.second) for c in contrasts(Layout.of(Settings.of({})))][:4]
    [('twin', 1, 0), ('lis', 2, 0), ('past', 3, 0), ('future', 2, 3)]
    """
    found = [Contrast("unleaked", "", "twin", TWIN, UNLEAKED)]
    for index, source in enumerate(layout.sources):
        leaked, past, placebo, thinned = (
            layout.of_source(kind, index) for kind in ("leaked", "past", "placebo", "thinned")
        )
        pairs = (
            (leaked, UNLEAKED),
            (past, UNLEAKED),
            (leaked, past),
            (placebo, UNLEAKED),
            (leaked, placebo),
            (leaked, thinned),
        )
        found += [Contrast("source", source, n, *pair) for n, pair in zip(SOURCE_NUMBERS, pairs, strict=True)]
    for index, variant in enumerate(layout.variants):
        aligned, permuted = layout.of_variant("aligned", index), layout.of_variant("permuted", index)
        found.append(Contrast("variant", variant, "ais", aligned, UNLEAKED))
        found.append(Contrast("variant", variant, "adjusted_ais", aligned, permuted))
    return found
