"""The study's worlds of caps, triggers, ranges, families, shares and few clicks are what the library would see."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from lis_online.events.windows_log import ArmMoments
from lis_online.experiments.analysis import Plan, analyse
from lis_online.experiments.columns import Columns
from lis_online.experiments.comparison import Rules, compare
from lis_online.experiments.definitions import Metric
from lis_online.experiments.moments import UNIT
from lis_online.experiments.sequence import ForEffect
from lis_online.replay.open_bandit import Shown
from studies import (
    experiments_caps,
    experiments_family,
    experiments_ranges,
    experiments_rare,
    experiments_ratio,
    experiments_trigger,
    open_bandit,
)
from studies.experiments_parts import EFFECT, Seeds
from studies.experiments_worlds import CLICK, CLICKED, IMPRESSION, World, joined, moments, simulate, visits, within
from tests.experiments.arms import printed
from tests.experiments.test_study import DECLARED, NAMES, arm

SMALL = World("small", users=300, buckets=6, visits=6)


def seeds() -> Seeds:
    """Return generators that are the same in every test."""
    return Seeds(np.random.SeedSequence(7))


def test_capped_columns_are_those_of_the_library() -> None:
    """Users under, at and over the caps: the same columns, to the library's millionth."""
    clicks, impressions = experiments_caps.CLICKS, experiments_caps.IMPRESSIONS
    metrics = [
        Metric("rate", "ratio", "click", "impression", cap=impressions),
        Metric("clicks", "mean", "click", cap=clicks),
    ]
    columns = Columns(["impression", "click"], metrics)
    totals = np.array([[10, 0, 0, 0], [150, 15, 0, 1], [170, 16, 0, 1], [4000, 333, 0, 1]], float)
    made = experiments_caps.capped(totals)
    for row, user in zip(made, totals, strict=True):
        found = dict(zip(columns.names, columns.values([round(x * UNIT) for x in user[:2]]), strict=True))
        assert row[[CLICK, IMPRESSION]] * UNIT == pytest.approx([found[name] for name in metrics[0].columns], abs=1)
        assert row[CLICKED] * UNIT == found[metrics[1].columns[0]]


def test_a_cap_finds_what_heavy_users_hide_and_measures_another_lift() -> None:
    """More power with the cap; of the capped mean a smaller lift than that of clicks, which shrinks as users go on."""
    plain, capped, _, _ = experiments_caps.run(30, seeds())
    assert capped["power"] > plain["power"] + 0.2 and capped["effective_users"] > 3 * plain["effective_users"]
    assert capped["estimated"] < capped["estimated_early"] < experiments_caps.LIFT


def test_a_range_holds_what_its_visits_add_up_to() -> None:
    """Brute force: users of the range, their totals in it alone, at each of its looks."""
    seen = visits(SMALL, 2, np.random.default_rng(1))
    part, some = within(SMALL, seen, 2, 5)
    found = moments(part, 2, some)
    assert found.users.shape == (2, 2, 3)
    for run, index, look in np.ndindex(2, 2, 3):
        totals: dict[int, np.ndarray] = {}
        for person, when, gained in zip(seen.person, seen.bucket, seen.gained, strict=True):
            if person // SMALL.users == run and seen.treated[person] == index and 2 <= when <= 2 + look:
                totals[person] = totals.get(person, np.zeros(4)) + gained
        clicks = np.array([row[CLICK] for row in totals.values()])
        assert found.users[run, index, look] == len(totals)
        assert found.sums[run, index, look, CLICK] == clicks.sum()
        assert found.products[run, index, look, CLICK, CLICK] == (clicks**2).sum()
        assert found.sums[run, index, look, CLICKED] == (clicks > 0).sum()


def test_ranges_of_users_who_come_once_are_differences() -> None:
    """By the other way: the visits of each range alone."""
    world = replace(SMALL, visits=0)
    seen = visits(world, 2, np.random.default_rng(2))
    tried = experiments_ranges.ranges(6, 3)
    assert len(tried) == 6
    found = experiments_ranges.of_ranges(moments(world, 2, seen), tried)
    for index, (low, high) in enumerate(tried):
        part, some = within(world, seen, low, high)
        alone = moments(part, 2, some)
        np.testing.assert_allclose(found.users[:, :, index], alone.users[:, :, -1])
        np.testing.assert_allclose(found.sums[:, :, index], alone.sums[:, :, -1])
        np.testing.assert_allclose(found.products[:, :, index], alone.products[:, :, -1])


