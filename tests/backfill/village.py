"""The small simulated feed of the shards' tests, backfilled."""

from __future__ import annotations

from functools import cache
from typing import Any

import msgspec

from lis_online.backfill.beginning import records_from
from lis_online.backfill.run import Backfill, Backfilled
from lis_online.backfill.stretch import Stretch
from lis_online.history.rows import HistoryRow
from lis_online.mapping.codec import Codec
from lis_online.settings import Settings
from tests.shards.village import MINUTE, Log, feed, table

SETTINGS = Settings.of(table(history={"rollup": "4m"}))
"""With buckets of users' totals that are no longer than the others."""
BUCKET = SETTINGS.metrics.bucket


@cache
def times() -> tuple[int, int]:
    """Return the times of the first and the last impression, ms."""
    found = [event(value)["ts"] for topic, value in feed() if topic == "impressions"]
    return found[0], found[-1]


def event(value: bytes | None) -> dict[str, Any]:
    """Return a decoded record."""
    found: dict[str, Any] = msgspec.json.decode(value or b"")
    return found


def whole(settings: Settings = SETTINGS) -> Stretch:
    """Return the stretch that all impressions lie in."""
    first, last = times()
    return Stretch.of(settings, first, last + 1)


def middle(settings: Settings = SETTINGS) -> Stretch:
    """Return a stretch of two buckets that has some before and after it."""
    start = times()[0] // BUCKET * BUCKET + 4 * BUCKET
    return Stretch.of(settings, start, start + 2 * BUCKET)


def backfilled(
    stretch: Stretch, settings: Settings = SETTINGS, log: Log | None = None
) -> tuple[list[HistoryRow], Backfilled]:
    """Return the rows that a backfill writes, and what it says of them."""
    rows: list[HistoryRow] = []
    backfill = Backfill(settings, stretch, rows.extend)
    backfill.run(records_from(feed() if log is None else log, stretch.reads_from, Codec(SETTINGS.mapping).time))
    return rows, backfill.done


@cache
def calm() -> tuple[list[HistoryRow], Backfilled]:
    """Return the backfill of everything."""
    return backfilled(whole())


__all__ = ["BUCKET", "MINUTE", "SETTINGS", "Log", "backfilled", "calm", "event", "feed", "middle", "times", "whole"]
