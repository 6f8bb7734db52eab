"""What a publish shard shows after each bucket: plain data that never changes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from lis_online.metrics.diagnosis import Diagnosis
from lis_online.metrics.estimate import Estimate
from lis_online.metrics.levels import Metric
from lis_online.metrics.results import SliceNumbers

WHOLE_RUN = 0
"""The window length that stands for everything after the warm-up."""


@dataclass(frozen=True, slots=True)
class ArmNumbers:
    """One arm's totals since its first event. ctr: clicks per impression, with an interval over users.

    crossed: users seen in this arm and another one, who are in none.
    """

    experiment: str
    arm: str
    users: int
    impressions: int
    clicks: int
    ctr: Estimate
    crossed: int


@dataclass(frozen=True, slots=True)
class PublishView:
    """Every number as of a bucket's end.

    end: where the windows end, ms since 1970, 0 before any; revision: the rank group's sequence number.
    windows: by length (ms, `WHOLE_RUN`) and slice; diagnoses: the same, and by variant.
    warm_from: when the warm-up ends, None while nothing has been scored; warm: whether it has. late_side: side
    records that came after their time had been applied. left_out: samples beyond their user's cap so far.
    counts: input records by fate.
    """

    end: int
    revision: int
    metric: Metric
    windows: Mapping[int, Mapping[str, SliceNumbers]]
    diagnoses: Mapping[int, Mapping[str, Mapping[str, Diagnosis]]]
    arms: tuple[ArmNumbers, ...]
    counts: Mapping[str, int]
    diverged: tuple[str, ...]
    late_side: int
    left_out: int
    warm_from: int | None
    warm: bool