def test_a_range_chosen_for_its_lift_misleads() -> None:
    """The more ranges are tried, the more often the best one claims a lift that is not there."""
    rows = experiments_ranges.chosen(40, seeds())
    assert [row["ranges"] for row in rows] == [1, 1, 6, 21, 78, 300, 1176, 4656]
    fixed, sequential = ([row[key] for row in rows[1:]] for key in ("fixed", "sequential"))
    assert fixed == sorted(fixed) and sequential == sorted(sequential)
    assert fixed[0] < 0.25 and fixed[-1] > 0.7


def test_a_trigger_leaves_the_effect_and_takes_the_noise() -> None:
    """The same total effect within its spread, found more often."""
    everybody, triggered = experiments_trigger.run(40, seeds())
    assert triggered["power"] > everybody["power"] + 0.4
    assert triggered["effect_spread"] < everybody["effect_spread"] / 2
    assert everybody["lift"] == pytest.approx(0.1 * experiments_trigger.LIFT, rel=0.05)
    for row in (everybody, triggered):
        assert row["effect"] == pytest.approx(everybody["lift"], abs=4 * row["effect_spread"] / 40**0.5)
    assert experiments_trigger.pulled(40, seeds()) > 0.5


@pytest.mark.parametrize("correction", ["holm", "benjamini-hochberg", "none"])
def test_a_family_of_the_study_is_the_librarys(correction: str) -> None:
    """Every run and look: claimed is what `analyse` gives an adjusted p-value under alpha."""
    world = replace(SMALL, users=1500, buckets=3, lift=0.6)
    rng = np.random.default_rng(3)
    of = joined([simulate(replace(world, lift=0), 3, rng), simulate(world, 3, rng)], axis=1)
    sequential, _ = experiments_family.p_values(of)
    claimed = experiments_family.claims(sequential, correction)  # type: ignore[arg-type]
    shares = dict.fromkeys(("control", "a", "b", "c"), 0.25)
    plan = Plan("e", "control", shares, tuple(DECLARED.values()), Rules(tuning=ForEffect(EFFECT)), correction)  # type: ignore[arg-type]
    for run, look in np.ndindex(3, 3):
        arms: dict[str, ArmMoments] = {name: arm(of, run, index, look) for index, name in enumerate(shares)}
        found = analyse(plan, arms, NAMES).comparisons
        expected = [one.p_adjusted is not None and one.p_adjusted < 0.05 for one in found]
        assert claimed[run, look].tolist() == expected
    assert claimed.any() and not claimed.all()


def test_three_arms_with_their_shares_are_no_mismatch() -> None:
    """Declared 60/30/10: not claimed when it is so, though chi-square, looked at as often, does; claimed when not."""
    right, small, large = experiments_ratio.run(60, seeds())
    assert right["found"] <= 0.05 < right["chi_square"]
    assert small["found"] > 0.9 and large["found"] == 1.0
    assert large["median_users"] < small["median_users"]


def test_few_clicks_of_the_study_are_the_librarys() -> None:
    """Five seeds, each look at 20,000 impressions of an arm: what is excluded is what `compare` excludes."""
    metric = Metric("ctr", "ratio", "click", "impression", minimum_effect=EFFECT)
    at = experiments_rare.SIZE // experiments_rare.STEP - 1
    outcomes = []
    for rate, lift in ((0.005, 1.0), (0.01, 1.0), (0.01, 0.0)):
        of = experiments_rare.simulate(5, np.random.default_rng(8), rate, lift, experiments_rare.SIZE)
        missed = experiments_rare.seen(of).missed(100)
        for run in range(5):
            arms = [
                printed(int(of.users[run, i, at]), of.sums[run, i, at].tolist(), of.products[run, i, at].tolist())
                for i in range(2)
            ]
            found = compare(arms[0], arms[1], ["impression", "click"], metric)
            assert found.control.effective == pytest.approx(min(of.sums[run, 0, at]))
            assert found.relative.sequence.excludes(0) == missed[run, at]
        outcomes.append(missed[:, at].mean())
    assert outcomes[0] < outcomes[1] == 1.0 and outcomes[2] == 0.0


def test_days_are_compared_as_shares() -> None:
    """Scipy's chi-square of days by policies; 1 where both have the same days."""
    counts = {("random", 0): 30, ("random", 1): 20, ("bts", 0): 12, ("bts", 1): 38}
    rows = [
        Shown(day * 86_400_000, str(n), "men", policy, "i", 0, False)
        for (policy, day), count in counts.items()
        for n in range(count)
    ]
    assert open_bandit.days_p(rows) == stats.chi2_contingency([[30, 12], [20, 38]]).pvalue
    assert open_bandit.days_p(rows[:50] + [row._replace(policy="bts") for row in rows[:50]]) == 1.0
