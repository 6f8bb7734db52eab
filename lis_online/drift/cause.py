"""Why a number left its level: by what else moved since then.

The rules are tried in their order. What is about the instruments comes before what is about the things measured, and
what no label or ranker has a part in before what has. Vectors that are missing are the input's fault, not the
representation's: coverage moves, and pair alignment, which only counts pairs that have vectors, holds.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from lis_online.drift import reading as names
from lis_online.drift.event import Cause
from lis_online.drift.reading import INPUT, SOURCE, UNLEAKED, VARIANT, Series
from lis_online.drift.tracker import Signal

MOVED: Final = 4.0
"""Standard errors from which on a series has moved too: one that nobody looked at for all its buckets."""
HINTED: Final = 2.0
"""Standard errors that are enough to choose between the two parts of an efficiency that did leave its level."""

Score = Callable[[Series, int], float]
"""By how many standard errors a series differs since a time from its reference; 0 where that is not known."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """A cause, and the name of the variant or source that it lies with, "" for the rankers and the input."""

    cause: Cause
    about: str


def decide(signal: Signal, source: str, score: Score, rankers: Mapping[str, str]) -> Verdict:
    """Return the cause of a signal.

    source: that its variant was aligned on, "" for other series. rankers: those set aside or restarted lately, by name
    as in `metrics.results.SliceNumbers.levels`, and why.
    """
    evidence = _Evidence(signal, source, score)
    kind, subject, _ = signal.series
    if kind == INPUT:
        return Verdict("data", "")
    if kind == UNLEAKED or evidence.rankers(rankers):
        return Verdict("ranker", "")
    if signal.versions is not None:
        return Verdict("version", subject)
    return evidence.of_source() if kind == SOURCE else evidence.of_variant()


class _Evidence:
    """What moved since a signal's onset."""

    def __init__(self, signal: Signal, source: str, score: Score) -> None:
        self._signal, self._score = signal, score
        self._kind, self._subject, self._number = signal.series
        self._source = self._subject if self._kind == SOURCE else source

    def rankers(self, known: Mapping[str, str]) -> bool:
        """Return whether a ranker behind the number was set aside or restarted, or the unleaked ones moved."""
        behind = {"unleaked", "twin", f"leaked:{self._source}", f"placebo:{self._source}"}
        behind |= {f"aligned:{self._subject}", f"permuted:{self._subject}"}
        by_ranker = self._number in names.BY_RANKERS
        learning = self._moved(UNLEAKED, "", names.TWIN) or self._moved(UNLEAKED, "", names.AUC)
        return by_ranker and (bool(behind & set(known)) or learning)

    def of_source(self) -> Verdict:
        """Return the cause of a source's signal."""
        return Verdict("data", "") if self._input() else Verdict("source", self._subject)

    def of_variant(self) -> Verdict:
        """Return the cause of a variant's signal."""
        variant = self._subject
        if self._number == names.PAIR_ALIGNMENT or self._any(names.PAIR_ALIGNMENT, names.VECTOR_NORM):
            return Verdict("representation", variant)
        if self._number in (names.COVERAGE, names.VECTORS_MISSING) or self._any(names.COVERAGE, names.VECTORS_MISSING):
            return Verdict("data", variant)
        if self._number in (names.ADJUSTED_AIS, names.EFFICIENCY):
            return self._of_gain()
        return Verdict("representation" if self._any(names.ADJUSTED_AIS) else "unknown", variant)

    def _of_gain(self) -> Verdict:
        lis = abs(self._get(SOURCE, self._source, names.ADJUSTED_LIS))
        ais = abs(self._get(VARIANT, self._subject, names.ADJUSTED_AIS))
        share = abs(self._get(VARIANT, self._subject, names.EFFICIENCY))
        held = lis < MOVED and not self._moved(SOURCE, self._source, names.COVERAGE)
        if not held and (share < MOVED or lis > ais):
            return Verdict("source", self._source)
        if self._number == names.EFFICIENCY and lis > max(ais, HINTED):
            return Verdict("source", self._source)
        if ais >= HINTED:
            return Verdict("representation", self._subject)
        return Verdict("data", "") if self._input() else Verdict("unknown", self._subject)

    def _input(self) -> bool:
        return any(self._moved(INPUT, "", number) for number in (names.TRAFFIC, names.LATE_SHARE, names.DEAD_SHARE))

    def _any(self, *numbers: str) -> bool:
        return any(self._moved(VARIANT, self._subject, number) for number in numbers)

    def _moved(self, kind: str, subject: str, number: str) -> bool:
        return abs(self._get(kind, subject, number)) >= MOVED

    def _get(self, kind: str, subject: str, number: str) -> float:
        series = Series(kind, subject, number)
        return self._signal.shift.score if series == self._signal.series else self._score(series, self._signal.onset)
