"""Moments over a range are those of a run over the range alone."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as tries
from hypothesis import strategies as st

from lis_online.events.hashing import id_hash
from lis_online.events.windows_log import UserTotalsBucket
from lis_online.experiments.range_moments import RangeMoments
from lis_online.experiments.user_totals import TotalsTable, decode, hashed, kept
from lis_online.settings import Settings
from lis_online.settings.model import ExperimentSettings
from lis_online.shards.join import JoinShard
from tests.join.arms_oracle import arms_of
from tests.join.logs import EXPERIMENTS, feedback, impression, output, partitions, records
from tests.join.oracle import Oracle

BUCKET = 2000
Log = tuple[list[Any], list[Any]]


def settings_with(share: float = 1.0) -> Settings:
    """Return EXPERIMENTS without a pre-period, which a range has not."""
    history = EXPERIMENTS.history.model_copy(update={"user_totals_share": share})
    experiments = [e.model_copy(update={"cuped": False}) for e in EXPERIMENTS.experiment]
    return EXPERIMENTS.model_copy(update={"history": history, "experiment": experiments})


SETTINGS = settings_with()


def sent_of(log: Log, settings: Settings = SETTINGS, shard: int = 0) -> Any:
    """Return what a join shard sends of a whole log."""
    joined = JoinShard(settings, shard)
    return output(joined.feed(records("impressions", log[0], True)) + joined.feed(records("feedback", log[1], True)))


def over(
    experiment: ExperimentSettings, sent: list[UserTotalsBucket], start: int, end: int
) -> tuple[RangeMoments, list[TotalsTable]]:
    """Return the moments of an experiment over [start, end), read on the way as well, and the tables behind them."""
    moments, tables = RangeMoments(experiment, SETTINGS.events), []
    for bucket in range(start, end, BUCKET):
        mine = [decode(one.data) for one in sent if (one.experiment, one.start) == (experiment.name, bucket)]
        moments.update(mine)
        if bucket // BUCKET % 2:
            moments.get()
        tables += mine
    return moments, tables


def renamed(log: Log) -> Log:
    """Return a log of other users: that of another shard."""
    shown, acted = ([{**event, "user_id": f"v{event['user_id']}"} for event in part] for part in log)
    return shown, acted


@tries(max_examples=150, deadline=None)
@given(partitions(), partitions(), st.integers(0, 3), st.integers(1, 4))
def test_a_range_is_a_run_over_its_impressions_alone(first: Log, second: Log, start: int, length: int) -> None:
    """Two shards; start, trigger, caps, crossing: users enter at their first impression in the range that triggers."""
    logs = (first, renamed(second))
    sent = [one for shard, log in enumerate(logs) for one in sent_of(log, shard=shard).totals]
    counted = [entry for log in logs for entry in Oracle(SETTINGS, *log).counted]
    low, high = start * BUCKET, (start + length) * BUCKET
    inside = [entry for entry in counted if low <= entry.shown["ts"] < high]
    for experiment in SETTINGS.experiment:
        moments, _ = over(experiment, sent, low, high)
        assert moments.get() == arms_of(experiment, inside, moments.columns, forget=False)


def made_log(seed: int, users: int = 40, count: int = 400) -> Log:
    """Return a log in order of time, of users of one arm each but for some, over 12 buckets."""
    rng = np.random.default_rng(seed)
    times = np.sort(rng.integers(0, 24_000, count)).tolist()
    shown, acted = [], []
    for k, ts in enumerate(times):
        user = int(rng.integers(users))
        arms = {"e": "ab"[user % 2 if rng.random() < 0.8 else 0], "f": "xy"[user % 3 % 2]}
        surface = "feed" if rng.random() < 0.4 else "ads"
        shown.append(impression(f"r{k}", f"u{user}", ts, ["i0", "i9"], experiments=arms, surface=surface, history=[]))
        for action in ("click", "click", "like"):
            if rng.random() < 0.4:
                when, value = ts + int(rng.integers(1, 300)), float(rng.integers(1, 9)) / 4
                acted.append(feedback(f"r{k}", f"u{user}", when, "i9", action, value=value))
    return shown, sorted(acted, key=lambda event: event["ts"])


@pytest.mark.parametrize(("low", "high"), [(0, 24_000), (6000, 14_000), (10_000, 12_000)])
def test_a_range_is_a_join_shard_that_was_fed_the_range(low: int, high: int) -> None:
    """The other program that makes moments, without buckets: fed these impressions and the feedback on them."""
    settings = SETTINGS.model_copy(update={"events": SETTINGS.events.model_copy(update={"user_idle_limit": 10**6})})
    shown, acted = made_log(1)
    inside = [event for event in shown if low <= event["ts"] < high]
    requests = {event["request_id"] for event in inside}
    report = sent_of((inside, [event for event in acted if event["request_id"] in requests]), settings).reports[-1]
    sent = sent_of((shown, acted), settings).totals
    found = [moments for e in SETTINGS.experiment for moments in over(e, sent, low, high)[0].get()]
    assert found == report.arms and sum(arm.crossed for arm in found) > 0


def test_a_share_keeps_the_same_users_in_every_bucket() -> None:
    """Their totals whole, nobody else's; the reports are of everybody all the same."""
    log = made_log(2)
    whole, part = sent_of(log), sent_of(log, settings_with(0.4))
    names = [f"u{k}" for k in range(40)]
    mine = {
        name for name, is_kept in zip(names, kept(np.array(list(map(id_hash, names))), 0.4), strict=True) if is_kept
    }
    assert 8 < len(mine) < 24 and part.reports == whole.reports
    counted = [entry for entry in Oracle(SETTINGS, *log).counted if entry.shown["user_id"] in mine]
    for experiment in SETTINGS.experiment:
        moments, tables = over(experiment, part.totals, 0, 24_000)
        assert moments.get() == arms_of(experiment, counted, moments.columns, forget=False)
        hashes = set(hashed(np.array([id_hash(name) for name in mine])).tolist())
        assert all(set(table.users.tolist()) <= hashes for table in tables) and len(tables) == 12


