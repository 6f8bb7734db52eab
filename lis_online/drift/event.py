"""A drift event: what left its level, from what to what, when, why, and the sentence that says so."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, Literal

from lis_online.drift import reading as names
from lis_online.drift.reading import INPUT, UNLEAKED, Series
from lis_online.metrics.estimate import Estimate

Cause = Literal["source", "representation", "version", "ranker", "data", "unknown"]
CAUSES: Final[tuple[Cause, ...]] = ("source", "representation", "version", "ranker", "data", "unknown")

WORDS: Final = {
    names.ADJUSTED_LIS: "Adjusted LIS",
    names.ADJUSTED_AIS: "Adjusted AIS",
    names.EFFICIENCY: "Efficiency",
    names.PAIR_ALIGNMENT: "Pair alignment",
    names.COVERAGE: "Coverage",
    names.VECTOR_NORM: "The mean length of vectors",
    names.VECTOR_SHIFT: "The vectors' distance from where they lay before",
    names.VECTORS_MISSING: "The share of items without a vector",
    names.AUC: "The AUC",
    names.TWIN: "The twin's difference",
    names.TRAFFIC: "The logarithm of the number of samples",
    names.LATE_SHARE: "The share of late records",
    names.DEAD_SHARE: "The share of dead letters",
}
"""How a sentence names a number."""

ADVICE: Final[dict[Cause, str]] = {
    "source": "The preference source changed, not the representation: look at its rate of pairs, its users and times.",
    "representation": "The vectors changed while the source held: look at what was published, and the model behind it.",
    "version": "It began with this version: compare both versions side by side before the older one ends.",
    "ranker": "The rankers changed, not the data: look at resets, rankers set aside and the twin before all else.",
    "data": "The input changed, not the alignment: look at missing vectors, traffic, late records and dead letters.",
    "unknown": "Nothing else moved with it: look at the content that was shown and at the arms since then.",
}
"""What to look at, by cause."""


@dataclass(frozen=True, slots=True)
class DriftEvent:
    """One change of one number, and what moved with it.

    time: when it most likely began; detected_at: start of the bucket that showed it, ms since 1970. series: what left
    its level first; before, after: its level until then and since then. about: name of the variant or source that the
    cause lies with, "" where that is the rankers or the input. also: series that left their levels with it.
    version: of the variant's vectors. until: since when the number is back, None while it is not.
    """

    time: int
    detected_at: int
    series: Series
    before: Estimate
    after: Estimate
    detector: str
    cause: Cause
    about: str
    version: str = ""
    earlier: str = ""
    also: tuple[Series, ...] = ()
    until: int | None = None

    @property
    def sentence(self) -> str:
        """What happened, when, why, and what to look at."""
        assert self.before.value is not None and self.after.value is not None
        verb = "fell" if self.after.value < self.before.value else "rose"
        moved = f"{_named(self.series)} {verb} from {_figure(self.before.value)} to {_figure(self.after.value)}"
        when = f"around {_time(self.time)}, seen at {_time(self.detected_at)}"
        end = "" if self.until is None else f" It is back since {_time(self.until)}."
        versions = f" Version {self.version} of {self.about} follows {self.earlier}." if self.earlier else ""
        also = f" With it: {', '.join(map(_short, self.also))}." if self.also else ""
        return f"{moved} {when}.{versions}{also} {ADVICE[self.cause]}{end}"


def snapshot(event: DriftEvent) -> list[Any]:
    """Return an event as plain data."""
    return [
        event.time, event.detected_at, list(event.series), [_estimate(e) for e in (event.before, event.after)],
        event.detector, event.cause, event.about, event.version, event.earlier, [list(s) for s in event.also],
        event.until,
    ]  # fmt: skip


def restore(state: list[Any]) -> DriftEvent:
    """Return the event of `snapshot`."""
    time, detected, series, estimates, detector, cause, about, version, earlier, also, until = state
    before, after = (Estimate.of(value, variance) for value, variance in estimates)
    moved = tuple(Series(*one) for one in also)
    return DriftEvent(
        time, detected, Series(*series), before, after, detector, cause, about, version, earlier, moved, until
    )


def _estimate(estimate: Estimate) -> list[float]:
    assert estimate.value is not None and estimate.stderr is not None
    return [estimate.value, estimate.stderr**2]


def _named(series: Series) -> str:
    if series.kind == INPUT:
        return WORDS[series.number]
    return f"{WORDS[series.number]} of {'the unleaked ranker' if series.kind == UNLEAKED else series.subject}"


def _short(series: Series) -> str:
    word = WORDS[series.number].removeprefix("The ")
    return word if not series.subject else f"{word[0].lower()}{word[1:]} of {series.subject}"


def _figure(value: float) -> str:
    return f"{value:.3g}" if abs(value) >= 0.1 else f"{value:.4f}"


def _time(ms: int) -> str:
    return datetime.fromtimestamp(ms / 1000, UTC).isoformat(timespec="minutes").replace("+00:00", "Z")
