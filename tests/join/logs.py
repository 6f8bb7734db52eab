"""Made-up logs for the join, and what a shard makes of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec
from hypothesis import strategies as st

from lis_online.events import rank_log
from lis_online.events.batches import PairBatch, SlateBatch
from lis_online.events.rank_log import Block
from lis_online.events.windows_log import JoinReport, UserTotalsBucket, decode
from lis_online.events.wire import END_TICK
from lis_online.records import Outgoing, Record
from lis_online.settings import Settings
from lis_online.shards.join import JoinShard

TABLE: dict[str, Any] = {
    "events": {
        "actions": ["click", "like"],
        "attribution_window": "300ms",
        "allowed_lateness": "100ms",
        "max_ahead": "500ms",
        "history_length": 3,
        "user_idle_limit": "1500ms",
        "surfaces": ["feed", "ads"],
    },
    "metrics": {"bucket": "1s", "windows": ["1s"]},
    "preference": [
        {"name": "clicks", "gap": "400ms", "partners": 2},
        {"name": "likes", "actions": ["like"], "gap": "2s", "partners": 1},
        {"name": "any", "actions": ["click", "like"], "gap": "1s", "partners": 3},
        {"name": "search", "kind": "topic"},
    ],
    "variant": [
        {"name": "title", "preference": "clicks", "dimension": 2},
        {"name": "image", "preference": "search", "dimension": 3},
    ],
    "experiment": [
        {"name": "e", "control": "a", "arm": [{"name": "a", "share": 0.5}, {"name": "b", "share": 0.5}]},
    ],
}
SETTINGS = Settings.of(TABLE)

EXPERIMENTS = Settings.of(
    {
        **TABLE,
        "history": {"rollup": "2s"},
        "experiment": [
            {
                "name": "e",
                "control": "a",
                "arm": [{"name": "a", "share": 0.5}, {"name": "b", "share": 0.5}],
                "metric": [
                    {"name": "ctr", "kind": "ratio", "numerator": "click", "denominator": "impression", "cap": 2},
                    {"name": "likes", "kind": "mean", "action": "like", "cap": 1.5},
                    {"name": "clickers", "kind": "proportion", "action": "click"},
                ],
            },
            {
                "name": "f",
                "control": "x",
                "start": "1970-01-01T00:00:00.600Z",
                "trigger": {"surfaces": ["feed"], "items": ["i0", "i1", "i2"]},
                "arm": [{"name": "x", "share": 0.5}, {"name": "y", "share": 0.5}],
                "metric": [{"name": "clicks", "kind": "mean", "action": "click"}],
            },
        ],
    }
)
"""Caps, a share and a pre-period; a start and a trigger."""


def impression(
    request: str = "r1", user: str = "u1", ts: int = 1000, items: Sequence[str] = ("i1", "i2"), **more: Any
) -> dict[str, Any]:
    """Return an impression as it arrives."""
    return {
        "schema_version": 1,
        "request_id": request,
        "user_id": user,
        "ts": ts,
        "surface": "feed",
        "items": list(items),
        **more,
    }


def feedback(
    request: str = "r1", user: str = "u1", ts: int = 1100, item: str = "i1", action: str = "click", **more: Any
) -> dict[str, Any]:
    """Return feedback as it arrives."""
    return {
        "schema_version": 1,
        "request_id": request,
        "user_id": user,
        "item_id": item,
        "ts": ts,
        "action": action,
        **more,
    }


def preference(**more: Any) -> dict[str, Any]:
    """Return a preference record as it arrives."""
    pair = {"schema_version": 1, "source": "search", "item_a": "i1", "item_b": "i2", "user_id": "u1", "ts": 900}
    return {**pair, **more}


def representation(vector: Any = (0.5, -1), **more: Any) -> dict[str, Any]:
    """Return a representation record as it arrives."""
    given = {"schema_version": 1, "variant": "title", "version": "1", "item_id": "i1", "ts": 900, "vector": vector}
    return {**given, **more}


def records(topic: str, values: Iterable[Any], end: bool = False, timestamps: bool = True) -> list[Record]:
    """Return a partition's records; bytes are taken as they are. timestamps: Kafka's own, that of the event."""
    out = []
    for offset, value in enumerate([*values, *([END_TICK] if end else [])]):
        raw = value if isinstance(value, bytes) or value is None else msgspec.json.encode(value)
        timestamp = value["ts"] if timestamps and isinstance(value, dict) and isinstance(value.get("ts"), int) else -1
        out.append(Record(topic, 0, offset, timestamp, raw))
    return out


@dataclass
class Output:
    """What a shard sent, decoded and joined over blocks. windows: reports and users' totals in the order sent."""

    slates: list[tuple[Any, ...]] = field(default_factory=list)
    pairs: list[tuple[int, ...]] = field(default_factory=list)
    reports: list[JoinReport] = field(default_factory=list)
    totals: list[UserTotalsBucket] = field(default_factory=list)
    windows: list[JoinReport | UserTotalsBucket] = field(default_factory=list)
    letters: list[Outgoing] = field(default_factory=list)
    blocks: list[Block] = field(default_factory=list)


