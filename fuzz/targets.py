"""What must hold of any input. A target takes chance and bytes, and raises where it does not.

Run by `fuzz/run.py` under atheris, and by `tests/events/test_fuzz.py` under Hypothesis.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from functools import cache
from random import Random
from typing import Any, Final

import msgspec
import numpy as np

from fuzz.hostile import NOW, TOPICS, Hostile
from lis_online.errors import BlockError, EventRefused, ReplayError, SettingsError
from lis_online.events import decode, rank_log, windows_log
from lis_online.events.batches import PairBatch, SlateBatch, VectorBatch
from lis_online.events.dead_letters import read_letter
from lis_online.events.event_time import event_time
from lis_online.events.reasons import REFUSED
from lis_online.events.recorded_log import read_lines
from lis_online.experiments import user_totals
from lis_online.metrics import alignment
from lis_online.records import Outgoing, Record
from lis_online.replay.routing import route
from lis_online.settings import Settings
from lis_online.shards.join import JoinShard

Target = Callable[[Random, bytes], None]
"""Takes what generates records, and bytes that are an input themselves."""

SETTINGS: Final = Settings.of(
    {
        "events": {
            "actions": ["click", "like"],
            "attribution_window": "300ms",
            "allowed_lateness": "100ms",
            "max_ahead": "500ms",
            "history_length": 3,
            "surfaces": ["feed", "ads"],
        },
        "metrics": {"bucket": "1s", "windows": ["1s"]},
        "preference": [{"name": "clicks", "gap": "400ms"}, {"name": "search", "kind": "topic"}],
        "variant": [{"name": "title", "preference": "clicks", "dimension": 2}],
        "experiment": [
            {"name": "e", "control": "a", "arm": [{"name": "a", "share": 0.5}, {"name": "b", "share": 0.5}]},
        ],
    }
)

DECODERS: Final[dict[str, Callable[[bytes], Any]]] = {
    "impressions": decode.decode_impression,
    "feedback": decode.decode_feedback,
    "representations": lambda value: decode.vector_of(decode.decode_representation(value), 2),
    "preferences": decode.decode_preference,
}


def _decoder_target(topic: str) -> Target:
    def target(chance: Random, data: bytes) -> None:
        """A value is decoded, or refused with a reason that is in the list and a short sentence."""
        for value in (data, Hostile(chance).record(topic)):
            try:
                DECODERS[topic](value)
            except EventRefused as refused:
                assert refused.reason in REFUSED, refused
                assert 0 < len(refused.detail) < 1000 and "\n" not in refused.detail, refused

    return target


def shard(chance: Random, data: bytes) -> None:
    """A join shard takes anything: each main record has one fate, and each dead letter is the record as it came."""
    hostile, join = Hostile(chance), JoinShard(SETTINGS, 0)
    records = _records(hostile, [(chance.choice(TOPICS), None) for _ in range(8)], [data])
    letters = [sent for sent in join.feed(records) if sent.topic == "dead_letters"]
    values = {(record.topic, record.offset): record.value for record in records}
    for letter in letters:
        found = read_letter(0, 0, letter.value, letter.key, letter.headers)
        assert found is not None and not isinstance(found, msgspec.Struct)
        assert found.reason in REFUSED
        assert (values[found.place.topic, found.place.offset] or b"")[: len(letter.value)] == letter.value


def mixed(chance: Random, data: bytes) -> None:
    """What comes of a good log is the same with refused records in it: only the counters of those differ."""
    hostile = Hostile(chance)
    ts = NOW
    good: list[tuple[str, bytes | None]] = []
    for _ in range(20):
        topic = chance.choice(("impressions", "feedback", "feedback", "representations", "preferences"))
        ts += chance.choice([0, 1, 40, 150, 700])
        good.append((topic, msgspec.json.encode(hostile.good(topic, ts))))
    bad = [(topic, value) for topic in TOPICS for value in (data, hostile.record(topic)) if _is_refused(topic, value)]
    bad += [hostile.misplaced(), hostile.misplaced()]
    both = list(good)
    for one in [*bad, (chance.choice(TOPICS), None)]:
        both.insert(chance.randrange(len(both) + 1), one)
    assert _outcome(good) == _outcome(both)


def recorded_log(chance: Random, data: bytes) -> None:
    """A recorded log is read line by line, or refused in a sentence at its first."""
    hostile = Hostile(chance)
    first = b'{"topic":"feedback","value":{}}'
    for lines in ([data], data.splitlines(), [first, *(hostile.line() for _ in range(4)), data]):
        with suppress(ReplayError):
            for topic, value in read_lines(lines, "log"):
                assert topic in TOPICS
                route(topic, value, 4)
                event_time(value)


def routes(chance: Random, data: bytes) -> None:
    """Any record has a key and a partition; any record of the dead-letter topic is read or passed over."""
    hostile = Hostile(chance)
    for topic in TOPICS:
        for value in (data, hostile.record(topic)):
            found = route(topic, value, 4)
            assert found.key and 0 <= found.partition < 4
            event_time(value)
    names = ("topic", "partition", "offset", "reason", "detail", "mark", "length")
    headers = [(name, data if chance.random() < 0.2 else str(chance.randrange(9)).encode()) for name in names]
    read_letter(0, 0, data, None, headers)


def internal(chance: Random, data: bytes) -> None:
    """Records of the internal topics are read, or a BlockError says that they cannot be."""
    hostile = Hostile(chance)
    for raw in (data, *(hostile.changed(seed) for seed in _blocks())):
        with suppress(BlockError):
            block = rank_log.decode(raw)
            if isinstance(block, rank_log.Block):
                for part, kind in ((block.slates, SlateBatch), (block.pairs, PairBatch)):
                    with suppress(BlockError):
                        kind.decode(hostile.changed(part))
                for side in block.side:
                    with suppress(BlockError):
                        (PairBatch if side.variant < 0 else VectorBatch).decode(hostile.changed(side.data))
    for raw in (data, *(hostile.changed(seed) for seed in _windows())):
        with suppress(BlockError):
            record = windows_log.decode(raw)
            if isinstance(record, windows_log.UserTotalsBucket):
                user_totals.decode(record.data)
    for read in (alignment.decode, user_totals.decode):
        with suppress(BlockError):
            read(data)


VALUES: Final = (
    *(None, True, 0, -1, 2**70, 1.5, float("nan"), float("inf"), "", "a", "10m", "9" * 5000 + "d", "\x00", "\ud800"),
    *([], [[]], {}, [{}], [1], ["a", "a"], {"a": 1}, "0ms", "²s", "auto", "x" * 10_000, "package.module:factory"),
)


def settings(chance: Random, data: bytes) -> None:
    """A table is settings, or every wrong key is named in a sentence."""
    table = SETTINGS.model_dump(mode="json") if chance.random() < 0.2 else {}
    schema = _setting_names()
    for _ in range(chance.randrange(1, 4)):
        section = chance.choice([*schema, "new"])
        name = chance.choice([*schema.get(section, ()), "new"])
        value = chance.choice([*VALUES, data.decode(errors="replace")])
        if chance.random() < 0.15:
            table[section] = value
        elif section in ("preference", "variant", "experiment"):
            table[section] = [{"name": "n", name: value}]
        elif isinstance(table.setdefault(section, {}), dict):
            table[section][name] = value
    try:
        Settings.of(table)
    except SettingsError as exc:
        assert exc.problems and "\n" not in str(exc).strip("\n"), exc


TARGETS: Final[dict[str, Target]] = {
    **{topic: _decoder_target(topic) for topic in TOPICS},
    "shard": shard,
    "mixed": mixed,
    "recorded_log": recorded_log,
    "routes": routes,
    "internal": internal,
    "settings": settings,
}


_UNCOMPARED: Final = (*REFUSED, "tombstone")
"""Fates of what has no effect."""


def _is_refused(topic: str, value: bytes) -> bool:
    try:
        DECODERS[topic](value)
    except EventRefused:
        return True
    return False


def _records(hostile: Hostile, wanted: list[tuple[str, bytes | None]], more: list[bytes]) -> list[Record]:
    values = [(topic, hostile.record(topic) if value is None else value) for topic, value in wanted]
    values += [(topic, value) for value in more for topic in TOPICS]
    return _numbered(values)


def _numbered(values: list[tuple[str, Any]]) -> list[Record]:
    """Return records with offsets; Kafka has them a second after the highest event time of a good log."""
    offsets = dict.fromkeys(TOPICS, 0)
    records = []
    for topic, value in values:
        records.append(Record(topic, 0, offsets[topic], NOW + 20_000, value))
        offsets[topic] += 1
    return records


def _outcome(values: list[tuple[str, Any]]) -> list[Any]:
    """Return slates, pairs, vectors and reports of a log and its end, without offsets and counts of refused records."""
    join = JoinShard(SETTINGS, 0)
    sent = join.feed(_numbered(values))
    for topic in ("impressions", "feedback"):
        sent += join.idle(topic)
    return [part for out in sent if out.topic != "dead_letters" for part in _parts(out)]


def _parts(out: Outgoing) -> list[Any]:
    if out.topic == "windows":
        report = windows_log.decode(out.value)
        if isinstance(report, windows_log.JoinReport):
            report.counts = {fate: n for fate, n in report.counts.items() if fate not in _UNCOMPARED}
        return [report]
    block = rank_log.decode(out.value)
    assert isinstance(block, rank_log.Block)
    sides = [(side.variant, side.data, side.versions) for side in block.side]
    return [block.slates, block.pairs, sides, block.watermark]


@cache
def _sent() -> tuple[Outgoing, ...]:
    """Return what a join shard sends of a small good log."""
    hostile = Hostile(Random(5))
    values = []
    for step in range(60):
        topic = TOPICS[step % 4]
        values.append((topic, msgspec.json.encode(hostile.good(topic, NOW + 40 * step))))
    return tuple(JoinShard(SETTINGS, 0).feed(_numbered(values)))


@cache
def _blocks() -> tuple[bytes, ...]:
    control = rank_log.Control(rank_log.VERSION, ["twin"]).encode()
    return (*(out.value for out in _sent() if out.topic == "samples"), control)


@cache
def _windows() -> tuple[bytes, ...]:
    tables = user_totals.encode(
        user_totals.TotalsTable(
            np.arange(3, dtype=np.uint64), np.zeros(3, np.int16), np.zeros(3, np.uint8), np.ones((3, 2), np.int64)
        )
    )
    bucket = windows_log.UserTotalsBucket(windows_log.VERSION, 0, "e", 0, 1, 0, 1, 3, tables)
    return (*(out.value for out in _sent() if out.topic == "windows"), windows_log.encode(bucket))


@cache
def _setting_names() -> dict[str, tuple[str, ...]]:
    fields: dict[str, tuple[str, ...]] = {}
    for section, field in Settings.model_fields.items():
        annotation: Any = field.annotation
        inner = next((a for a in getattr(annotation, "__args__", ()) if hasattr(a, "model_fields")), annotation)
        fields[section] = tuple(getattr(inner, "model_fields", ()))
    return fields