@pytest.mark.parametrize("history", [{"user_totals_share": 0.0}, {"keep_user_totals": 0}])
def test_nothing_is_sent_where_nothing_is_kept(history: dict[str, Any]) -> None:
    """Share 0, or kept for no time."""
    given_history = SETTINGS.history.model_copy(update=history)
    out = sent_of(made_log(3), SETTINGS.model_copy(update={"history": given_history}))
    assert out.totals == [] and out.reports


def a_table(users: list[int], arms: list[int], flags: list[int], totals: list[list[int]]) -> TotalsTable:
    """Return a table."""
    return TotalsTable(
        np.array(users, np.uint64), np.array(arms, np.int16), np.array(flags, np.uint8), np.array(totals, np.int64)
    )


def test_totals_that_do_not_fit_the_settings_are_refused() -> None:
    """Another number of actions or an arm that is not there is another plan's table."""
    moments = RangeMoments(SETTINGS.experiment[0], SETTINGS.events)
    with pytest.raises(ValueError, match=r"totals must be of \['impression', 'click', 'like'\], got 2 quantities"):
        moments.update([a_table([1], [0], [3], [[1, 2]])])
    with pytest.raises(ValueError, match=r"arms must be those of \['a', 'b'\], got number 2"):
        moments.update([a_table([1], [2], [3], [[1, 2, 3]])])
    assert moments.get() == RangeMoments(SETTINGS.experiment[0], SETTINGS.events).get()


def test_moments_of_many_users_with_large_totals_are_exact() -> None:
    """Products beyond 64 bits, over many buckets and more users than a block holds: those of Python's whole numbers."""
    rng, experiment = np.random.default_rng(0), SETTINGS.experiment[0]
    moments, sums = RangeMoments(experiment, SETTINGS.events), {}
    for _ in range(5):
        users = np.unique(rng.integers(0, 70_000, 40_000))
        totals = rng.integers(0, 2**50, (len(users), 3))
        arms = (users % 2).astype(np.int16)
        moments.update([TotalsTable(users.astype(np.uint64), arms, np.full(len(users), 3, np.uint8), totals)])
        for user, row in zip(users.tolist(), totals.astype(object), strict=True):
            sums[user] = sums.get(user, 0) + row
    for arm in (0, 1):
        rows = np.stack([row for user, row in sums.items() if user % 2 == arm])
        found, count = moments.get()[arm], len(moments.columns)
        assert found.users == found.assigned == len(rows)
        assert [int(x) for x in found.sums[:3]] == list(rows.sum(axis=0))
        for q, p in product(range(3), repeat=2):
            assert int(found.products[q * count + p]) == int((rows[:, q] * rows[:, p]).sum())