def output(sent: Iterable[Outgoing]) -> Output:
    """Return what was sent, after checking that blocks are numbered without gaps."""
    out = Output()
    for outgoing in sent:
        if outgoing.topic == "dead_letters":
            out.letters.append(outgoing)
        elif outgoing.topic == "windows":
            record = decode(outgoing.value)
            assert isinstance(record, JoinReport | UserTotalsBucket)
            out.windows.append(record)
            if isinstance(record, JoinReport):
                out.reports.append(record)
            else:
                out.totals.append(record)
        else:
            block = rank_log.decode(outgoing.value)
            assert isinstance(block, Block)
            assert (block.first_slate, block.first_pair) == (len(out.slates), len(out.pairs))
            out.blocks.append(block)
            out.slates += slate_rows(SlateBatch.decode(block.slates)) if block.slates else []
            out.pairs += pair_rows(PairBatch.decode(block.pairs)) if block.pairs else []
    return out


def run(*parts: list[Record], settings: Settings = SETTINGS) -> Output:
    """Feed whole partitions, one after the other."""
    shard = JoinShard(settings, 0)
    return output([sent for part in parts for sent in shard.feed(part)])


def slate_rows(batch: SlateBatch) -> list[tuple[Any, ...]]:
    """Return slates as tuples: (ts, request, user, surface, arms, items, labels, delays, history, ages)."""
    rows, item, entry = [], 0, 0
    for k in range(len(batch)):
        items, entries = slice(item, item + batch.n_items[k]), slice(entry, entry + batch.n_history[k])
        item, entry = items.stop, entries.stop
        rows.append(
            (
                *(int(column[k]) for column in (batch.ts, batch.request, batch.user, batch.surface)),
                batch.arm[k].tolist(),
                batch.item[items].tolist(),
                batch.label[items].tolist(),
                batch.delay[items].tolist(),
                batch.history[entries].tolist(),
                batch.history_age[entries].tolist(),
            )
        )
    return rows


def pair_rows(batch: PairBatch) -> list[tuple[int, ...]]:
    """Return pairs as tuples: (ts, source, item_a, item_b, user, click, weight)."""
    return [tuple(int(x) for x in row) for row in zip(*batch.columns().values(), strict=True)]


SERVED = [{}, {"e": "a"}, {"e": "b"}, {"e": "z"}, {"e": "a", "f": "y"}, {"f": "x"}, {"e": "b", "f": "x"}, {"e": "a"}]
"""What impressions carry: mostly one arm, so that not all users cross; z is none."""
ATTRIBUTES = {"i1": {"author": "ann", "created_ts": 3}, "i2": {"author": "bob", "category": "news"}}
_ids = st.integers(0, 5)


@st.composite
def partitions(draw: st.DrawFn) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Draw two partitions: mostly in order, with jitter, stragglers, duplicates, clicks that belong and that do not."""
    shown = []
    now = 0
    for _ in range(draw(st.integers(0, 12))):
        now += draw(st.sampled_from([0, 1, 40, 150, 700]))
        ts = max(0, now - draw(st.sampled_from([0, 0, 0, 50, 100, 101, 400])))
        shown.append(
            impression(
                f"r{draw(_ids)}",
                f"u{draw(st.integers(0, 2))}",
                ts,
                [f"i{i}" for i in draw(st.lists(_ids, min_size=1, max_size=3, unique=True))],
                surface=draw(st.sampled_from(["feed", "feed", "ads"])),
                experiments=draw(st.sampled_from(SERVED)),
                history=draw(st.sampled_from([[], ["i7", "i8"]])),
                **draw(st.sampled_from([{}, {}, {"item_attributes": ATTRIBUTES}])),
            )
        )
    acted = []
    for _ in range(draw(st.integers(0, 12))):
        if shown and draw(st.booleans()):
            seen = draw(st.sampled_from(shown))
            ts = seen["ts"] + draw(st.sampled_from([0, 1, 100, 300, 301, 420]))
            acted.append(feedback(seen["request_id"], seen["user_id"], ts, draw(st.sampled_from(seen["items"]))))
        else:
            ts = draw(st.integers(0, 3000))
            acted.append(feedback(f"r{draw(_ids)}", f"u{draw(st.integers(0, 2))}", ts, f"i{draw(_ids)}"))
        acted[-1]["action"] = draw(st.sampled_from(["click", "click", "like", "odd"]))
        acted[-1]["value"] = draw(st.sampled_from([1.0, 0.5, 2.25]))
    if draw(st.booleans()):
        acted.sort(key=lambda event: event["ts"] // 90)
    acted += draw(st.lists(st.sampled_from(acted), max_size=2)) if acted else []
    return shown, acted


def interleaved(draw: st.DrawFn, *parts: Sequence[Record]) -> list[list[Record]]:
    """Draw an interleaving of partitions, each in its own order, cut into batches."""
    left = [list(part) for part in parts]
    batches: list[list[Record]] = [[]]
    while any(left):
        part = draw(st.sampled_from([part for part in left if part]))
        count = draw(st.integers(1, 6))
        batches[-1] += part[:count]
        del part[:count]
        if draw(st.booleans()):
            batches.append([])
    return batches
