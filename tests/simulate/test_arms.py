from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from lis_online.errors import UsageError
from lis_online.simulate.arms import Arms
from lis_online.simulate.kinds import build, events_of
from lis_online.simulate.parameters import WorldParameters
from lis_online.simulate.recorded import START
from lis_online.simulate.scenarios import scenario
from lis_online.simulate.simulation import Simulation

USERS = [f"u{k}" for k in range(3_000)]
MINUTE = 60_000


def counted(world: Simulation, slates: int, since: int) -> tuple[Counter[str], Counter[str]]:
    """Return clicks and items by arm, of slates since a time, counted from the events."""
    arm_of, clicks, items = {}, Counter[str](), Counter[str]()
    for _, topic, value in events_of(world, slates):
        record = json.loads(value)
        if topic == "impressions" and record["ts"] >= since:
            arm_of[record["request_id"]] = arm = next(iter(record["experiments"].values()))
            items[arm] += len(record["items"])
        elif topic == "feedback" and record["action"] == "click" and record["request_id"] in arm_of:
            clicks[arm_of[record["request_id"]]] += 1
    return clicks, items


@pytest.mark.parametrize("name", ["arms", "shop"])
def test_arms_truth_is_what_clicks_scatter_around(name: str) -> None:
    """The clicks of each arm since the set time are within 4 Poisson errors of those expected; items agree."""
    since = 5 * MINUTE
    world = build(replace(scenario(name).world, truth_from=since), seed=2, start=START)
    clicks, items = counted(world, 1_500, START + since)
    truth = world.arm_truth()
    assert {arm: found.items for arm, found in truth.items()} == items
    for arm, found in truth.items():
        assert found.expected_clicks > 100
        assert abs(clicks[arm] - found.expected_clicks) < 4 * np.sqrt(found.expected_clicks)


@pytest.mark.parametrize("name", ["arms", "shop"])
def test_better_variants_earn_more_when_every_slate_is_ranked_by_each(name: str) -> None:
    """The order of the arms by paired truth is that of their variants' qualities."""
    chosen = scenario(name)
    world = build(chosen.world, seed=3, start=START)
    for _ in events_of(world, 2_500):
        pass
    truth = world.arm_truth(paired=True)
    assert len({found.items for found in truth.values()}) == 1
    qualities = chosen.truth["variants"]
    worth = {variant: truth[arm].expected_clicks for arm, variant in chosen.world.all_arms if variant}
    assert sorted(worth, key=lambda v: -worth[v]) == sorted(qualities, key=lambda v: -qualities[v])


def test_arms_of_one_variant_are_worth_the_same_when_paired() -> None:
    """Two arms with the same ranking show the same items: an A/A test has no lift, to the last digit."""
    arms = (("control", ""), ("one", "good"), ("other", "good"))
    world = build(replace(scenario("arms").world, arms=arms, truth_from=0), seed=4, start=START)
    for _ in events_of(world, 300):
        pass
    truth = world.arm_truth(paired=True)
    assert truth["one"] == truth["other"] != truth["control"]


def test_users_are_split_evenly_and_by_their_ids_alone() -> None:
    """Every arm has its share of users, within 5 standard errors."""
    arms = Arms(WorldParameters(arms=tuple((f"arm{k}", "") for k in range(5))), USERS, 0)
    shares = np.bincount(arms.of_user, minlength=5) / len(USERS)
    assert np.abs(shares - 0.2).max() < 5 * np.sqrt(0.2 * 0.8 / len(USERS))
    np.testing.assert_array_equal(arms.of_user, Arms(arms_of_five(), USERS, 9).of_user)


def arms_of_five() -> WorldParameters:
    """Return a world with five arms of other names."""
    return WorldParameters(arms=tuple((f"other{k}", "") for k in range(5)))


@pytest.mark.parametrize(
    ("arms", "sentence"),
    [
        ((("a", ""), ("b", "none")), "arms: the variant of b must be one of"),
        ((("a", ""), ("a", "")), "arms: names must differ"),
    ],
)
def test_arms_that_cannot_be_are_refused(arms: tuple[tuple[str, str], ...], sentence: str) -> None:
    """An arm's variant is one of the world's, and no two arms share a name."""
    with pytest.raises(UsageError, match=sentence):
        Arms(WorldParameters(arms=arms), USERS, 0)
