"""A whole experiment."""

from __future__ import annotations

import json

import numpy as np
import pytest

from lis_online.experiments.analysis import Plan, analyse
from lis_online.experiments.comparison import Rules, compare
from lis_online.experiments.multiple import holm
from lis_online.settings.model import ExperimentSettings
from tests.experiments.arms import COLUMNS, METRICS, arm_of, users

PLAN = Plan("e", "control", {"control": 0.5, "x": 0.25, "y": 0.25}, METRICS)


def three_arms(seed: int = 0) -> dict[str, np.ndarray]:
    """Return users' totals by arm; y is better."""
    rng = np.random.default_rng(seed)
    return {"control": users(rng, 2000), "x": users(rng, 1000), "y": users(rng, 1000, 0.5)}


def test_every_arm_meets_control_in_every_metric() -> None:
    """Each comparison is what `compare` gives; only the adjusted p-value belongs to the family."""
    arms = {name: arm_of(totals, name) for name, totals in three_arms().items()}
    found = analyse(PLAN, arms, COLUMNS.names)
    assert [(one.name, one.metric) for one in found.comparisons] == [
        (arm, metric.name) for arm in ("x", "y") for metric in METRICS
    ]
    for one in found.comparisons:
        metric = next(metric for metric in METRICS if metric.name == one.metric)
        alone = compare(arms["control"], arms[one.name], COLUMNS.names, metric)
        assert (one.absolute, one.p_sequential) == (alone.absolute, alone.p_sequential)
    assert [one.p_adjusted for one in found.comparisons] == holm([one.p_sequential for one in found.comparisons])


def test_the_better_arm_is_found_and_the_equal_one_is_not() -> None:
    """50 % more clicks among 3,000 users, adjusted for six comparisons."""
    plan = Plan(PLAN.name, PLAN.control, PLAN.shares, METRICS, Rules(alpha=0.05))
    arms = {name: arm_of(totals, name) for name, totals in three_arms().items()}
    found = analyse(plan, arms, COLUMNS.names)
    better, equal = found.get("y", "ctr").p_adjusted, found.get("x", "ctr").p_adjusted
    assert better is not None and equal is not None and better < 0.05 < equal
    with pytest.raises(KeyError):
        found.get("y", "unknown")


def test_the_sample_ratio_counts_users_by_their_first_arm() -> None:
    """The moments' users where nothing else is given; those who crossed count where they began."""
    arms = {name: arm_of(totals, name) for name, totals in three_arms().items()}
    assert not analyse(PLAN, arms, COLUMNS.names).sample_ratio.mismatch
    lost = {"control": 2000, "x": 1000, "y": 1300}
    found = analyse(PLAN, arms, COLUMNS.names, assigned=lost).sample_ratio
    assert found.mismatch and found.counts == (2000, 1000, 1300)


def test_an_arm_that_nobody_is_in_yet_says_so() -> None:
    """It stays in the family, and its reason is the same as that of an empty one."""
    arms = {"control": arm_of(three_arms()["control"], "control")}
    found = analyse(PLAN, arms, COLUMNS.names)
    assert {one.absolute.reason for one in found.comparisons} == {"no users"}
    assert {one.p_adjusted for one in found.comparisons} == {None}
    assert found.crossed == {"control": 0, "x": 0, "y": 0}


def test_a_plan_is_read_from_the_settings_and_an_analysis_is_json() -> None:
    """Shares, control and metrics are those declared; nothing in the answer is beyond JSON."""
    table = {
        "name": "e",
        "control": "control",
        "arm": [{"name": "control", "share": 0.5}, {"name": "x", "share": 0.5}],
        "metric": [{"name": "ctr", "kind": "ratio", "numerator": "click", "denominator": "impression"}],
    }
    plan = Plan.of(ExperimentSettings.model_validate(table))
    assert (plan.control, dict(plan.shares), plan.metrics[0].name) == ("control", {"control": 0.5, "x": 0.5}, "ctr")
    arms = {name: arm_of(totals, name) for name, totals in three_arms().items() if name != "y"}
    found = json.loads(json.dumps(analyse(plan, arms, COLUMNS.names).to_json(), allow_nan=False))
    assert found["comparisons"][0]["relative"]["sequence"].keys() == {"lower", "upper", "reason"}
