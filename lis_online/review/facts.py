"""What the history knows about an experiment, before anything is concluded from it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from lis_online.experiments.known import Known
from lis_online.review.document import (
    Against,
    AlignmentPoint,
    Annotation,
    DriftEvent,
    Representation,
)
from lis_online.review.request import ReviewRequest
from lis_online.settings import Settings
from lis_online.settings.model import ExperimentSettings

Times = tuple[int, int]
"""A stretch of time, ms since 1970, its end exclusive."""


@dataclass(frozen=True, slots=True)
class Traffic:
    """What the arms' numbers are of. known: None and a reason where there is nothing.

    covered: the time it is of. over_time: as it was known on the way. whole: of a range, the whole experiment up to
    its end, to compare with. notes: what a reader must know.
    """

    known: Known | None
    covered: Times | None
    reason: str | None = None
    over_time: tuple[Known, ...] = ()
    whole: Known | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Alignment:
    """LIS, AIS and diagnosis by variant, newest versions. covered: the time they are of, None where there is none.

    reason: why a variant is not in it. left_out: samples beyond a user's cap, None where not computed from statistics.
    """

    covered: Times | None = None
    variants: Mapping[str, Representation] = field(default_factory=dict)
    reason: str | None = None
    gaps: tuple[Times, ...] = ()
    left_out: int | None = None
    set_aside: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Facts:
    """Everything that a review is made of. counts: input records by fate, None where they are not kept.

    drift_reason: why nothing is known about drift.
    """

    request: ReviewRequest
    configuration: int
    settings: Settings
    experiment: ExperimentSettings
    asked: Times | None
    traffic: Traffic
    alignment: Alignment
    alignment_over_time: tuple[AlignmentPoint, ...] = ()
    counts: Mapping[str, int] | None = None
    drift: tuple[DriftEvent, ...] = ()
    drift_reason: str | None = None
    annotations: tuple[Annotation, ...] = ()
    against: Against | None = None
