"""Which buckets a backfill writes, and from when on it reads."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lis_online.backfill.stretch import Stretch, reach
from lis_online.errors import UsageError
from lis_online.settings import Settings
from tests.history.streams import make_row

SETTINGS = Settings.of({})
AT = 1_750_000_020_000
assert not AT % 60_000
MINUTE = 60_000


@given(start=st.integers(10**12, 2 * 10**12), length=st.integers(1, 10**9))
def test_a_range_is_rounded_outward_to_whole_buckets(start: int, length: int) -> None:
    """No sample that was asked for is left out, and less than a bucket is added at each end."""
    stretch = Stretch.of(SETTINGS, start, start + length)
    assert stretch.start % MINUTE == stretch.end % MINUTE == 0
    assert 0 <= start - stretch.start < MINUTE and 0 <= stretch.end - (start + length) < MINUTE
    assert stretch.start - stretch.reads_from == reach(SETTINGS)


@pytest.mark.parametrize("end", [AT, AT - 1])
def test_a_range_that_is_empty_is_refused(end: int) -> None:
    """The sentence names both ends."""
    with pytest.raises(UsageError, match=r"--from must be before --to, got 2025-06-15T15:07:00Z and 2025-06-15T15:0"):
        Stretch.of(SETTINGS, AT, end)


def test_with_experiments_it_is_whole_buckets_of_users_totals() -> None:
    """Whose lifts over the stretch would miss the users of a part of one."""
    arms = [{"name": "a", "share": 0.5}, {"name": "b", "share": 0.5}]
    settings = Settings.of({"experiment": [{"name": "e", "control": "a", "arm": arms}]})
    stretch = Stretch.of(settings, AT, AT + 1)
    assert str(stretch) == "2025-06-15T15:00:00Z to 2025-06-15T15:15:00Z"


def test_reading_begins_with_the_memory_the_horizon_and_the_longest_gap() -> None:
    """The first pair of the warm-up has a click a gap earlier, on an impression that is older still."""
    sources = [{"name": "short", "gap": "10m"}, {"name": "long", "gap": "2h"}, {"name": "other", "kind": "topic"}]
    leakage = {"memory": "3h", "horizon": "30m"}
    settings = Settings.of({"preference": sources, "leakage": leakage, "events": {"attribution_window": "5m"}})
    assert reach(settings) == (180 + 30 + 120 + 5) * MINUTE


def test_a_row_belongs_to_the_stretch_that_holds_its_bucket() -> None:
    """A bucket that ends with the beginning is before it, one that ends with the end is in it."""
    stretch = Stretch.of(SETTINGS, AT, AT + 2 * MINUTE)
    held = [stretch.holds(make_row(AT + (k - 1) * MINUTE, seed=0)) for k in range(4)]
    assert held == [False, True, True, False]
