"""Many arms and metrics at once: p-values adjusted so that one threshold holds for the whole family."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal

Correction = Literal["holm", "benjamini-hochberg", "none"]
PValues = Sequence[float | None]


def adjusted(p_values: PValues, correction: Correction) -> list[float | None]:
    """Return the adjusted p-values, in the order given; None stays None.

    A hypothesis without a p-value counts in the family all the same, as one that shows nothing: what is declared is the
    family, so no verdict weakens on the day when another metric gets its first number.

    >>> adjusted([0.01, 0.04, None, 0.005], "holm")
    [0.03, 0.08, None, 0.02]
    """
    return METHODS[correction](p_values)


def holm(p_values: PValues) -> list[float | None]:
    """Return p-values that hold for all hypotheses at once (family-wise error), whatever their dependence.

    Holm, "A simple sequentially rejective multiple test procedure" (Scandinavian Journal of Statistics 6, 1979): the
    k-th smallest of m is multiplied by m - k + 1, and none is smaller than the one before.
    """
    m, largest = len(p_values), 0.0
    found: list[float | None] = [None] * m
    for rank, index in enumerate(_ascending(p_values)):
        largest = max(largest, (m - rank) * (p_values[index] or 0.0))
        found[index] = min(1.0, largest)
    return found


def benjamini_hochberg(p_values: PValues) -> list[float | None]:
    """Return p-values whose threshold is the share of false ones among the rejected (false discovery rate).

    Benjamini and Hochberg (JRSS B 57, 1995): the k-th smallest of m is multiplied by m / k, and none is larger than the
    one after. For the sequential p-values here, p = min(1, 1 / e), this is the e-BH procedure, which needs no
    assumption on dependence (Wang and Ramdas, "False discovery rate control with e-values", JRSS B 84, 2022).
    """
    m, smallest = len(p_values), 1.0
    found: list[float | None] = [None] * m
    order = _ascending(p_values)
    for rank in range(len(order), 0, -1):
        index = order[rank - 1]
        smallest = min(smallest, m / rank * (p_values[index] or 0.0))
        found[index] = smallest
    return found


def _ascending(p_values: PValues) -> list[int]:
    known = [(p, index) for index, p in enumerate(p_values) if p is not None]
    return [index for _, index in sorted(known)]


METHODS: dict[Correction, Callable[[PValues], list[float | None]]] = {
    "holm": holm,
    "benjamini-hochberg": benjamini_hochberg,
    "none": list,
}
