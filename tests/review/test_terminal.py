"""A review on a terminal: what comes first, that it fits, that it can be read without colour."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from lis_online.review.document import (
    Against,
    Agreement,
    Annotation,
    DriftEvent,
    Pair,
    Quality,
    Review,
    SampleRatio,
    Span,
)
from lis_online.review.terminal import WIDTH, render
from lis_online.review.verdict import judge
from tests.review.documents import (
    AT,
    make_arm,
    make_metric,
    make_rail,
    make_representation,
    make_review,
)


def judged(review: Review) -> Review:
    """Return a review with its verdict."""
    return review.model_copy(update={"verdict": judge(review)})


def shown(review: Review) -> str:
    """Return the review as a terminal of the usual width shows it, without colour."""
    console = Console(file=io.StringIO(), width=WIDTH)
    console.print(render(review))
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def full() -> Review:
    """Return a review with everything in it, and names that look like markup."""
    arm = make_arm(
        "[red]treatment[/red]",
        make_metric(),
        make_metric(None, None, name="dwell"),
        representation=make_representation(),
    )
    pair = Pair(better_by_ais="x", other="y", ais_difference=0.01, lift_difference=-0.02, agrees=False, resolved=True)
    drift = DriftEvent(time=AT, variant="title", number="ais", before=0.1, after=0.0, cause=None, sentence="AIS fell.")
    quality = Quality(
        accepted=99_000, late=5, duplicate=0, dead_letters=1, left_out=3,
        gaps=(Span(start=AT, end=AT),), set_aside={"twin": "diverged"},
    )  # fmt: skip
    return judged(
        make_review(
            arm,
            guardrails=(
                make_rail("[red]treatment[/red]", "breached"),
                make_rail("[red]treatment[/red]", "undecided", "ctr"),
            ),
            agreement=Agreement(metric="ctr", pairs=(pair,), agrees=False, rank_correlation=-1.0),
            drift=(drift,),
            annotations=(Annotation(time=AT, end=AT, text="deploy"),),
            quality=quality,
            against=Against(
                configuration=2, changed=("leakage.horizon: 30m -> 1h",), representations=(make_representation(0.01),)
            ),
            notes=("mind this",),
        )
    )


def test_what_makes_a_review_unreadable_comes_first() -> None:
    """Sample ratio, guardrails, verdict, arms, variants, agreement, drift, quality, in that order."""
    text = shown(full())
    order = [
        "Sample ratio",
        "Guardrail dwell",
        "STOP",
        "ctr, which decides",
        "Variants",
        "Agreement",
        "Drift",
        "Data quality",
        "Against",
        "Note: mind",
    ]
    places = [text.index(word) for word in order]
    assert places == sorted(places)


def test_everything_fits_and_is_there() -> None:
    """110 columns, no name taken for markup, every part of the document in words."""
    text = shown(full())
    assert max(map(len, text.splitlines())) <= WIDTH
    for word in (
        "BREACHED", "undecided", "[red]treatment[/red]", "treatment[/red]: no users",
        "+2.25%", "30,000", "+0.0325", "62%", "aligned",
        "NO (Kendall's tau -1.00)", "disagrees", "AIS fell.", "deploy", "99,000 records accepted", "3 samples beyond",
        "no samples from 2026-11-17 09:00", "set aside: twin (diverged)", "leakage.horizon: 30m -> 1h", "mind this",
    ):  # fmt: skip
        assert word in text, word


def test_lifts_of_an_invalid_review_are_marked() -> None:
    """In words, since colour may be missing."""
    ratio = SampleRatio(
        p_value=1e-9, mismatch=True, assigned={"control": 9, "treatment": 1}, shares={"control": 0.5, "treatment": 0.5}
    )
    text = shown(judged(make_review(sample_ratio=ratio)))
    assert "MISMATCH (p < 0.0001): control 9 (90.0%, declared 50.0%)" in text
    assert "ctr, which decides (not to be read: the verdict is invalid)" in text
    assert "not to be read" not in shown(judged(make_review()))


@pytest.mark.parametrize("is_none", [True, False])
def test_what_is_missing_has_its_reason(is_none: bool) -> None:
    """No users, no representation, no counts."""
    nobody = SampleRatio(p_value=None, mismatch=False, assigned={}, shares={}, reason="nobody came")
    quality = Quality(
        accepted=None, late=None, duplicate=None, dead_letters=None, left_out=None, gaps=(), set_aside={}, reason="gone"
    )
    arm = make_arm("treatment", make_metric(None, None), representation_reason="serves no variant")
    text = shown(
        judged(
            make_review(arm, **({"sample_ratio": nobody, "quality": quality, "drift_reason": "off"} if is_none else {}))
        )
    )
    assert "serves no variant" in text
    for told in ("not known (nobody came)", "Data quality: not known, gone", "Drift: not known, off"):
        assert (told in text) == is_none
