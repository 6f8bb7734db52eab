"""What is answered, typed: the OpenAPI document is made from these. Times are ISO 8601 with an offset."""

from __future__ import annotations

from datetime import datetime

from pydantic import Field

from lis_online.review.document import Estimated, GuardrailResult, MetricResult, Part, SampleRatio, Span


class Answer(Part):
    """A part of an answer: fields are added, never renamed."""


class Refusal(Answer):
    """Why there is no answer, in one sentence."""

    error: str


class Health(Answer):
    """The process answers and its history is reached."""

    status: str


class Estimate(Estimated):
    """A number with its 95 % interval; without a value, the reason. pairs, left_out: of pair alignment alone."""

    learning_noise: bool | None = None
    samples_to_resolve: int | None = None
    pairs: int | None = None
    left_out: int | None = None


class Source(Answer):
    """A preference source: what its pairs of the near future could bring a ranker."""

    lis: Estimate
    past: Estimate
    future: Estimate
    placebo: Estimate
    adjusted_lis: Estimate
    bound: Estimate
    coverage: float | None


class Delivered(Answer):
    """What a version's vectors deliver."""

    ais: Estimate
    adjusted_ais: Estimate
    efficiency: Estimate
    coverage: float | None
    pair_alignment: Estimate
    diagnosis: str
    sentence: str


class OfVersion(Delivered):
    """One of several versions of a variant."""

    since: datetime | None
    newest: bool
    samples: int


class Variant(Delivered):
    """A variant by its newest version; versions: where there are several, each."""

    source: str
    version: str
    versions: dict[str, OfVersion] | None = None


class Unleaked(Answer):
    """The levels of the ranker that nothing leaks into."""

    auc: Estimate
    gauc: Estimate


class SliceNumbers(Answer):
    """The numbers of one slice of the traffic."""

    samples: int
    slates: int
    unleaked: Unleaked
    twin: Estimate
    effective_users: float | None
    sources: dict[str, Source]
    variants: dict[str, Variant]


class WarmUp(Answer):
    """Which buckets are in no number, since samples had just begun."""

    until: datetime | None
    buckets_left_out: int


class Measured(Answer):
    """A version that was measured at the range's end. began: None for one that was there from the beginning."""

    variant: str
    version: str
    key: str
    newest: bool
    began: datetime | None


class Lis(Answer):
    """The numbers of one stretch of time: those of an uninterrupted run over exactly its buckets.

    covered: what they are of, the range rounded outward to whole buckets, without the warm-up; exact_to: the length of
    the longest. versions: a sentence where an earlier release did not record them.
    """

    configuration: int
    start: datetime = Field(alias="from")
    end: datetime = Field(alias="to")
    covered: Span
    exact_to: str
    buckets: int
    warm_up: WarmUp
    gaps: tuple[Span, ...]
    short_gaps: str
    left_out: int
    set_aside: dict[str, str]
    versions: tuple[Measured, ...] | str
    slices: dict[str, SliceNumbers]


class ArmLifts(Answer):
    """An arm and what it changes against control."""

    arm: str
    is_control: bool
    share: float
    users: int
    assigned: int
    crossed: int
    metrics: tuple[MetricResult, ...]


class Arms(Answer):
    """An experiment's arms, cumulative from its first user to `time`; without users yet no arm and the reason."""

    experiment: str
    configuration: int
    control: str
    time: datetime | None
    sample_ratio: SampleRatio | None
    guardrails: tuple[GuardrailResult, ...]
    arms: tuple[ArmLifts, ...]
    reason: str | None = None


class Declared(Answer):
    """An arm as declared."""

    arm: str
    share: float
    variant: str | None


class Experiment(Answer):
    """An experiment of the settings. first, last: ends of the buckets that the history knows its arms at."""

    experiment: str
    configuration: int
    control: str
    arms: tuple[Declared, ...]
    metrics: tuple[str, ...]
    first: datetime | None
    last: datetime | None
    reason: str | None = None
