"""What Kafka still has, as a backfill reads it: on Apache Kafka, and without a broker."""

from __future__ import annotations

from itertools import accumulate
from pathlib import Path

import pytest
from kafka import KafkaAdminClient, TopicPartition

from lis_online.backfill.run import Backfill
from lis_online.errors import ReplayError, TopicError
from lis_online.events.topics import MAIN
from lis_online.events.wire import END_TICK
from lis_online.history.rows import HistoryRow, UserTotalsRow
from lis_online.records import MAX_TIME, Record
from lis_online.replay import retained
from lis_online.replay.pacing import Pace
from lis_online.replay.producer import Replay, producer_of
from lis_online.replay.retained import read_retained
from lis_online.settings import Settings
from streams.topics import create_topics
from tests.backfill.village import backfilled, event, feed, middle
from tests.fixtures.kafka import KafkaBroker, settings_of
from tests.shards.village import table

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(120)]


@pytest.fixture
def settings(kafka_broker: KafkaBroker, tmp_path: Path) -> Settings:
    """The village's settings, with topics of three partitions that hold its feed."""
    tables = {
        name: section for name, section in table().items() if name not in ("kafka", "history", "checkpoints", "http")
    }
    settings = settings_of(kafka_broker, tmp_path, **tables, kafka={"partitions": 3}, history={"rollup": "4m"})
    create_topics(settings)
    producer = producer_of(settings.kafka)
    Replay(settings.kafka, producer, Pace(None)).run(feed())
    producer.close()
    return settings


def by_partition(records: list[Record]) -> dict[tuple[str, int], list[bytes | None]]:
    """Return the values of each partition in the order they came."""
    found: dict[tuple[str, int], list[bytes | None]] = {}
    for record in records:
        found.setdefault((record.topic, record.partition), []).append(record.value)
    return found


def merged(rows: list[HistoryRow]) -> list[HistoryRow]:
    """Return the rows but for users' totals, which each join shard has of its own users."""
    return [row for row in rows if not isinstance(row, UserTotalsRow)]


def test_a_backfill_from_kafka_is_one_from_the_recorded_log(settings: Settings) -> None:
    """Every number, bucket, arm and lift, though three join shards read three partitions of each topic."""
    rows: list[HistoryRow] = []
    stretch = middle(settings)
    run = Backfill(settings, stretch, rows.extend, shards=3, judge_clock="record")
    run.run(read_retained(settings, stretch.reads_from, stretch.closes(settings)))
    assert merged(rows) == merged(backfilled(stretch)[0]) != []


def test_every_record_comes_once_in_its_partitions_order(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where each is fetched many times, in turn with others; main ones end with a tick, and vectors come first."""
    monkeypatch.setattr(retained, "CHUNK", 10_000)
    records = list(read_retained(settings, 0, MAX_TIME))
    values = by_partition(records)
    assert sorted(value or b"" for of_one in values.values() for value in of_one if value != END_TICK) == sorted(
        value or b"" for _, value in feed()
    )
    for (topic, _), found in values.items():
        assert (found[-1] == END_TICK) == (topic in MAIN) and END_TICK not in found[:-1]
        sent = [value for name, value in feed() if name == topic]
        places = [sent.index(value) for value in found if value != END_TICK]
        assert places == sorted(places)
    kinds = [record.topic for record in records]
    assert set(kinds[: kinds.count("representations")]) == {"representations"}


def lag(times: list[int]) -> int:
    """Return how far behind the latest time so far any of them is."""
    return max(latest - time for latest, time in zip(accumulate(times, max), times, strict=True))


def test_partitions_are_merged_by_event_time(settings: Settings) -> None:
    """Together they are no more in disorder than each is alone, so little waits for the slowest."""
    records = [one for one in read_retained(settings, 0, MAX_TIME) if one.topic != "representations"]
    times: dict[tuple[str, int], list[int]] = {}
    for record in records:
        if record.value != END_TICK:
            times.setdefault((record.topic, record.partition), []).append(event(record.value)["ts"])
    merged = [event(record.value)["ts"] for record in records if record.value != END_TICK]
    assert lag(merged) == max(map(lag, times.values()))


def test_reading_begins_at_a_time_and_leaves_later_vectors_out(settings: Settings) -> None:
    """What happened before is passed over, wherever it lies in Kafka; a vector of later is in nobody's number."""
    stretch = middle(settings)
    records = [one for one in read_retained(settings, stretch.start, stretch.start) if one.value != END_TICK]
    expected = [
        value for topic, value in feed() if (event(value)["ts"] < stretch.start) == (topic == "representations")
    ]
    assert sorted(record.value or b"" for record in records) == sorted(value or b"" for value in expected)


def test_records_that_retention_took_are_missed(settings: Settings) -> None:
    """Refused with the time from which there is something; --partial takes what there is."""
    admin = KafkaAdminClient(bootstrap_servers=settings.kafka.bootstrap)
    admin.delete_records({TopicPartition(settings.kafka.impressions, 1): 5})
    admin.close()
    with pytest.raises(
        ReplayError, match=rf"got what was sent from 20\S+Z on in {settings.kafka.impressions}: begin later"
    ):
        list(read_retained(settings, 0, MAX_TIME))
    shown = [one for one in read_retained(settings, 0, MAX_TIME, partial=True) if one.topic == "impressions"]
    assert min(one.offset for one in shown if one.partition == 1) == 5
    assert min(one.offset for one in shown if one.partition == 0) == 0


def test_another_number_of_partitions_is_refused(settings: Settings) -> None:
    """Users would be in another shard than live."""
    other = settings.model_copy(update={"kafka": settings.kafka.model_copy(update={"partitions": 2})})
    with pytest.raises(TopicError, match=r"must have 2 partition\(s\) \(kafka.partitions\), got 3"):
        list(read_retained(other, 0, MAX_TIME))
