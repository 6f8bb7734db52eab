"""A source's verdict, whether LIS bounds a variant, and the figures that might tell it beforehand."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, NamedTuple

import numpy as np
from scipy.stats import rankdata

Key = tuple[str, str, str]
"""A cell: kind, regime, share published."""
Score = Callable[[dict[str, Any]], float]
DENSE: Final = 0.1
"""Thinning that takes less than this share of LIS is "little"."""


class Cell(NamedTuple):
    """Means over a cell's worlds. bounded: whether the variant's AIS is below LIS, None: too near to say."""

    lis: float
    ais: float
    bound: float
    coverage: float
    bounded: bool | None

    @property
    def known(self) -> bool:
        """Whether there is a verdict."""
        return self.bounded is not None

    @property
    def thinned(self) -> float:
        """The share of LIS that half of the pairs lose; infinite without LIS."""
        return self.bound / self.lis if self.lis > 0 else float("inf")

    @property
    def dense(self) -> bool:
        """Whether thinning changes LIS little."""
        return self.thinned < DENSE


def verdicts(worlds: list[dict[str, Any]], variant: str) -> dict[Key, Cell]:
    """Return each cell's means and its verdict on a variant."""
    rows: dict[Key, list[list[float]]] = {}
    for world in worlds:
        for share, source in world["sources"].items():
            ais = number_of(world["variants"][variant]["adjusted_ais"])
            row = [number_of(source["adjusted_lis"]), ais, number_of(source["bound"]), source["coverage"] or 0.0]
            rows.setdefault((world["kind"], world["regime"], share), []).append(row)
    gaps = {key: np.array([row[1] - row[0] for row in found]) for key, found in rows.items()}
    degrees = sum(len(gap) - 1 for gap in gaps.values())
    deviation = np.sqrt(sum(((gap - gap.mean()) ** 2).sum() for gap in gaps.values()) / degrees) if degrees else np.inf
    cells = {}
    for key, found in rows.items():
        lis, ais, bound, coverage = np.mean(found, axis=0).tolist()
        near = abs(ais - lis) < 2 * deviation / np.sqrt(len(found))
        cells[key] = Cell(lis, ais, bound, coverage, None if near else bool(ais <= lis))
    return cells


def number_of(estimate: list[float | None]) -> float:
    """Return an estimate's value, 0 where there is none."""
    return 0.0 if estimate[0] is None else estimate[0]


def thinning(source: dict[str, Any]) -> float:
    """Return the share of adjusted LIS that half of the pairs lose; infinite where there is no LIS to lose."""
    lis = number_of(source["adjusted_lis"])
    return number_of(source["bound"]) / lis if lis > 0 else np.inf


SCORES: Final[dict[str, Score]] = {
    "thinned share of LIS (`bound` / `adjusted_lis`)": thinning,
    "lost by thinning (`bound`)": lambda source: number_of(source["bound"]),
    "`coverage`": lambda source: -(source["coverage"] or 0.0),
    "`adjusted_lis` itself": lambda source: -number_of(source["adjusted_lis"]),
    "`future` / `past`": lambda source: (
        number_of(source["future"]) / number_of(source["past"]) if number_of(source["past"]) > 0 else np.inf
    ),
}
"""A source's figure, turned so that a higher one speaks against the bound."""
THINNING: Final = next(iter(SCORES))


def of_kind(worlds: list[dict[str, Any]], kind: str) -> list[dict[str, Any]]:
    """Return the worlds of one kind."""
    return [world for world in worlds if world["kind"] == kind]


Judged = tuple[np.ndarray, np.ndarray]
"""Scores of the sources of known verdict, and whether each is not bounded: [sources] each."""


def judge(world: dict[str, Any], cells: Mapping[Key, Cell], score: Score) -> Judged:
    """Return how a world's sources of known verdict score."""
    known = {share: cell for share in world["sources"] if (cell := cells[world["kind"], world["regime"], share]).known}
    scores = [score(world["sources"][share]) for share in known]
    return np.array(scores, np.float64), np.array([not cell.bounded for cell in known.values()], bool)


def together(judged: Sequence[Judged]) -> Judged:
    """Return the sources of several worlds as one."""
    return np.concatenate([scores for scores, _ in judged]), np.concatenate([beyond for _, beyond in judged])


def separation(scores: np.ndarray, beyond: np.ndarray) -> float:
    """Return how often a score of those beyond is above one of the others, ties one half; NaN where a side is empty.

    >>> separation(np.array([1.0, 2.0, 2.0]), np.array([False, False, True]))
    0.75
    """
    if beyond.all() or not beyond.any():
        return float("nan")
    ranks = rankdata(scores)
    count = int(beyond.sum())
    return float((ranks[beyond].sum() - count * (count + 1) / 2) / (count * (len(scores) - count)))


def threshold(scores: np.ndarray, beyond: np.ndarray) -> float:
    """Return the score from which on "not bounded" is said most rightly, both verdicts with the same weight."""
    return float(max(np.unique(scores), key=lambda cut: balanced(scores, beyond, float(cut))))


def balanced(scores: np.ndarray, beyond: np.ndarray, cut: float) -> float:
    """Return the share judged rightly by a cut, both verdicts with the same weight."""
    said = scores >= cut
    return float((said[beyond].mean() + (~said[~beyond]).mean()) / 2)
