"""What to do about an experiment, and why: decided from the document alone, by fixed rules in a fixed order.

What makes the numbers unreadable comes first, then harm, then benefit (docs/reviews.md has the rules in words).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal

from lis_online.review.document import Arm, Decision, GuardrailResult, MetricResult, Review, Verdict
from lis_online.review.next_step import agreement_sentence, quality_sentence, representation_sentence
from lis_online.review.words import duration, interval, lift, p_value, percent, share

MOST_CROSSED: Final = 0.01
"""Share of the users who may be seen in several arms. They are left out of the lifts, and who crosses is not chance (it
is those who come often, on several devices): where 1 % do twice what others do, lifts move by about 1 %, the effect
that experiments are declared to see."""
MOST_UNREAD: Final = 0.05
"""Share of the input records that may be late or refused. What a review does not see is not chance either: a twentieth
of the clicks, lost in one arm more than in the other, is larger than most lifts."""

Reason = Literal["sample_ratio", "no_users", "crossing", "data_quality", "no_metric"]


def judge(review: Review) -> Verdict:
    """Return the verdict on a review, whatever verdict it has."""
    return _invalid(review) or _breached(review) or _without_metric(review) or _best(review)


def _invalid(review: Review) -> Verdict | None:
    found = list(_failures(review))
    if not found:
        return None
    sentences = ["Conclude nothing from the lifts.", *(sentence for _, sentence in found)]
    return Verdict(
        decision="invalid",
        arm=None,
        metric=review.primary_metric,
        sentences=tuple(sentences),
        reasons=tuple(reason for reason, _ in found),
    )


def _failures(review: Review) -> Iterator[tuple[Reason, str]]:
    users, known = sum(review.sample_ratio.assigned.values()), sum(arm.users for arm in review.arms)
    if review.sample_ratio.mismatch:
        yield "sample_ratio", _mismatch(review, users)
    empty = [arm.arm for arm in review.arms if not arm.users]
    if empty and not known:
        yield "no_users", f"There is no user: {review.sample_ratio.reason or 'no users'}."
    elif empty:
        yield "no_users", f"There is no user in {_listed(empty)}: check that the arm is served."
    crossed = max(users - known, *(arm.crossed for arm in review.arms))
    if users and crossed > MOST_CROSSED * users:
        yield (
            "crossing",
            f"{crossed:,} of {users:,} users, {share(crossed / users)}, were seen in several arms, more than "
            f"{share(MOST_CROSSED)}: the assignment is not by user.",
        )
    unread, records = _unread(review)
    if unread > MOST_UNREAD * records:
        yield (
            "data_quality",
            f"{unread:,} of {records:,} input records, {share(unread / records)}, were late or refused, more than "
            f"{share(MOST_UNREAD)}: see to the input first.",
        )
    if not any(arm.metrics for arm in review.arms):
        yield "no_metric", "No metric is declared: say in the settings what the experiment is for."


def _mismatch(review: Review, users: int) -> str:
    ratio = review.sample_ratio
    arm = max(ratio.shares, key=lambda name: abs(ratio.assigned[name] - ratio.shares[name] * users))
    told = "" if ratio.p_value is None else f" ({p_value(ratio.p_value)})"
    return (
        f"Users did not come to the arms in the declared shares{told}: {arm} has {ratio.assigned[arm]:,} of {users:,}, "
        f"{share(ratio.assigned[arm] / users)} instead of {share(ratio.shares[arm])}; find out where they are lost."
    )


def _unread(review: Review) -> tuple[int, int]:
    """Return late and refused records, and all; 0 where they are not known."""
    quality = review.quality
    unread = (quality.late or 0) + (quality.dead_letters or 0)
    return unread, unread + (quality.accepted or 0) + (quality.duplicate or 0)


def _breached(review: Review) -> Verdict | None:
    broken = [rail for rail in review.guardrails if rail.status == "breached"]
    if not broken:
        return None
    arm = broken[0].arm
    sentences = [
        f"Stop {rail.arm}: it changes {rail.metric} by {lift(rail.relative)}, beyond its guardrail, {_rail(rail)}."
        for rail in broken
    ]
    if len({rail.arm for rail in broken}) < len(review.arms) - 1:
        sentences.append("The other arms are judged when it has stopped.")
    return Verdict(
        decision="stop",
        arm=arm,
        metric=broken[0].metric,
        sentences=(*sentences, *_further(review, arm)),
    )


def _without_metric(review: Review) -> Verdict | None:
    if review.primary_metric is not None:
        return None
    sentence = "Every declared metric is a guardrail: say in the settings what the experiment is to improve."
    return Verdict(decision="invalid", arm=None, metric=None, sentences=(sentence,), reasons=("no_metric",))


@dataclass(frozen=True, slots=True)
class Judged:
    """One arm. order: of the rules, the best first. users_needed: more users of it and control.

    beside: the sentence where another arm is shipped before it.
    """

    arm: Arm
    order: int
    decision: Decision
    sentence: str
    users_needed: int | None = None
    beside: str | None = None


def _best(review: Review) -> Verdict:
    """Return the verdict on the arm that is best by the order of the rules, then by its lift; the others follow it."""
    judged = sorted(
        (_judged(review, arm) for arm in review.arms if not arm.is_control),
        key=lambda one: (one.order, -_lift_of(review, one.arm)),
    )
    best, *others = judged
    several_stop = best.decision == "stop" and bool(others)
    return Verdict(
        decision=best.decision,
        arm=None if several_stop else best.arm.arm,
        metric=review.primary_metric,
        sentences=(best.sentence, *(one.beside or one.sentence for one in others), *_further(review, best.arm.arm)),
        users_needed=best.users_needed,
    )


def _judged(review: Review, arm: Arm) -> Judged:
    found = _primary(review, arm)
    assert found.relative is not None
    sequence = found.relative.sequence
    said = f"it changes {found.metric} by {lift(found.relative)}"
    small = f"the minimum effect of {share(found.minimum_effect)}"
    if sequence.lower is None or sequence.upper is None:
        reason = sequence.reason or found.relative.reason
        return Judged(
            arm,
            3,
            "keep_running",
            f"Keep {arm.arm} running: its lift in {found.metric} has no interval yet ({reason}).",
        )
    if sequence.upper < 0:
        return Judged(arm, 4, "stop", f"Stop {arm.arm}: {said}, which is harm.")
    if found.effect == "below":
        return Judged(
            arm, 5, "stop", f"Stop {arm.arm}: {said}, so less than {small}: no effect worth having is left possible."
        )
    if sequence.lower > 0:
        return _better(review, arm, found, said)
    return _waiting(review, arm, found, f"Keep {arm.arm} running: {said}, which decides nothing yet")


def _better(review: Review, arm: Arm, found: MetricResult, said: str) -> Judged:
    """Return what to do with an arm whose sequence is above 0."""
    p = found.p_adjusted
    if p is None or p >= review.alpha:
        told = "" if p is None else f" ({p_value(p)})"
        why = f"above 0, but not for sure among all arms and metrics{told}"
        return _waiting(review, arm, found, f"Keep {arm.arm} running: {said}, {why}", order=2)
    rails = [rail for rail in review.guardrails if rail.arm == arm.arm]
    open_ = [rail for rail in rails if rail.status != "holds"]
    if open_:
        told = ", ".join(f"{rail.metric} ({interval(rail.relative.sequence)}; {_rail(rail)})" for rail in open_)
        return Judged(
            arm, 1, "keep_running", f"Keep {arm.arm} running: {said}, above 0, but a guardrail is undecided: {told}."
        )
    reached = "above" if found.effect == "above" else "not shown to reach"
    held = "every guardrail holds" if rails else "no guardrail is declared"
    sentence = (
        f"Ship {arm.arm}: {said} (adjusted {p_value(p)}), {reached} the minimum effect of "
        f"{share(found.minimum_effect)}; {held}."
    )
    beside = f"{arm.arm} is better than control as well: {said} (adjusted {p_value(p)}); one of them can be shipped."
    return Judged(arm, 0, "ship", sentence, beside=beside)


def _waiting(review: Review, arm: Arm, found: MetricResult, said: str, order: int = 3) -> Judged:
    """Return that more users are needed, how many, and about how long they take at the pace so far."""
    control = next(one for one in review.arms if one.is_control)
    so_far = arm.users + control.users
    effect = f"a lift of {share(found.minimum_effect)} is seen with 80% power"
    if found.users_needed is None:
        return Judged(arm, order, "keep_running", f"{said}.")
    more = found.users_needed - so_far
    if more <= 0:
        sentence = f"{said}, though with {found.users_needed:,} users, who have come, {effect}."
        return Judged(arm, order, "keep_running", sentence)
    sentence = f"{said}; with {more:,} more users of both arms {effect}{_pace(review, more, so_far)}."
    return Judged(arm, order, "keep_running", sentence, more)


def _pace(review: Review, more: int, so_far: int) -> str:
    if review.covered is None or not so_far:
        return ""
    passed = (review.covered.end - review.covered.start).total_seconds()
    return f", after about {duration(passed * more / so_far)} or longer at the pace so far" if passed > 0 else ""


def _further(review: Review, arm: str) -> Iterator[str]:
    yield from representation_sentence(review, arm)
    yield from agreement_sentence(review)
    yield from quality_sentence(review)


def _primary(review: Review, arm: Arm) -> MetricResult:
    return next(one for one in arm.metrics if one.metric == review.primary_metric)


def _lift_of(review: Review, arm: Arm) -> float:
    relative = _primary(review, arm).relative
    return float("-inf") if relative is None or relative.value is None else relative.value


def _rail(rail: GuardrailResult) -> str:
    return f"{rail.direction} of at most {percent(rail.margin)[1:]}"


def _listed(names: list[str]) -> str:
    return ", ".join(names)
