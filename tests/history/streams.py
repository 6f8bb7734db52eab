"""Streams of buckets for the tests of the history: small settings, random statistics, what a publish shard knows."""

from __future__ import annotations

import numpy as np

from lis_online.events.windows_log import SlotVersion
from lis_online.history import bucket_state
from lis_online.history.bucket_state import BucketState, Learning
from lis_online.history.rows import BucketRow
from lis_online.metrics.layout import Layout
from lis_online.metrics.statistics import Statistics
from lis_online.settings import Settings
from tests.metrics.worlds import make_scored

MINUTE = 60_000
AT = 1_573_516_800_000
"""2019-11-12T00:00:00Z, a Tuesday."""
TABLE = {
    "events": {"surfaces": ["feed"]},
    "variant": [{"name": "v", "preference": "coclick", "dimension": 4, "versions": 2}],
    "metrics": {"warm_up": "0s", "min_effective_users": 2, "min_positives": 1},
}
SETTINGS = Settings.of(TABLE)
LAYOUT = Layout.of(SETTINGS)
FIRST = [SlotVersion("v", "1", 0, 0, newest=True)]


def make_bucket(seed: int, slots: tuple[int, ...] = (0,)) -> Statistics:
    """Return the statistics of a few slates: of a bucket in which some slots are in use."""
    layout = LAYOUT.take(list(slots))
    statistics = Statistics(layout)
    statistics.update(make_scored(np.random.default_rng(seed), layout, slates=6, users=30, size=6))
    return statistics


def make_row(
    start: int,
    seed: int,
    *,
    slots: tuple[int, ...] = (0,),
    state: BucketState | None = None,
    group: int = 0,
    revision: int = 1,
) -> BucketRow:
    """Return a bucket's row of a minute."""
    made = make_bucket(seed, slots)
    known = bucket_state.encode(state or plain_state())
    return BucketRow(start, start + MINUTE, group, made.samples, made.encode(), revision, known)


def plain_state(
    versions: list[SlotVersion] | None = None,
    restarted: dict[str, int] | None = None,
    learning: dict[str, Learning] | None = None,
    first: int = AT,
) -> BucketState:
    """Return what is known where nothing has happened."""
    return BucketState(first, versions or FIRST, restarted or {}, {}, learning or {})
