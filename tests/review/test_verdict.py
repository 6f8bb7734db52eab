"""The verdict: every rule, their order, and that nothing is shipped over a warning."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lis_online.review.document import Agreement, MetricResult, Pair, Quality, Review, SampleRatio
from lis_online.review.verdict import MOST_CROSSED, MOST_UNREAD, judge
from lis_online.review.words import gain, lift, part
from tests.review.documents import (
    USERS,
    make_arm,
    make_control,
    make_metric,
    make_rail,
    make_representation,
    make_review,
)


def one_arm(metric: MetricResult, *rails: str, **changes: object) -> Review:
    """Return a review of one treatment arm with guardrails of these states."""
    guardrails = tuple(make_rail("treatment", status, f"rail{k}") for k, status in enumerate(rails))
    return make_review(make_arm("treatment", metric), guardrails=guardrails, **changes)


def mismatch() -> SampleRatio:
    """Return a sample ratio that is not what was declared."""
    counts = {"control": 10_600, "treatment": 9_400}
    return SampleRatio(p_value=1e-9, mismatch=True, assigned=counts, shares={"control": 0.5, "treatment": 0.5})


def test_a_sample_ratio_mismatch_ends_every_conclusion() -> None:
    """However good the lift is: users that are missing from an arm are not missing by chance."""
    found = judge(one_arm(make_metric(), "breached", sample_ratio=mismatch()))
    assert (found.decision, found.arm, found.reasons) == ("invalid", None, ("sample_ratio",))
    assert found.sentences == (
        "Conclude nothing from the lifts.",
        "Users did not come to the arms in the declared shares (p < 0.0001): control has 10,600 of 20,000, 53.0% "
        "instead of 50.0%; find out where they are lost.",
    )


def test_an_arm_without_users_is_named() -> None:
    """Against nobody nothing can be compared."""
    found = judge(make_review(make_arm("treatment", make_metric(None, None), users=0, assigned=0)))
    assert (found.decision, found.reasons) == ("invalid", ("no_users",))
    assert "There is no user in treatment" in found.paragraph


def test_a_review_without_any_user_gives_the_reason() -> None:
    """That of the history, where it has one."""
    nobody = SampleRatio(
        p_value=None, mismatch=False, assigned={"control": 0, "treatment": 0}, shares={}, reason="not kept"
    )
    arms = (
        make_control("ctr").model_copy(update={"users": 0}),
        make_arm("treatment", make_metric(None, None), users=0),
    )
    found = judge(make_review(sample_ratio=nobody, arms=arms))
    assert found.reasons == ("no_users",)
    assert found.sentences[1] == "There is no user: not kept."


@pytest.mark.parametrize(("crossers", "decision"), [(200, "ship"), (201, "invalid")])
def test_too_many_users_in_several_arms_end_every_conclusion(crossers: int, decision: str) -> None:
    """More than a hundredth of those assigned, each counted once."""
    arm = make_arm("treatment", make_metric(), users=USERS - crossers, crossed=crossers)
    found = judge(make_review(arm))
    assert found.decision == decision
    assert crossers / (2 * USERS) <= MOST_CROSSED or found.reasons == ("crossing",)
    assert decision == "ship" or "201 of 20,000 users, 1.0%, were seen in several arms" in found.paragraph


def test_users_who_crossed_are_found_where_nobody_counted_the_assigned() -> None:
    """Reports from before that have the users analysed in their place; each arm still has its own who crossed."""
    arm = make_arm("treatment", make_metric(), crossed=201)
    found = judge(make_review(arm))
    assert found.reasons == ("crossing",)


@pytest.mark.parametrize(("late", "decision"), [(4_000, "ship"), (4_100, "invalid")])
def test_input_that_was_not_read_ends_every_conclusion(late: int, decision: str) -> None:
    """Late and refused records together, of all that came."""
    quality = Quality(
        accepted=94_000, late=late, duplicate=1_000, dead_letters=1_000, left_out=0, gaps=(), set_aside={}
    )
    found = judge(make_review(quality=quality))
    assert found.decision == decision
    assert (late + 1_000) / (96_000 + late) <= MOST_UNREAD or found.reasons == ("data_quality",)


def test_unknown_quality_is_said_and_stops_nothing() -> None:
    """Counts may have gone while the moments are still there."""
    nothing = Quality(
        accepted=None, late=None, duplicate=None, dead_letters=None, left_out=None, gaps=(), set_aside={}, reason="gone"
    )
    found = judge(make_review(quality=nothing))
    assert found.decision == "ship"
    assert found.sentences[-1] == "How much of the input was late or refused is not known: gone."


def test_without_a_metric_there_is_no_verdict() -> None:
    """None declared at all, or guardrails alone."""
    bare = make_review(primary_metric=None, arms=(make_control(), make_arm("treatment")))
    assert judge(bare).reasons == ("no_metric",)
    rails = make_review(primary_metric=None, guardrails=(make_rail("treatment", "holds"),))
    assert (judge(rails).decision, judge(rails).reasons) == ("invalid", ("no_metric",))


def test_every_failure_is_told_at_once() -> None:
    """Whoever mends the first should know of the second."""
    quality = Quality(accepted=1, late=9, duplicate=0, dead_letters=0, left_out=0, gaps=(), set_aside={})
    assert judge(one_arm(make_metric(), sample_ratio=mismatch(), quality=quality)).reasons == (
        "sample_ratio",
        "data_quality",
    )


def test_a_breached_guardrail_stops_its_arm_whatever_the_lift() -> None:
    """Also where guardrails alone are declared."""
    for primary in ("ctr", None):
        found = judge(one_arm(make_metric(), "holds", "breached", primary_metric=primary))
        assert (found.decision, found.arm, found.metric) == ("stop", "treatment", "rail1")
        assert found.sentences[0] == (
            "Stop treatment: it changes rail1 by -3.50% (-5.00% to -2.00%), beyond its guardrail, decrease of at most "
            "1.00%."
        )


def test_a_sure_lift_with_guardrails_that_hold_is_shipped() -> None:
    """The sentence says by how much, how sure, whether the minimum effect is reached, and what held."""
    found = judge(one_arm(make_metric(), "holds"))
    assert (found.decision, found.arm, found.metric, found.users_needed) == ("ship", "treatment", "ctr", None)
    assert found.sentences[0] == (
        "Ship treatment: it changes ctr by +2.25% (+1.50% to +3.00%) (adjusted p = 0.001), above the "
        "minimum effect of 1.0%; every guardrail holds."
    )
    smaller = judge(one_arm(make_metric(0.002, 0.03)))
    assert smaller.decision == "ship"
    assert "not shown to reach the minimum effect of 1.0%; no guardrail is declared." in smaller.sentences[0]


def test_an_undecided_guardrail_holds_a_sure_lift_back_and_is_named() -> None:
    """No harm shown is not no harm."""
    found = judge(one_arm(make_metric(), "holds", "undecided"))
    assert (found.decision, found.arm, found.users_needed) == ("keep_running", "treatment", None)
    assert found.sentences[0].endswith(
        "but a guardrail is undecided: rail1 (-3.00% to +2.00%; decrease of at most 1.00%)."
    )


@pytest.mark.parametrize("p", [0.05, 0.3, None])
def test_a_lift_that_the_correction_takes_back_goes_on(p: float | None) -> None:
    """Its own sequence is above 0; among all arms and metrics it is not sure."""
    found = judge(one_arm(make_metric(0.001, 0.03, p_adjusted=p)))
    assert (found.decision, found.users_needed) == ("keep_running", 10_000)
    assert "above 0, but not for sure among all arms and metrics" in found.sentences[0]


def test_a_sure_loss_is_stopped() -> None:
    """Before the minimum effect is asked for."""
    found = judge(one_arm(make_metric(-0.03, -0.01), "undecided"))
    assert (found.decision, found.arm) == ("stop", "treatment")
    assert found.sentences[0] == ("Stop treatment: it changes ctr by -2.00% (-3.00% to -1.00%), which is harm.")


@pytest.mark.parametrize("lower", [-0.002, 0.001])
def test_where_no_effect_worth_having_is_left_it_is_stopped(lower: float) -> None:
    """A lift may even be sure: below the minimum effect it is not worth having."""
    found = judge(one_arm(make_metric(lower, 0.008)))
    assert found.decision == "stop"
    assert found.sentences[0].endswith(
        "so less than the minimum effect of 1.0%: no effect worth having is left possible."
    )


def test_an_undecided_lift_goes_on_for_the_users_it_still_needs() -> None:
    """20,000 users came in two days; the 10,000 more take one day or longer at that pace."""
    found = judge(one_arm(make_metric(-0.01, 0.03, p_adjusted=0.4)))
    assert (found.decision, found.arm, found.users_needed) == ("keep_running", "treatment", 10_000)
    assert found.sentences[0] == (
        "Keep treatment running: it changes ctr by +1.00% (-1.00% to +3.00%), which decides nothing yet; with 10,000 "
        "more users of both arms a lift of 1.0% is seen with 80% power, after about 24 hours or longer at the "
        "pace so far."
    )


def test_enough_users_and_no_decision_is_said() -> None:
    """A number of users to wait for would be wrong then."""
    found = judge(one_arm(make_metric(-0.01, 0.03, users_needed=19_000)))
    assert (found.decision, found.users_needed) == ("keep_running", None)
    assert "though with 19,000 users, who have come, a lift of 1.0% is seen with 80% power." in found.sentences[0]


def test_a_lift_without_an_interval_goes_on_with_the_reason() -> None:
    """No interval is no harm and no benefit."""
    found = judge(one_arm(make_metric(None, None)))
    assert (found.decision, found.users_needed) == ("keep_running", None)
    assert found.sentences[0] == "Keep treatment running: its lift in ctr has no interval yet (no users)."


ARMS = {
    "ship": make_metric(),
    "larger": make_metric(0.02, 0.05),
    "open": make_metric(-0.01, 0.03),
    "harm": make_metric(-0.03, -0.01),
    "small": make_metric(-0.002, 0.008),
}


@pytest.mark.parametrize(
    ("names", "decision", "arm"),
    [
        (("open", "ship", "harm"), "ship", "ship"),
        (("ship", "larger"), "ship", "larger"),
        (("harm", "open", "small"), "keep_running", "open"),
        (("harm", "small"), "stop", None),
    ],
)
def test_of_several_arms_the_best_decides_and_the_others_are_told(
    names: tuple[str, ...], decision: str, arm: str | None
) -> None:
    """The order of the rules, then the larger lift; all are stopped only where each is."""
    found = judge(make_review(*(make_arm(name, ARMS[name]) for name in names)))
    assert (found.decision, found.arm) == (decision, arm)
    assert all(any(name in sentence for sentence in found.sentences) for name in names)


def test_a_breach_in_one_arm_comes_before_a_lift_in_another() -> None:
    """Harm that is going on is told first."""
    arms = make_arm("good", ARMS["ship"]), make_arm("bad", ARMS["open"])
    found = judge(make_review(*arms, guardrails=(make_rail("good", "holds"), make_rail("bad", "breached"))))
    assert (found.decision, found.arm) == ("stop", "bad")
    assert "The other arms are judged when it has stopped." in found.sentences


def test_the_variants_sentence_says_where_to_work_next() -> None:
    """With the numbers of the document, by its diagnosis."""
    representation = make_representation()
    found = judge(make_review(make_arm("treatment", make_metric(), representation=representation)))
    assert (
        f"coclick could bring {gain(representation.adjusted_lis)} AUC, title delivers "
        f"{part(representation.efficiency)} of it (aligned): to gain more, look for better preference data than "
        "coclick."
    ) in found.sentences
    lost = make_representation(None, diagnosis="insufficient_data").model_copy(
        update={"efficiency": make_representation(None).ais}
    )
    found = judge(make_review(make_arm("treatment", make_metric(), representation=lost)))
    assert any("title has no adjusted AIS (insufficient_data)" in sentence for sentence in found.sentences)


def test_agreement_is_told_with_the_arms_that_break_it() -> None:
    """A resolved pair that disagrees says that AIS does not carry over to users."""
    pair = Pair(better_by_ais="y", other="x", ais_difference=0.01, lift_difference=-0.02, agrees=False, resolved=True)
    known = {"metric": "ctr", "pairs": (pair,), "rank_correlation": -1.0}
    found = judge(make_review(agreement=Agreement(agrees=False, **known)))
    assert found.sentences[-1] == (
        "Lift and adjusted AIS disagree: y is ahead of x by +0.0100 in adjusted AIS and behind by 2.00% in lift."
    )
    found = judge(make_review(agreement=Agreement(agrees=True, **known)))
    assert found.sentences[-1] == "The arms rank by lift as their variants do by adjusted AIS."


ends = st.tuples(st.floats(-0.1, 0.1), st.floats(0.0001, 0.1)).map(lambda two: (two[0], two[0] + two[1]))
metrics = st.builds(
    lambda both, p, needed: make_metric(*both, p_adjusted=p, users_needed=needed),
    st.one_of(ends, st.just((None, None))),
    st.one_of(st.none(), st.floats(0, 1)),
    st.one_of(st.none(), st.integers(1, 10**8)),
)
states = st.lists(st.sampled_from(["breached", "holds", "undecided"]), max_size=3)
treatments = st.lists(st.tuples(metrics, states, st.integers(0, USERS)), min_size=1, max_size=3)


@given(treatments, st.booleans(), st.integers(0, 50_000), st.sampled_from(["ctr", None]))
def test_nothing_is_shipped_over_a_warning(
    drawn: list[tuple[MetricResult, list[str], int]], is_mismatch: bool, late: int, primary: str | None
) -> None:
    """Whatever else the document says: ship needs sound data, a sure lift worth having, and guardrails that hold."""
    arms = tuple(
        make_arm(f"arm{k}", metric, users=USERS - crossed, crossed=crossed)
        for k, (metric, _, crossed) in enumerate(drawn)
    )
    rails = tuple(
        make_rail(f"arm{k}", status, f"rail{n}")
        for k, (_, of_arm, _) in enumerate(drawn)
        for n, status in enumerate(of_arm)
    )
    known = make_review(*arms)
    ratio = known.sample_ratio.model_copy(update={"mismatch": is_mismatch})
    quality = known.quality.model_copy(update={"late": late})
    review = known.model_copy(
        update={"sample_ratio": ratio, "quality": quality, "guardrails": rails, "primary_metric": primary}
    )
    found = judge(review)
    assert found == judge(review)
    broken = any(rail.status == "breached" for rail in rails)
    crossed = sum(arm.crossed for arm in arms) > MOST_CROSSED * USERS * (len(arms) + 1)
    unsound = is_mismatch or crossed or not all(arm.users for arm in arms) or late + 1 > MOST_UNREAD * (99_010 + late)
    if unsound:
        assert found.decision == "invalid" and found.users_needed is None
    elif broken:
        assert found.decision == "stop"
    elif primary is None:
        assert found.decision == "invalid"
    if found.decision == "ship":
        (arm,) = [one for one in arms if one.arm == found.arm]
        sequence = arm.metrics[0].relative.sequence  # type: ignore[union-attr]
        assert (
            sequence.lower is not None and sequence.upper is not None and sequence.lower > 0 and sequence.upper >= 0.01
        )
        assert arm.metrics[0].p_adjusted is not None and arm.metrics[0].p_adjusted < review.alpha
        assert not unsound and not broken and all(r.status == "holds" for r in rails if r.arm == found.arm)


def test_numbers_in_sentences_are_those_of_the_document() -> None:
    """Every percentage of the first sentence is one that the document has."""
    metric = make_metric(0.0123, 0.0456)
    found = judge(one_arm(metric, "holds"))
    assert metric.relative is not None
    assert re.findall(r"[+-][\d.]+%", found.sentences[0]) == re.findall(r"[+-][\d.]+%", lift(metric.relative))
