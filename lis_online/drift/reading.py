"""What drift detection reads: one number of one bucket of time, with its standard error."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final, NamedTuple

from lis_online.errors import UsageError

SOURCE: Final = "source"
VARIANT: Final = "variant"
UNLEAKED: Final = "unleaked"
INPUT: Final = "input"
KINDS: Final = (UNLEAKED, SOURCE, VARIANT, INPUT)

ADJUSTED_LIS: Final = "adjusted_lis"
ADJUSTED_AIS: Final = "adjusted_ais"
EFFICIENCY: Final = "efficiency"
PAIR_ALIGNMENT: Final = "pair_alignment"
COVERAGE: Final = "coverage"
VECTOR_NORM: Final = "vector_norm"
"""Mean length, as published, of the vectors of a bucket's pairs."""
VECTOR_SHIFT: Final = "vector_shift"
"""Mean of 1 - cosine of a bucket's vectors to the centroid of those before, 0 to 2."""
VECTORS_MISSING: Final = "vectors_missing"
"""Share of a bucket's items that have no vector, 0 to 1."""
AUC: Final = "auc"
TWIN: Final = "twin"
TRAFFIC: Final = "log_samples"
"""Logarithm of the number of samples, so that a step is a ratio."""
LATE_SHARE: Final = "late_share"
DEAD_SHARE: Final = "dead_share"

BY_RANKERS: Final = (ADJUSTED_LIS, ADJUSTED_AIS, EFFICIENCY)
"""Numbers that rankers have a part in."""


class Series(NamedTuple):
    """What is followed over time.

    kind: one of `KINDS`; subject: name of the source or variant, "" for the unleaked ranker and the input.
    """

    kind: str
    subject: str
    number: str


class Parts(NamedTuple):
    """A ratio's numerator and denominator with their variances and covariance, all of one bucket."""

    numerator: float
    denominator: float
    numerator_variance: float
    denominator_variance: float
    joint: float


@dataclass(frozen=True, slots=True)
class Reading:
    """One series in one bucket of time.

    time: start of the bucket, ms since 1970. parts: None where there is no number; of a plain number the
    denominator is 1. samples: behind it. version: of a variant's vectors. source: that a variant was aligned on.
    """

    series: Series
    time: int
    parts: Parts | None
    samples: int
    version: str = ""
    source: str = ""

    def __post_init__(self) -> None:
        if self.series.kind not in KINDS:
            raise UsageError(f"kind of a series must be one of {list(KINDS)}, got {self.series.kind!r}")
        if self.parts is None:
            return
        if not all(map(math.isfinite, self.parts)):
            raise UsageError(f"parts of {self.series} must be finite, got {tuple(self.parts)}")
        if self.parts.numerator_variance < 0 or self.parts.denominator_variance < 0:
            raise UsageError(f"variances of {self.series} must be >= 0, got {tuple(self.parts)}")

    @classmethod
    def of(
        cls,
        series: Series,
        time: int,
        value: float | None,
        stderr: float | None,
        samples: int,
        version: str = "",
        source: str = "",
    ) -> Reading:
        """Return the reading of a plain number; None, or no standard error: there is none in this bucket.

        >>> Reading.of(Series("source", "coclick", "adjusted_lis"), 0, 0.05, 0.01, 1_000).parts[:2]
        (0.05, 1.0)
        """
        none = value is None or stderr is None
        parts = None if none else Parts(value, 1.0, stderr * stderr, 0.0, 0.0)  # type: ignore[arg-type,operator]
        return cls(series, time, parts, samples, version, source)


def share(series: Series, time: int, share: float | None, samples: int, cluster: float, version: str = "") -> Reading:
    """Return the reading of a share of samples that come in clusters, such as slates, of a mean size.

    The variance is that of (s + 1) / (n + 2) of n clusters, so that a share of exactly 0 or 1 is not beyond doubt.

    >>> share(Series("variant", "title", "coverage"), 0, 1.0, 9_980, 10.0).parts.numerator_variance < 1e-5
    True
    """
    if share is None or samples <= 0:
        return Reading(series, time, None, 0, version)
    clusters = max(samples / cluster, 1.0)
    smooth = (share * clusters + 1) / (clusters + 2)
    return Reading.of(series, time, share, math.sqrt(smooth * (1 - smooth) / clusters), samples, version)
