"""Arms' moments, from raw events through a join shard, against brute force."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as tries

from lis_online.events.windows_log import ArmMoments
from lis_online.experiments.moments import UNIT
from lis_online.join.arms import MOST, Arms, amount_of
from lis_online.join.user import User
from lis_online.settings import Settings
from lis_online.shards.join import JoinShard
from tests.join.arms_oracle import arms_of
from tests.join.logs import EXPERIMENTS, TABLE, feedback, impression, output, partitions, records
from tests.join.oracle import Oracle


def arms_after(settings: Settings, shown: list[Any], acted: list[Any]) -> dict[str, ArmMoments]:
    """Return the arms of the last report over two whole partitions, by "experiment/arm"."""
    shard = JoinShard(settings, 0)
    sent = shard.feed(records("impressions", shown, end=True)) + shard.feed(records("feedback", acted, end=True))
    return {f"{one.experiment}/{one.arm}": one for one in output(sent).reports[-1].arms}


@tries(max_examples=300, deadline=None)
@given(partitions())
def test_arms_are_what_brute_force_makes_of_the_events(log: tuple[list[Any], list[Any]]) -> None:
    """Caps, shares, start, trigger, crossing, pre-period: users, sums, products, positive, crossed and assigned."""
    shard = JoinShard(EXPERIMENTS, 0)
    sent = [out for topic, part in zip(("impressions", "feedback"), log, strict=True)
            for out in shard.feed(records(topic, part, end=True))]  # fmt: skip
    report, oracle = output(sent).reports[-1], Oracle(EXPERIMENTS, *log)
    found = [
        moments
        for experiment in EXPERIMENTS.experiment
        for moments in arms_of(experiment, oracle.counted, report.columns[experiment.name])
    ]
    assert report.arms == found


def experiment(**more: Any) -> Settings:
    """Return settings with one experiment of two arms."""
    plan = {"name": "e", "control": "a", "arm": [{"name": name, "share": 0.5} for name in "ab"], **more}
    return Settings.of({**TABLE, "experiment": [plan]})


def test_what_was_done_before_the_start_is_the_pre_period() -> None:
    """At the very start an impression counts; a click of after the start on an impression of before it does not."""
    metric = {"name": "ctr", "kind": "ratio", "numerator": "click", "denominator": "impression"}
    settings = experiment(start="1970-01-01T00:00:02Z", metric=[metric])
    shown = [impression(f"r{ts}", ts=ts, experiments={"e": "a"}) for ts in (1000, 1999, 2000)]
    acted = [feedback("r1000", ts=1001), feedback("r1999", ts=2001), feedback("r2000", ts=2002, action="like")]
    arm = arms_after(settings, shown, acted)["e/a"]
    columns = ["impression", "click", "like", "before:click", "before:impression"]
    assert dict(zip(columns, [int(x) // UNIT for x in arm.sums], strict=True)) == {
        "impression": 1, "click": 0, "like": 1, "before:click": 1, "before:impression": 2
    }  # fmt: skip


def test_a_user_enters_with_the_trigger_and_is_counted_from_then_on() -> None:
    """Not what came before it, and all that comes after it: also what does not meet the trigger."""
    settings = experiment(trigger={"surfaces": ["ads"]}, cuped=False)
    surfaces = [("r1", "feed", "b"), ("r2", "ads", "a"), ("r3", "feed", "a")]
    shown = [
        impression(name, ts=1000 + k, surface=surface, experiments={"e": arm})
        for k, (name, surface, arm) in enumerate(surfaces)
    ]
    acted = [feedback(name, ts=1100) for name, *_ in surfaces]
    arms = arms_after(settings, shown, acted)
    assert arms["e/a"].sums == [str(2 * UNIT), str(2 * UNIT), "0"] and arms["e/a"].assigned == 1
    assert (arms["e/b"].users, arms["e/b"].assigned, arms["e/b"].crossed) == (0, 0, 0)


def test_a_user_who_crosses_stays_assigned_to_the_first_arm() -> None:
    """Out of both arms, crossed in each, assigned to one: what the declared shares are of."""
    shown = [impression(f"r{k}", ts=1000 + k, experiments={"e": arm}) for k, arm in enumerate("baab")]
    arms = arms_after(experiment(), shown, [])
    assert [(a.users, a.crossed, a.assigned, set(a.sums)) for a in arms.values()] == [
        (0, 1, 0, {"0"}),
        (0, 1, 1, {"0"}),
    ]


def test_a_corrupt_value_stays_a_number_that_can_be_stored() -> None:
    """An action counts for a billion at most: 1e300 dwell would make moments of 2,000 bits."""
    acted = [feedback(ts=1001, value=1e300), feedback(ts=1002, value=-1e300, action="like")]
    arm = arms_after(experiment(cuped=False), [impression(experiments={"e": "a"})], acted)["e/a"]
    assert arm.sums[1:] == [str(MOST), str(-MOST)] == [str(amount_of(1e10)), str(-(10**15))]


@pytest.mark.parametrize("cuped", [True, False])
def test_running_totals_are_kept_where_they_are_looked_at(cuped: bool) -> None:
    """No experiment with a pre-period, no totals of everybody."""
    settings = experiment(cuped=cuped)
    arms = Arms(settings.experiment, settings.events)
    assert arms.running == (3 if cuped else 0)
    user = User(0, 1, arms.running)
    assert arms.show(user, (-1,), (True,)) == (-1,) and user.running == ([UNIT, 0, 0] if cuped else [])
