"""A small history of one experiment: raw events through a join and a publish shard into rows."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np
from sqlalchemy import Engine

from lis_online.events.windows_log import VERSION, JoinReport, RankBucket, WindowsRecord, decode, encode
from lis_online.history.rows import HistoryRow
from lis_online.history.writer import HistoryWriter
from lis_online.metrics.layout import Layout
from lis_online.records import MAX_TIME, Record
from lis_online.review.request import ReviewRequest
from lis_online.settings import Settings
from lis_online.shards.join import JoinShard
from lis_online.shards.publish import PublishShard
from tests.join.logs import feedback, impression, records
from tests.metrics.worlds import make_scored, make_statistics

MINUTE = 60_000
BUCKET = 10 * MINUTE
AT = 1_573_516_800_000
"""2019-11-12T00:00:00Z, a Tuesday."""
BUCKETS = 18
END = AT + BUCKETS * BUCKET
USERS = 600
TABLE: dict[str, Any] = {
    "events": {"attribution_window": "5m", "surfaces": ["feed"], "actions": ["click", "dwell"]},
    "leakage": {"horizon": "30m", "memory": "1h"},
    "metrics": {
        "bucket": "10m",
        "windows": ["1h", "6h"],
        "warm_up": "0s",
        "warm_up_samples": 0,
        "min_effective_users": 2,
        "min_positives": 1,
    },
    "history": {"rollup": "30m"},
    "variant": [{"name": "title", "preference": "coclick", "dimension": 4, "versions": 1}],
    "experiment": [
        {
            "name": "mllm-q4",
            "control": "control",
            "arm": [{"name": "control", "share": 0.5}, {"name": "treatment", "share": 0.5, "variant": "title"}],
            "metric": [
                {"name": "ctr", "kind": "ratio", "numerator": "click", "denominator": "impression"},
                {
                    "name": "dwell",
                    "kind": "mean",
                    "action": "dwell",
                    "guardrail": {"direction": "decrease", "margin": 0.05},
                },
            ],
        }
    ],
}
SETTINGS = Settings.of(TABLE)
ARMS = ("control", "treatment")
RATES = {"control": 0.15, "treatment": 0.45}


@cache
def events() -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Return impressions and feedback, each in order of time: users come again, and treatment clicks more."""
    rng = np.random.default_rng(7)
    shown, acted = [], []
    for number, ts in enumerate(sorted(AT + rng.integers(0, BUCKETS * BUCKET, 3 * USERS))):
        user = int(rng.integers(USERS))
        arm = ARMS[user % 2]
        request, name, items = f"r{number}", f"u{user}", [f"i{k}" for k in rng.choice(50, 4, replace=False)]
        shown.append(impression(request, name, int(ts), items, experiments={"mllm-q4": arm}))
        for item in items:
            if rng.random() < RATES[arm]:
                acted.append(feedback(request, name, int(ts) + 1_000, item))
                dwelt = round(float(rng.exponential(20)), 3)
                acted.append(feedback(request, name, int(ts) + 9_000, item, "dwell", value=dwelt))
    return shown, sorted(acted, key=lambda event: event["ts"])


def joined(
    shown: Sequence[dict[str, Any]], acted: Sequence[dict[str, Any]], of: Settings = SETTINGS
) -> list[WindowsRecord]:
    """Return what a join shard sends of these events to publish."""
    shard = JoinShard(of, 0)
    sent = [*shard.feed(records("impressions", shown, end=True)), *shard.feed(records("feedback", acted, end=True))]
    return [decode(outgoing.value) for outgoing in sent if outgoing.topic == "windows"]


def bucket(number: int, of: Settings = SETTINGS) -> RankBucket:
    """Return a bucket in which the leaked ranker sees more than the aligned one, and that more than the others."""
    layout = Layout.of(of)
    gains = {"leaked:coclick": 1.2, "aligned:title": 0.9}
    scored = make_scored(np.random.default_rng(number), layout, slates=40, users=200, gains=gains)
    start = AT + number * BUCKET
    data = make_statistics(layout, scored).encode()
    return RankBucket(VERSION, 0, number, start, start + BUCKET, 0, 1, data, number == BUCKETS - 1, AT, {}, 0)


@cache
def rows() -> tuple[HistoryRow, ...]:
    """Return the rows of the whole history."""
    return tuple(published(joined(*events())))


def published(sent: Sequence[WindowsRecord], of: Settings = SETTINGS) -> list[HistoryRow]:
    """Return the rows of what join shards sent, and of the rank group's buckets among it."""
    early = [one for one in sent if not isinstance(one, JoinReport) or one.revision < MAX_TIME]
    waiting, values = list(early), []
    for number in range(BUCKETS):
        end = AT + (number + 1) * BUCKET
        while waiting and (not isinstance(waiting[0], JoinReport) or waiting[0].revision <= end):
            values.append(waiting.pop(0))
        values.append(bucket(number, of))
    values[-1:-1] = [*waiting, *(one for one in sent if one not in early)]
    shard = PublishShard(of, Layout.of(of))
    shard.feed([Record("windows", 0, offset, -1, encode(value)) for offset, value in enumerate(values)])
    return shard.take_rows()


def write(engine: Engine, of: Settings = SETTINGS) -> None:
    """Write the history."""
    HistoryWriter(engine, of).write(rows())


def ask(experiment: str = "mllm-q4", start: int | None = None, end: int | None = None, **other: Any) -> ReviewRequest:
    """Return a request, of the slice "all" in UTC without `other`."""
    known = {"slice": "all", "zone": None, "configuration": None, "against": None, "made_at": END}
    return ReviewRequest(experiment=experiment, start=start, end=end, **{**known, **other})
