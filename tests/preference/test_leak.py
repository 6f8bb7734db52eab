"""The leak rule, event by event, against the sentence that states it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lis_online.preference.leak import AGEING_STEPS, PAST_ONLY, Leak

TIME = st.integers(-500, 5_000)
LEAKS = st.builds(Leak, st.integers(1, 300), st.integers(1, 900), st.integers(2, 6))


def sees(leak: Leak, t: int, reader: int, ts: int, fold: int) -> str:
    """Return what a pair is to a sample, by the words of the rule: past [t - P, t); future [t, t + H], other folds."""
    grid = max(1, leak.memory // 32)
    if ts < t:
        return "past" if ts >= (t - leak.memory) - (t - leak.memory) % grid else "forgotten"
    if fold == -1 or fold == reader:
        return "hidden"
    return "future" if ts - t <= leak.horizon else "unknown"


@given(LEAKS, TIME, st.integers(-1, 6), st.integers(0, 5), st.integers(-310, 310) | st.integers(-1000, 1000))
def test_a_pair_is_seen_as_the_rule_says(leak: Leak, t: int, fold: int, reader: int, offset: int) -> None:
    """Past, future, hidden or forgotten, to the millisecond, whoever reads; both ways of asking agree."""
    ts, fold, reader = t + offset, min(fold, leak.folds), reader % leak.folds
    known = sees(leak, t, reader, ts, fold)
    shown = leak.leaks(fold) and not (leak.is_withheld(fold) and fold == reader)
    assert (leak.past_start(t) <= ts < leak.past_end(t)) == (known == "past")
    assert (leak.past_end(t) <= ts < leak.future_end(t) and shown) == (known == "future")
    assert (t >= leak.passes(ts)) == (ts < leak.past_end(t))
    assert (t >= leak.comes(ts)) == (ts < leak.future_end(t))


@given(LEAKS)
def test_only_a_feed_users_pairs_are_withheld_and_only_from_their_fold(leak: Leak) -> None:
    """PAST_ONLY never leaks; a pair of `folds` leaks to everyone; any other to every fold but its own."""
    folds = np.arange(PAST_ONLY, leak.folds + 1)
    assert leak.leaks(folds).tolist() == [False] + [True] * (leak.folds + 1)
    assert leak.is_withheld(folds).tolist() == [False] + [True] * leak.folds + [False]


@given(LEAKS, TIME, st.integers(0, 400))
def test_cuts_are_the_times_at_which_the_past_forgets(leak: Leak, first: int, span: int) -> None:
    """In (first, last], found by asking at every millisecond."""
    times = range(first + 1, first + span + 1)
    assert leak.cuts(first, first + span) == [t for t in times if leak.past_start(t) != leak.past_start(t - 1)]


@given(LEAKS, TIME)
def test_the_memory_is_a_thirtysecond_too_long_at_most(leak: Leak, t: int) -> None:
    """The ageing grid rounds down, so nothing within the memory is forgotten, and little beyond it is kept."""
    assert leak.memory <= t - leak.past_start(t) < leak.memory + max(1, leak.memory / 32)
    assert AGEING_STEPS == 32 and leak.ageing == max(1, leak.memory // 32)


def test_a_pair_without_a_feed_user_has_no_readers_fold() -> None:
    """PAST_ONLY is no fold and is not the "everyone" of an independent source."""
    assert PAST_ONLY == -1


@pytest.mark.parametrize("kind", [int, np.array])
def test_times_may_be_numbers_or_arrays(kind: Any) -> None:
    """The sketch works by the same rule on whatever arrays it has."""
    leak = Leak(100, 3_200, 2)
    found = [leak.past_start(kind(950)), leak.past_end(kind(950)), leak.future_end(kind(950)), leak.comes(kind(950))]
    assert [int(x) for x in found] == [-2300, 950, 1051, 850] and int(leak.passes(kind(950))) == 951
