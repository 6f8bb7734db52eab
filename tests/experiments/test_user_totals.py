"""Users' totals as bytes."""

from __future__ import annotations

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lis_online.errors import BlockError
from lis_online.events.hashing import fold_of, group_of, id_hash
from lis_online.experiments.user_totals import TotalsTable, decode, encode, encode_parts, hashed, kept, without

whole = st.one_of(st.integers(-(2**63), 2**63 - 1), st.integers(0, 9).map(lambda x: x * 10**6))


@st.composite
def tables(draw: st.DrawFn) -> TotalsTable:
    """Draw a table: none or a few users, with several rows each."""
    users = sorted(draw(st.lists(st.one_of(st.integers(0, 2**64 - 1), st.integers(0, 3)), max_size=8)))
    count, quantities = len(users), draw(st.integers(1, 3))
    column = st.lists(whole, min_size=count, max_size=count)
    arms = draw(st.lists(st.integers(0, 63), min_size=count, max_size=count))
    flags = draw(st.lists(st.integers(0, 3), min_size=count, max_size=count))
    totals = np.array([draw(column) for _ in range(quantities)], np.int64).T.reshape(count, quantities)
    return TotalsTable(np.array(users, np.uint64), np.array(arms, np.int16), np.array(flags, np.uint8), totals)


def rows(table: TotalsTable) -> list[list[int]]:
    """Return a table as numbers, after checking its types."""
    columns = (table.users, table.arms, table.flags, table.totals)
    assert [column.dtype for column in columns] == [np.uint64, np.int16, np.uint8, np.int64]
    parts = zip(*(column.tolist() for column in columns), strict=True)
    return [[user, arm, flag, *totals] for user, arm, flag, totals in parts]


@given(tables())
def test_a_table_comes_back_from_its_bytes(table: TotalsTable) -> None:
    """Empty, one row, users at both ends, totals of any sign and size."""
    assert rows(decode(encode(table))) == rows(table)


@given(tables(), st.sampled_from([1, 300, 10**6]))
def test_parts_hold_whole_users_and_add_up(table: TotalsTable, most: int) -> None:
    """In order, each with its count of users, and none larger than allowed but that of one user."""
    parts = encode_parts(table, most)
    found = [decode(data) for _, data in parts]
    assert [row for part in found for row in rows(part)] == rows(table)
    assert [users for users, _ in parts] == [len(set(part.users.tolist())) for part in found]
    held = [user for part in found for user in set(part.users.tolist())]
    assert len(held) == len(set(held))
    assert all(len(data) <= most or users == 1 for users, data in parts)


def test_a_large_table_is_cut_by_rows() -> None:
    """A million users never become bytes at once."""
    users = np.sort(hashed(np.arange(100_000)))
    count = len(users)
    table = TotalsTable(users, np.zeros(count, np.int16), np.full(count, 3, np.uint8), np.zeros((count, 2), np.int64))
    parts = encode_parts(table)
    assert [users for users, _ in parts] == [32_768, 32_768, 32_768, 1696]


def test_a_bucket_of_a_feed_takes_few_bytes_a_user() -> None:
    """20,000 users in 15 minutes, 7 quantities, dwell of any number of ms: of 8 to 9 bytes 6 are the user."""
    rng, count = np.random.default_rng(0), 20_000
    shown = rng.geometric(0.3, count)
    clicks = rng.binomial(shown, 0.2)
    rare = [rng.binomial(clicks, share) for share in (0.2, 0.1, 0.05)]
    dwell = np.rint(clicks * rng.lognormal(3, 1, count) * 1000) * 1000
    totals = np.stack([shown * 10**6, *(x * 10**6 for x in (clicks, *rare)), dwell, rare[2] * 1_500_000], axis=1)
    arms = rng.integers(0, 2, count).astype(np.int16)
    table = TotalsTable(np.sort(hashed(np.arange(count))), arms, np.full(count, 3, np.uint8), totals.astype(np.int64))
    assert 7 < len(encode(table)) / count < 10


def test_a_share_of_users_is_of_that_size_and_of_nothing_else() -> None:
    """Independent of folds and jackknife groups; a larger share holds the smaller one."""
    users = np.array([id_hash(f"u{k}") for k in range(20_000)])
    tenth, half = kept(users, 0.1), kept(users, 0.5)
    assert not kept(users, 0.0).any() and kept(users, 1.0).all() and not (tenth & ~half).any()
    assert tenth.mean() == pytest.approx(0.1, abs=0.01) and half.mean() == pytest.approx(0.5, abs=0.02)
    for groups in (fold_of(users, 8), group_of(users, 8)):
        by_group = np.bincount(groups, half, 8) / np.bincount(groups)
        np.testing.assert_allclose(by_group, 0.5, atol=0.04)
    top = (hashed(users) >> np.uint64(63)).astype(bool)
    assert half[top].mean() == pytest.approx(0.5, abs=0.03)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({0: 2}, "users' totals must have version 1, got 2"),
        ({1: -1}, "users' totals must have a unit for each quantity, got 2 in -1 rows"),
        ({5: [1]}, "users' totals must have a unit for each quantity, got 1 in 1 rows"),
        ({1: 2}, "counts cannot be read: they are 1 numbers, not 2"),
        ({2: b"x"}, "counts cannot be read"),
        ({2: 7}, "users' totals cannot be read"),
    ],
)
def test_other_bytes_are_refused(change: dict[int, object], sentence: str) -> None:
    """Argument, rule, value, as an error of the windows topic."""
    zeros = np.zeros(1, np.uint8)
    table = TotalsTable(zeros.astype(np.uint64), zeros.astype(np.int16), zeros, np.zeros((1, 2), np.int64))
    fields = msgspec.msgpack.decode(encode(table))
    for place, value in change.items():
        fields[place] = value
    with pytest.raises(BlockError, match=sentence):
        decode(msgspec.msgpack.encode(fields))


@given(tables(), st.lists(st.integers(0, 3), max_size=3), st.booleans())
def test_without_some_users_is_the_table_of_the_others(table: TotalsTable, chosen: list[int], some: bool) -> None:
    """Of users that it does not hold nothing is decoded but their names, and nothing comes back."""
    users = np.array(chosen + (table.users[:2].tolist() if some else []), np.uint64)
    left = without(encode(table), users)
    held = set(table.users.tolist()) & set(users.tolist())
    if left is None:
        assert not held
        return
    kept_rows, gone = left
    assert gone == len(held) > 0
    assert rows(kept_rows) == [row for row in rows(table) if row[0] not in held]


def test_other_bytes_are_refused_without_too() -> None:
    """As by `decode`."""
    with pytest.raises(BlockError, match="cannot be read"):
        without(b"x", np.zeros(1, np.uint64))
