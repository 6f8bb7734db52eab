"""The first screen: what was reviewed, what to do, and whether the numbers can be trusted."""

from __future__ import annotations

from typing import Final

from lis_online.review.document import Decision, GuardrailResult, GuardrailStatus, Review
from lis_online.review.html_elements import Child, Html, el
from lis_online.review.html_words import BAD, DASH, GOOD, OPEN, badge, changes, count, missing, moment, span
from lis_online.review.words import p_value, percent

WORDS: Final[dict[Decision, str]] = {
    "ship": "Ship",
    "keep_running": "Keep running",
    "stop": "Stop",
    "invalid": "Invalid",
}
TONES: Final[dict[Decision, str]] = {"ship": GOOD, "keep_running": OPEN, "stop": BAD, "invalid": BAD}
SIGNS: Final[dict[Decision, str]] = {"ship": "✓", "keep_running": "…", "stop": "■", "invalid": "✕"}
GUARDRAILS: Final[dict[GuardrailStatus, str]] = {"holds": GOOD, "undecided": OPEN, "breached": BAD}
UNREAD: Final = "not to be read"


def is_unread(review: Review) -> bool:
    """Return whether the lifts must not be read."""
    return review.verdict.decision == "invalid"


def heading(review: Review) -> Html:
    """Return the experiment's name, what its numbers are of, and when."""
    return el(
        "header",
        el("a", "Skip to the verdict", class_="skip", href="#main"),
        el("p", "Experiment review", class_="eyebrow"),
        el("h1", review.experiment),
        el("p", _range(review), class_="range"),
    )


def _range(review: Review) -> list[Child]:
    scope = "the impressions in this range alone" if review.scope == "range" else "the whole experiment so far"
    if review.covered is None:
        return ["No data yet", el("span", scope, class_="aside")]
    shown: list[Child] = [span(review.covered, review.zone), el("span", f"{review.zone}, {scope}", class_="aside")]
    if review.asked is not None and review.asked != review.covered:
        shown.append(el("span", "asked: ", span(review.asked, review.zone), class_="aside"))
    return shown


def verdict(review: Review) -> Html:
    """Return the decision as a word and its paragraph."""
    found = review.verdict
    about = " ".join(filter(None, (found.arm, found.metric and f"by {found.metric}")))
    return el(
        "section",
        el("h2", "Verdict", class_="eyebrow", id="verdict"),
        el(
            "p",
            el("span", SIGNS[found.decision], class_="sign", aria_hidden="true"),
            el("strong", WORDS[found.decision]),
            el("span", about, class_="about") if about else None,
            class_="decision",
        ),
        el("p", found.paragraph, class_="paragraph"),
        class_=f"verdict {TONES[found.decision]}",
        aria_labelledby="verdict",
    )


def checks(review: Review) -> Html:
    """Return sample ratio and guardrails: what must be in order before a lift is read."""
    return el(
        "section",
        el("h2", "Checks", id="checks"),
        el(
            "div",
            _sample_ratio(review),
            [_guardrail(one, is_unread(review)) for one in review.guardrails] or _none(),
            class_="checks",
        ),
        aria_labelledby="checks",
    )


def _sample_ratio(review: Review) -> Html:
    found = review.sample_ratio
    total = sum(found.assigned.values())
    if found.p_value is None:
        status, said = badge("unknown", OPEN), missing(found.reason)
    else:
        status = badge("mismatch", BAD) if found.mismatch else badge("in order", GOOD)
        said = Html(el("span", p_value(found.p_value)))
    arms = [
        el("li", f"{arm} ", el("b", count(users)), f" of {share:.1%} declared", _seen(users, total))
        for arm, share in found.shares.items()
        for users in (found.assigned.get(arm, 0),)
    ]
    return el(
        "article",
        el("h3", "Sample ratio", status),
        el("p", said),
        el("details", el("summary", f"Users of {len(arms)} arms"), el("ul", arms)),
        class_="check",
    )


def _seen(users: int, total: int) -> str | None:
    return f", {users / total:.1%} seen" if total else None


def _guardrail(found: GuardrailResult, unread: bool) -> Html:
    sign = "-" if found.direction == "decrease" else "+"
    lifted: Child = missing(found.relative.reason)
    if found.relative.value is not None:
        lifted = [percent(found.relative.value), el("span", changes(found.relative.sequence), class_="within")]
    status = badge(UNREAD, OPEN) if unread else badge(found.status, GUARDRAILS[found.status])
    return el(
        "article",
        el("h3", f"{found.metric} in {found.arm}", status),
        el("p", lifted),
        el("p", f"must not {found.direction} beyond {sign}{found.margin:.2%}", class_="aside"),
        class_="check",
    )


def _none() -> Html:
    return el(
        "article", el("h3", "Guardrails", badge("none", OPEN)), el("p", f"{DASH} none is declared"), class_="check"
    )


def footer(review: Review) -> Html:
    """Return when and under which settings this was computed."""
    said = (
        f"Made {moment(review.made_at, review.zone)} ({review.zone})",
        f"configuration {review.configuration}",
        f"LIS and AIS of slice {review.slice}",
        f"alpha {review.alpha:g}, correction {review.correction}",
        f"control {review.control}",
        f"document schema {review.schema_version}",
    )
    return el("footer", [el("span", one) for one in said])
