"""The review of an experiment as a document: what the terminal, the JSON, the HTML page and HTTP all show.

Its JSON schema is published (`docs/schemas/review.json`); a field is added, never renamed, within a schema version.
Lifts are relative to control unless a name says otherwise: 0.02 is 2 %. Times are ISO 8601 with an offset. What does
not exist is None, and a reason says why. Everything is 95 % unless the experiment declares another alpha.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final, Literal

from pydantic import BaseModel, ConfigDict, Field

SCHEMA_VERSION: Final = 1

Decision = Literal["ship", "keep_running", "stop", "invalid"]
GuardrailStatus = Literal["breached", "holds", "undecided"]


class Part(BaseModel):
    """A part of the document: plain values that never change."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Span(Part):
    """A stretch of time, its end exclusive."""

    start: datetime = Field(alias="from")
    end: datetime = Field(alias="to")

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class Estimated(Part):
    """A value with its 95 % interval; what does not exist is None, and the reason says why."""

    value: float | None
    stderr: float | None = None
    lower: float | None = None
    upper: float | None = None
    reason: str | None = None


class Number(Estimated):
    """A number with its 95 % interval. learning_noise: the interval was widened for it."""

    learning_noise: bool = False
    samples_to_resolve: float | None = None


class Interval(Part):
    """An interval, or the reason why there is none."""

    lower: float | None
    upper: float | None
    reason: str | None = None


class Change(Part):
    """A lift in one scale. sequence: safe to watch at any time; fixed: right for one look, planned before."""

    value: float | None
    stderr: float | None
    sequence: Interval
    fixed: Interval
    reason: str | None = None


class Level(Part):
    """A metric's value in one arm. effective_users: of equal weight, as sure about it."""

    value: float | None
    stderr: float | None
    users: int
    effective_users: float
    reason: str | None = None


class MetricResult(Part):
    """One metric in one arm. What compares with control is None in the control arm.

    p_value: sequential, below alpha exactly where the sequence excludes 0; p_adjusted: over all arms and metrics of the
    experiment. minimum_effect: the declared one, and effect: whether the lift is above it, below it, or undecided.
    users_needed: of both arms, in all, to see the minimum effect with 80 % power.
    variance_reduction: the share that CUPED took out; None and cuped_reason where it could not be used.
    """

    metric: str
    kind: Literal["ratio", "mean", "proportion"]
    level: Level
    relative: Change | None
    absolute: Change | None
    p_value: float | None
    p_fixed: float | None
    p_adjusted: float | None
    minimum_effect: float
    effect: Literal["above", "below", "undecided"] | None
    users_needed: int | None
    variance_reduction: float | None
    cuped_reason: str | None


class Representation(Part):
    """The variant that an arm serves: what its preference source could bring, and what it delivers."""

    variant: str
    version: str
    source: str
    samples: int
    effective_users: float | None
    lis: Number
    adjusted_lis: Number
    ais: Number
    adjusted_ais: Number
    efficiency: Number
    coverage: float | None
    diagnosis: str
    sentence: str


class Arm(Part):
    """One arm. assigned: users by the first arm seen; users: those analysed; crossed: seen in others too."""

    arm: str
    is_control: bool
    share: float
    users: int
    assigned: int
    crossed: int
    metrics: tuple[MetricResult, ...]
    representation: Representation | None
    representation_reason: str | None = None


class SampleRatio(Part):
    """Whether users came to the arms in the declared shares. p_value: sequential; mismatch: below 0.01."""

    p_value: float | None
    mismatch: bool
    assigned: dict[str, int]
    shares: dict[str, float]
    reason: str | None = None


class GuardrailResult(Part):
    """A change that must not happen. margin: relative size; relative: the lift it was judged by (its sequence)."""

    arm: str
    metric: str
    direction: Literal["increase", "decrease"]
    margin: float
    status: GuardrailStatus
    relative: Change


class Pair(Part):
    """Two arms by what their variants deliver and what they brought. resolved: neither difference's interval has 0."""

    better_by_ais: str
    other: str
    ais_difference: float
    lift_difference: float
    agrees: bool
    resolved: bool


