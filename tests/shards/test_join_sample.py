"""A join shard that sheds load: no slates of users outside the sample, and all else as ever."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as tries
from hypothesis import strategies as st
from scipy.stats import chisquare

from lis_online.errors import SettingsError
from lis_online.events.hashing import fold_of, group_of, id_hash, is_sampled, mix
from lis_online.experiments.user_totals import kept
from lis_online.settings import Settings
from lis_online.shards.join import JoinShard
from tests.join.logs import EXPERIMENTS, Output, output, partitions, records

USERS = np.array([id_hash(f"u{k}") for k in range(20_000)], np.int64)


def run(log: tuple[list[Any], list[Any]], share: float) -> Output:
    """Return what comes of a log of which a share of the users is ranked."""
    events = EXPERIMENTS.events.model_copy(update={"user_sample": share})
    shard = JoinShard(EXPERIMENTS.model_copy(update={"events": events}), 0)
    shown, acted = log
    parts = (records("impressions", shown, end=True), records("feedback", acted, end=True))
    return output([sent for part in parts for sent in shard.feed(part)])


@tries(max_examples=100, deadline=None)
@given(partitions(), st.sampled_from([0.01, 0.3, 0.5, 0.9]))
def test_only_the_slates_of_others_are_missing(log: Any, share: float) -> None:
    """Pairs, arms, users' totals and counts are those of all users: shedding changes what is learnt from, no data."""
    everyone, some = run(log, 1.0), run(log, share)
    assert some.slates == [slate for slate in everyone.slates if is_sampled(slate[2], share)]
    assert some.pairs == everyone.pairs
    assert some.totals == everyone.totals
    assert [report.arms for report in some.reports] == [report.arms for report in everyone.reports]
    counts = dict(some.reports[-1].counts)
    assert counts.pop("shed", 0) == len(everyone.slates) - len(some.slates)
    assert counts == everyone.reports[-1].counts


@pytest.mark.parametrize("share", [0.03, 0.25, 0.5, 0.99])
def test_sample_is_of_its_size_and_grows_by_users_alone(share: float) -> None:
    """A larger share keeps the users of a smaller one: their history in the rankers goes on."""
    drawn = np.array([is_sampled(user, share) for user in USERS.tolist()])
    assert abs(drawn.mean() - share) < 4 * (share * (1 - share) / len(USERS)) ** 0.5
    assert all(is_sampled(user, share + 0.01) for user in USERS[drawn].tolist())
    assert all(is_sampled(user, 1.0) for user in USERS.tolist())


def test_sample_is_drawn_by_the_hash_of_the_columns() -> None:
    """In Python's integers, for one user, what numpy gives for many."""
    share = 0.4
    drawn = mix(USERS, salt=20) < np.uint64(share * 2**64)
    assert drawn.tolist() == [is_sampled(user, share) for user in USERS.tolist()]


def test_sample_has_its_share_of_every_fold_group_and_kept_user() -> None:
    """Nothing else that goes by a user's hash is thinned unevenly: leaks, standard errors, users' totals."""
    drawn = np.array([is_sampled(user, 0.25) for user in USERS.tolist()])
    for cells in (fold_of(USERS, 8), group_of(USERS, 32), kept(USERS, 0.25).astype(np.int64)):
        sizes = np.bincount(cells)
        seen = np.bincount(cells[drawn], minlength=len(sizes))
        assert chisquare(seen, sizes * drawn.sum() / sizes.sum()).pvalue > 1e-4


def test_settings_refuse_an_empty_sample() -> None:
    """Nothing would ever be measured."""
    with pytest.raises(SettingsError, match="user_sample"):
        Settings.of({"events": {"user_sample": 0}})
