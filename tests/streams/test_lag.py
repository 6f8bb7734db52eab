from __future__ import annotations

import threading
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st
from kafka import KafkaProducer

from lis_online.errors import BrokerError
from lis_online.events.topics import topic_names
from lis_online.exporter.health import WorkerHealth
from lis_online.settings import Settings
from streams.lag import LagWatch, Log, Part, ends, lags
from streams.topics import create_topics
from tests.fixtures.kafka import free_port


@given(st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30), st.integers(0, 40)), min_size=1, max_size=4))
def test_lag_is_the_number_of_offsets_that_are_there_and_not_applied(parts: list[tuple[int, int, int]]) -> None:
    """Counted one by one, over the topics of a shard; an applied offset beyond the end leaves none."""
    logs = {(f"t{k}", 0): Log(begin, begin + length) for k, (begin, length, _) in enumerate(parts)}
    given_parts = [Part("join", f"t{k}", 0, applied) for k, (_, _, applied) in enumerate(parts)]
    counted = sum(1 for begin, length, applied in parts for offset in range(begin, begin + length) if offset >= applied)
    assert lags(given_parts, logs) == {("join", 0): counted}


def test_shards_of_several_roles_and_partitions_are_kept_apart() -> None:
    """Each has its own series."""
    logs = {("impressions", 0): Log(0, 5), ("impressions", 1): Log(0, 7), ("samples", 0): Log(0, 9)}
    parts = [Part("join", "impressions", 0, 1), Part("join", "impressions", 1, 1), Part("rank", "samples", 0, 9)]
    assert lags(parts, logs) == {("join", 0): 4, ("join", 1): 6, ("rank", 0): 0}


class Answers:
    """Brokers that answer what a test says; an exception is raised."""

    def __init__(self, *answers: dict[tuple[str, int], Log] | Exception) -> None:
        self._answers = iter(answers)

    def __call__(self, places: object) -> dict[tuple[str, int], Log]:
        """Return the next answer."""
        answer = next(self._answers)
        if isinstance(answer, Exception):
            raise answer
        return answer


def worker() -> WorkerHealth:
    """Return the health of a worker with one shard."""
    health = WorkerHealth(lambda: 0.0)
    health.assigned("join", 0)
    return health


def lag(health: WorkerHealth) -> int | None:
    """Return the lag of its one shard."""
    [shard] = health.get()
    return shard.lag


PARTS = [Part("join", "impressions", 0, 20)]


@pytest.mark.parametrize("error", [BrokerError("no broker"), OSError("gone"), KeyError("a defect")])
def test_lag_is_not_known_while_brokers_do_not_answer(error: Exception) -> None:
    """The last figure would hide the outage; and whatever happened, the next look tries again."""
    health = worker()
    watch = LagWatch(
        health, lambda: PARTS, Answers({("impressions", 0): Log(0, 50)}, error, {("impressions", 0): Log(0, 60)})
    )
    seen = []
    for _ in range(3):
        watch.look()
        seen.append(lag(health))
    assert seen == [30, None, 40]


def test_a_shard_that_has_gone_meanwhile_does_not_come_back() -> None:
    """The answer of a broker may be older than a rebalance: two workers would report one shard."""
    health = worker()

    def parts() -> list[Part]:
        health.revoked("join", 0)
        return PARTS

    LagWatch(health, parts, Answers({("impressions", 0): Log(0, 50)})).look()
    assert health.get() == ()


def test_it_looks_at_once_and_again_until_its_end() -> None:
    """On a thread of its own: nothing that stops a consumer stops it."""
    looked = threading.Semaphore(0)

    def parts() -> list[Part]:
        looked.release()
        return PARTS

    with LagWatch(worker(), parts, Answers(*[{("impressions", 0): Log(0, 50)}] * 10_000), every=0.001):
        assert all(looked.acquire(timeout=5) for _ in range(3))
    assert "lag" not in {thread.name for thread in threading.enumerate()}


def test_a_shard_that_has_come_is_asked_for_before_the_next_look(monkeypatch: pytest.MonkeyPatch) -> None:
    """After a rebalance an alert must not wait a whole interval to know a shard."""
    monkeypatch.setattr("streams.lag.GLANCES", 360_000)  # in an hour
    here: list[Part] = []
    known = threading.Event()

    def ask(places: object) -> dict[tuple[str, int], Log]:
        known.set()
        return {("impressions", 0): Log(0, 50)}

    with LagWatch(worker(), lambda: list(here), ask, every=3_600):
        here += PARTS
        assert known.wait(5)


@pytest.mark.kafka
def test_lag_of_a_consumer_that_is_behind_through_an_outage(kafka_settings: Settings) -> None:
    """Against Apache Kafka: what was sent less what is applied; not known while nobody answers; known again after."""
    create_topics(kafka_settings)
    topic = topic_names(kafka_settings.kafka)["impressions"]
    producer = KafkaProducer(bootstrap_servers=kafka_settings.kafka.bootstrap)
    for number in range(25):
        producer.send(topic, b"%d" % number, partition=1)
    producer.flush()
    producer.close()
    parts = [Part("join", topic, 0, 0), Part("join", topic, 1, 5)]
    health = WorkerHealth(lambda: 0.0)
    health.assigned("join", 0)
    health.assigned("join", 1)
    there, gone = (
        kafka_settings.kafka,
        kafka_settings.kafka.model_copy(update={"bootstrap": f"127.0.0.1:{free_port()}"}),
    )
    seen = []
    for settings in (there, gone, there):
        LagWatch(health, lambda: parts, partial(ends, settings)).look()
        seen.append([shard.lag for shard in health.get()])
    assert seen == [[0, 20], [None, None], [0, 20]]
