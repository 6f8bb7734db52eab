"""The page's tables: arms, what their variants deliver, the data, another configuration."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from lis_online.review.document import Arm, MetricResult, Representation, Review
from lis_online.review.html_charts import metrics
from lis_online.review.html_elements import Child, Html, el, table
from lis_online.review.html_head import UNREAD, is_unread
from lis_online.review.html_words import BAD, DASH, GOOD, OPEN, badge, changes, count, level, measured, missing, span
from lis_online.review.words import p_value, percent

TONES: Final = {"aligned": GOOD, "beyond_preference": GOOD, "misaligned": BAD, "invalid_baseline": BAD}
"""Tones of diagnoses; the others are open."""


def arms(review: Review) -> Html:
    """Return the arms, one table a metric."""
    found = metrics(review)
    return el(
        "section",
        el("h2", "Arms", id="arms"),
        _warning(review),
        [_metric(review, name) for name in found] or el("p", missing("no metric is declared")),
        _users(review),
        aria_labelledby="arms",
    )


def _warning(review: Review) -> Html | None:
    if not is_unread(review):
        return None
    return el("p", badge(UNREAD, BAD), " The lifts are shown, but the verdict above says why they mean nothing.")


def _metric(review: Review, metric: str) -> Html:
    unread = is_unread(review)
    headings = ("arm", "level", f"lift ({UNREAD})" if unread else "lift", "always-valid interval", "fixed interval",
                "adjusted p", "against minimum effect", "users needed")  # fmt: skip
    found = [(arm, one) for arm in review.arms for one in arm.metrics if one.metric == metric]
    primary = el("span", "primary", class_="tag") if metric == review.primary_metric else None
    return el(
        "div",
        el("h3", metric, primary),
        table(f"{metric} by arm, against {review.control}", headings, [_row(*one) for one in found], "arms", unread),
        _adjusted(found),
        class_="metric",
    )


def _row(arm: Arm, one: MetricResult) -> Iterator[Child]:
    yield [arm.arm, el("span", "control", class_="tag") if arm.is_control else None]
    yield level(one.level, one.kind)
    if one.relative is None:
        yield from [missing(None)] * 6
        return
    lifted = one.relative
    yield missing(lifted.reason) if lifted.value is None else el("span", percent(lifted.value), class_="value")
    yield changes(lifted.sequence)
    yield changes(lifted.fixed)
    yield missing(None) if one.p_adjusted is None else p_value(one.p_adjusted).removeprefix("p = ").removeprefix("p ")
    yield _effect(one)
    yield count(one.users_needed)


def _effect(one: MetricResult) -> Child:
    if one.effect is None:
        return missing(None)
    return [f"{one.effect} ", el("span", f"of {one.minimum_effect:.2%}", class_="aside")]


def _adjusted(found: list[tuple[Arm, MetricResult]]) -> Html | None:
    """Return what the pre-period took out of the variance, arm by arm."""
    said = []
    for arm, one in found:
        if one.variance_reduction is not None:
            said.append(f"{arm.arm} {one.variance_reduction:.0%}")
        elif one.cuped_reason and not arm.is_control:
            said.append(f"{arm.arm} {DASH} {one.cuped_reason}")
    return el("p", f"Variance taken out by users' totals of before (CUPED): {'; '.join(said)}", class_="aside") \
        if said else None  # fmt: skip


def _users(review: Review) -> Html:
    rows = [
        (arm.arm, f"{arm.share:.1%}", count(arm.assigned), count(arm.users), count(arm.crossed)) for arm in review.arms
    ]
    headings = ("arm", "declared share", "assigned", "analysed", "crossed to another arm")
    return el("details", el("summary", "Users by arm"), table("Users by arm", headings, rows))


def representations(review: Review) -> Html:
    """Return what each arm's variant could bring, and what it delivers."""
    headings = ("arm", "variant", "adjusted LIS", "adjusted AIS", "LIS", "AIS", "efficiency", "coverage", "diagnosis")
    rows = [
        (arm.arm, *_served(arm.representation))
        if arm.representation
        else (arm.arm, missing(arm.representation_reason), *[missing(None)] * 7)
        for arm in review.arms
    ]
    advice = [
        el("li", el("b", f"{arm.arm}: "), arm.representation.sentence) for arm in review.arms if arm.representation
    ]
    when = review.alignment_covered
    return el(
        "section",
        el("h2", "What the representations deliver", id="representations"),
        el("p", f"Slice {review.slice}. ", ["Of ", span(when, review.zone)] if when else None, class_="aside"),
        table("Leakage impact by arm", headings, rows, "representations"),
        el("ul", advice, class_="advice") if advice else None,
        aria_labelledby="representations",
    )


def _served(one: Representation) -> Iterator[Child]:
    yield [one.variant, el("span", f"{one.version or DASH}, from {one.source}", class_="within")]
    yield from (measured(found) for found in (one.adjusted_lis, one.adjusted_ais, one.lis, one.ais))
    yield measured(one.efficiency, "{:.0%}")
    yield missing(None) if one.coverage is None else f"{one.coverage:.0%}"
    users = DASH if one.effective_users is None else f"{one.effective_users:,.0f}"
    yield [
        badge(one.diagnosis.replace("_", " "), TONES.get(one.diagnosis, OPEN)),
        el("span", f"{one.samples:,} samples, {users} effective users", class_="within"),
    ]


def quality(review: Review) -> Html:
    """Return what came in, and what is missing of it."""
    found = review.quality
    gaps = [el("span", span(gap, review.zone), class_="row") for gap in found.gaps]
    facts: list[tuple[str, Child]] = [
        ("records accepted", count(found.accepted, found.reason)),
        ("late", count(found.late, found.reason)),
        ("duplicate", count(found.duplicate, found.reason)),
        ("dead letters", count(found.dead_letters, found.reason)),
        ("samples beyond a user's cap", count(found.left_out)),
        ("stretches without a sample", gaps or "none"),
        ("rankers set aside", "; ".join(f"{name}: {why}" for name, why in found.set_aside.items()) or "none"),
    ]
    return el(
        "section",
        el("h2", "Data quality", id="quality"),
        el("dl", [el("div", el("dt", name), el("dd", value)) for name, value in facts]),
        aria_labelledby="quality",
    )


def against(review: Review) -> Html | None:
    """Return the same range under another configuration, beside the live numbers."""
    other = review.against
    if other is None:
        return None
    live = {arm.representation.variant: arm.representation for arm in review.arms if arm.representation}
    rows = [
        (
            one.variant,
            *(
                cell
                for name in ("adjusted_lis", "adjusted_ais", "efficiency")
                for cell in _both(live.get(one.variant), one, name)
            ),
        )
        for one in other.representations
    ]
    names = ("adjusted LIS", "adjusted AIS", "efficiency")
    headings = (
        "variant",
        *(f"{name}, {of}" for name in names for of in ("here", f"configuration {other.configuration}")),
    )
    return el(
        "section",
        el("h2", f"Against configuration {other.configuration}", id="against"),
        el("ul", [el("li", one) for one in other.changed]) if other.changed else None,
        el("p", missing(other.reason)) if other.reason else None,
        table("Two configurations of the same range", headings, rows) if rows else None,
        aria_labelledby="against",
    )  # fmt: skip


def _both(here: Representation | None, there: Representation, name: str) -> tuple[Child, Child]:
    form = "{:.0%}" if name == "efficiency" else "{:+.4f}"
    mine = missing("not in this review") if here is None else measured(getattr(here, name), form)
    return mine, measured(getattr(there, name), form)