class Agreement(Part):
    """Whether the order of the arms by their variants' adjusted AIS is their order by lift in the primary metric.

    agrees: None and a reason while no pair of arms is resolved in both. rank_correlation: Kendall's tau over the arms.
    """

    metric: str | None
    pairs: tuple[Pair, ...]
    agrees: bool | None
    rank_correlation: float | None
    reason: str | None = None


class Point(Part):
    """A lift as it was known at a time: cumulative from the scope's start."""

    time: datetime
    arm: str
    metric: str
    value: float | None
    lower: float | None
    upper: float | None
    fixed_lower: float | None
    fixed_upper: float | None


class AlignmentPoint(Part):
    """A variant's numbers of a window that ends at a time: the longest that fits the range. window: its name, "6h"."""

    time: datetime
    variant: str
    adjusted_lis: Number
    adjusted_ais: Number
    diagnosis: str | None
    window: str = ""


class DriftEvent(Part):
    """A number that left its level within the range."""

    time: datetime
    variant: str
    number: str
    before: float | None
    after: float | None
    cause: str | None
    sentence: str


class Annotation(Part):
    """What somebody noted: a deploy, an outage."""

    time: datetime
    end: datetime | None
    text: str
    tags: tuple[str, ...] = ()


class Quality(Part):
    """The input within the scope. None, and a reason, where counts of that time are not kept.

    late, duplicate, dead_letters: records; gaps: stretches without any sample; left_out: samples beyond a user's cap,
    None where LIS and AIS were not computed from statistics.
    """

    accepted: int | None
    late: int | None
    duplicate: int | None
    dead_letters: int | None
    left_out: int | None
    gaps: tuple[Span, ...]
    set_aside: dict[str, str]
    reason: str | None = None


class Verdict(Part):
    """What to do, and why: every sentence is computed from the document.

    arm: the one that the decision is about; None where it is about all. users_needed: more users of both arms to go on
    for, None where that is not known or not the question. reasons: of "invalid", the kinds of failure.
    """

    decision: Decision
    arm: str | None
    metric: str | None
    sentences: tuple[str, ...]
    users_needed: int | None = None
    reasons: tuple[Literal["sample_ratio", "no_users", "crossing", "data_quality", "no_metric"], ...] = ()

    @property
    def paragraph(self) -> str:
        """The sentences as one paragraph."""
        return " ".join(self.sentences)


class Against(Part):
    """The same range under another configuration, by variant: a backfill beside the live numbers.

    changed: the settings that differ, "leakage.horizon: 30m -> 1h".
    """

    configuration: int
    changed: tuple[str, ...]
    representations: tuple[Representation, ...]
    reason: str | None = None


class Review(Part):
    """An experiment's review.

    scope: "experiment", everything from its first user to `covered.end`; "range", the impressions in a range alone, as
    a run over them would have seen them. asked: the range that was asked for; covered: what the arms' numbers are of,
    alignment_covered: what LIS and AIS are of; both are rounded outward to whole buckets. notes: what a reader must
    know about how this was computed.
    """

    schema_version: Literal[1] = SCHEMA_VERSION
    experiment: str
    control: str
    made_at: datetime
    zone: str
    configuration: int
    slice: str
    scope: Literal["experiment", "range"]
    asked: Span | None
    covered: Span | None
    alignment_covered: Span | None
    alpha: float
    correction: str
    primary_metric: str | None
    verdict: Verdict
    sample_ratio: SampleRatio
    guardrails: tuple[GuardrailResult, ...]
    arms: tuple[Arm, ...]
    agreement: Agreement
    over_time: tuple[Point, ...]
    alignment_over_time: tuple[AlignmentPoint, ...]
    drift: tuple[DriftEvent, ...]
    drift_reason: str | None = None
    annotations: tuple[Annotation, ...] = ()
    quality: Quality
    against: Against | None = None
    notes: tuple[str, ...] = ()
