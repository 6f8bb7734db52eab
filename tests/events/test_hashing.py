"""Hashes that everything depends on: the same in every process, version and machine."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lis_online.events.hash_loop import hashed, mixed
from lis_online.events.hashing import NO_ID, fold_of, group_of, id_hash, mix

MASK = 2**64 - 1
WHOLE = st.integers(-(2**63), 2**63 - 1)


def splitmix(value: int, salt: int) -> int:
    """Return splitmix64 in Python's own whole numbers."""
    x = (value + 0x9E3779B97F4A7C15 * (salt + 1)) & MASK
    x = ((x ^ (x >> 30)) * 0xBF58476D1CE4E5B9) & MASK
    x = ((x ^ (x >> 27)) * 0x94D049BB133111EB) & MASK
    return x ^ (x >> 31)


@given(st.lists(WHOLE, max_size=5), st.integers(0, 2**16))
def test_mix_is_splitmix(values: list[int], salt: int) -> None:
    """Steele, Lea and Flood (2014), figure 13, each salt a stream of its own."""
    assert mix(np.array(values, np.int64), salt).tolist() == [splitmix(value, salt) for value in values]


@given(st.lists(WHOLE, max_size=5), st.integers(0, 2**16), st.integers(1, 5_000))
def test_loops_mix_as_arrays_do(values: list[int], salt: int, count: int) -> None:
    """A fold, group or donor does not depend on where it was computed."""
    array = np.array(values, np.int64)
    expected = mix(array, salt)
    assert [int(mixed(value, salt)) for value in array] == expected.tolist()
    assert hashed(array, salt, count).tolist() == (expected % np.uint64(count)).tolist()


def test_mix_gives_the_published_numbers() -> None:
    """The first output of the reference implementation from seed 0 (Vigna's splitmix64.c)."""
    assert mix(np.array([0])).tolist() == [0xE220A8397B1DCDAF]


@given(WHOLE, st.integers(2, 64))
def test_folds_and_groups_are_independent_streams_of_it(user: int, count: int) -> None:
    """Fold by salt 1, jackknife group by salt 2."""
    users = np.array([user])
    assert fold_of(users, count).tolist() == [splitmix(user, 1) % count]
    assert group_of(users, count).tolist() == [splitmix(user, 2) % count]


@pytest.mark.parametrize(("text", "expected"), [("u7", 59528993336072672), ("", -5426141060434712860)])
def test_an_id_has_the_same_hash_for_ever(text: str, expected: int) -> None:
    """Checkpoints and logs hold these numbers."""
    assert id_hash(text) == expected


@given(st.text())
def test_no_id_is_zero(text: str) -> None:
    """0 stands for no id."""
    assert id_hash(text) != NO_ID == 0
