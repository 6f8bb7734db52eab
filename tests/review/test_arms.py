"""The arms of a review are what the comparison of their moments says, in the words of the document."""

from __future__ import annotations

from dataclasses import asdict

import msgspec
import numpy as np

from lis_online.experiments.analysis import Plan
from lis_online.experiments.columns import Columns
from lis_online.experiments.comparison import Rules, compare
from lis_online.experiments.definitions import Guardrail, Metric
from lis_online.experiments.known import Known
from lis_online.review.arms import Arms, points
from tests.experiments.arms import CTR, QUANTITIES, arm_of, users
from tests.review.documents import make_representation
from tests.review.history import ask

DWELL = Metric("dwell", "mean", "dwell", guardrail=Guardrail("decrease", 0.5))
COLUMNS = Columns(QUANTITIES, (CTR, DWELL), pre_period=True)
PLAN = Plan("e", "control", {"control": 0.5, "x": 0.5}, (CTR, DWELL), Rules(cuped=True))


def moments(lift: float = 0.3, seed: int = 0):  # type: ignore[no-untyped-def]
    """Return the moments of two arms whose users did before what they do."""
    rng = np.random.default_rng(seed)
    found = {}
    for name, gain in (("control", 0.0), ("x", lift)):
        totals = users(rng, 500, gain)
        found[name] = msgspec.structs.replace(
            arm_of(totals, name, COLUMNS, before=rng.poisson(totals).astype(float)), assigned=510, crossed=4
        )
    return found


def analysed(**arms: object) -> Arms:
    """Return the analysis of these arms."""
    return Arms.of(PLAN, Known(5, COLUMNS.names, arms or moments()))  # type: ignore[arg-type]


def test_an_arm_says_what_its_comparison_says() -> None:
    """Every number, CUPED's too; only the adjusted p-value is of the family."""
    arms = analysed()
    found = arms.get({"control": "serves no variant", "x": make_representation()})[1]
    known = arms.known.arms
    for shown, metric in zip(found.metrics, PLAN.metrics, strict=True):
        alone = compare(known["control"], known["x"], COLUMNS.names, metric, PLAN.rules)
        assert shown.relative is not None and shown.absolute is not None
        assert (shown.relative.model_dump(), shown.absolute.model_dump()) == (
            asdict(alone.relative),
            asdict(alone.absolute),
        )
        assert (shown.p_value, shown.p_fixed, shown.users_needed) == (
            alone.p_sequential,
            alone.p_fixed,
            alone.users_needed,
        )
        assert (shown.effect, shown.variance_reduction) == (alone.minimum_effect, alone.variance_reduction)
        assert shown.variance_reduction is not None and shown.variance_reduction > 0.1
        assert shown.level.value == alone.arm.value and shown.level.effective_users == alone.arm.effective
        assert shown.p_adjusted == arms.analysis.get("x", metric.name).p_adjusted
    assert (found.users, found.assigned, found.crossed, found.share) == (500, 510, 4, 0.5)
    assert found.representation == make_representation() and found.representation_reason is None


def test_control_has_levels_and_no_lift() -> None:
    """There is nothing that it could be compared with."""
    control = analysed().get({"control": "serves no variant", "x": "x"})[0]
    assert control.is_control and control.representation_reason == "serves no variant"
    for metric in control.metrics:
        assert metric.level.value is not None
        assert (metric.relative, metric.absolute, metric.p_value, metric.effect, metric.users_needed) == (None,) * 5


def test_guardrails_are_judged_by_the_sequence() -> None:
    """Each arm but control, each metric that declares one."""
    [rail] = analysed().guardrails()
    assert (rail.arm, rail.metric, rail.direction, rail.margin, rail.status) == ("x", "dwell", "decrease", 0.5, "holds")
    assert rail.relative.sequence.lower is not None and rail.relative.sequence.lower > -0.5


def test_a_report_from_before_users_were_counted_as_assigned_has_the_users_analysed() -> None:
    """All of them 0: that is no count."""
    older = {name: msgspec.structs.replace(one, assigned=0) for name, one in moments().items()}
    arms = analysed(**older)
    assert [one.assigned for one in arms.get({"control": "", "x": ""})] == [500, 500]
    assert arms.sample_ratio(None).assigned == {"control": 500, "x": 500}


def test_an_arm_without_moments_has_no_users_and_a_reason() -> None:
    """It is in the review all the same."""
    arms = analysed(control=moments()["control"])
    found = arms.get({"control": "", "x": ""})[1]
    assert (found.users, found.metrics[0].level.reason) == (0, "no users")
    assert found.metrics[0].relative is not None and found.metrics[0].relative.reason == "no users"


def test_points_over_time_are_the_lifts_with_both_intervals() -> None:
    """One of each arm but control and metric."""
    arms = analysed()
    found = points(PLAN, arms.known, ask())
    assert [(one.arm, one.metric) for one in found] == [("x", "ctr"), ("x", "dwell")]
    relative = arms.analysis.get("x", "ctr").relative
    assert (found[0].value, found[0].lower, found[0].upper) == (
        relative.value,
        relative.sequence.lower,
        relative.sequence.upper,
    )
    assert (found[0].fixed_lower, found[0].fixed_upper) == (relative.fixed.lower, relative.fixed.upper)
    assert found[0].time == ask().time(5)
