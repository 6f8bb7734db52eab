"""The review of what is known: from facts to the document."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from lis_online.experiments.analysis import Plan
from lis_online.experiments.known import Known
from lis_online.metrics.layout import ALL
from lis_online.review.agreement import agreement, primary_metric
from lis_online.review.arms import NO_VARIANT, Arms, change, points
from lis_online.review.document import Representation, Review, Verdict
from lis_online.review.facts import Facts
from lis_online.review.quality import quality
from lis_online.review.verdict import judge
from lis_online.review.words import lift

NOT_YET: Final = Verdict(decision="invalid", arm=None, metric=None, sentences=())
RANGE: Final = (
    "The lifts are of this range alone. An always-valid interval keeps its promise for a range whose start was fixed "
    "before looking; of ranges chosen afterwards, some show a lift by chance."
)
NO_CUPED: Final = "A range has no pre-period, so its lifts are without CUPED."


SAID: Final = {1: "above 0 for sure", -1: "below 0 for sure", 0: "not shown to differ from 0"}


def compose(facts: Facts) -> Review:
    """Return the review, its verdict computed from the rest of it."""
    plan = Plan.of(facts.experiment)
    request, traffic = facts.request, facts.traffic
    arms = Arms.of(plan, traffic.known or Known(0, (), {}))
    shown = arms.get({arm.name: _representation(facts, arm.variant) for arm in facts.experiment.arm})
    primary = primary_metric(plan.metrics)
    draft = Review(
        experiment=plan.name,
        control=plan.control,
        made_at=request.time(request.made_at),
        zone="UTC" if request.zone is None else request.zone.key,
        configuration=facts.configuration,
        slice=request.slice,
        scope="experiment" if request.start is None else "range",
        asked=facts.asked and request.span(*facts.asked),
        covered=traffic.covered and request.span(*traffic.covered),
        alignment_covered=facts.alignment.covered and request.span(*facts.alignment.covered),
        alpha=plan.rules.alpha,
        correction=plan.correction,
        primary_metric=None if primary is None else primary.name,
        verdict=NOT_YET,
        sample_ratio=arms.sample_ratio(traffic.reason),
        guardrails=arms.guardrails(),
        arms=shown,
        agreement=agreement(arms, shown),
        over_time=tuple(point for known in traffic.over_time for point in points(plan, known, request)),
        alignment_over_time=facts.alignment_over_time,
        drift=facts.drift,
        drift_reason=facts.drift_reason,
        annotations=facts.annotations,
        quality=quality(facts.counts, facts.alignment, request),
        against=facts.against,
        notes=tuple(_notes(facts, plan, arms)),
    )
    return draft.model_copy(update={"verdict": judge(draft)})


def _representation(facts: Facts, variant: str | None) -> Representation | str:
    if variant is None:
        return NO_VARIANT
    return facts.alignment.variants.get(variant) or facts.alignment.reason or f"no number of {variant}"


def _notes(facts: Facts, plan: Plan, arms: Arms) -> Iterator[str]:
    if facts.request.start is not None:
        yield RANGE
        if plan.rules.cuped:
            yield NO_CUPED
        yield from _disagreements(plan, arms, facts.traffic.whole)
    if facts.request.slice != ALL:
        yield (
            f"LIS, AIS and diagnosis are of the slice {facts.request.slice}. Lifts, sample ratio and guardrails are of "
            "all of the experiment's traffic: users are assigned once, whatever they look at."
        )
    yield from facts.traffic.notes
    yield from facts.alignment.notes


def _disagreements(plan: Plan, arms: Arms, whole: Known | None) -> Iterator[str]:
    """Yield where the whole experiment, up to the range's end, shows another direction of an arm than the range."""
    metric = primary_metric(plan.metrics)
    if whole is None or metric is None:
        return
    everything = Arms.of(plan, whole).analysis
    for arm in plan.shares:
        if arm == plan.control:
            continue
        here, there = (found.get(arm, metric.name).relative for found in (arms.analysis, everything))
        said = [SAID[_direction(one.sequence.lower, one.sequence.upper)] for one in (here, there)]
        if said[0] != said[1]:
            yield (
                f"The whole experiment up to then says otherwise of {arm}: {metric.name} {lift(change(there))}, "
                f"{said[1]}; in this range it is {said[0]}."
            )


def _direction(lower: float | None, upper: float | None) -> int:
    """Return 1 or -1 where an interval is above or below 0, else 0."""
    if lower is None or upper is None:
        return 0
    return (lower > 0) - (upper < 0)
