"""A running system keeps no id of a user in clear, and forgets the users who ask it to."""

from __future__ import annotations

import json
import signal
from collections.abc import Iterator
from copy import copy
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from sqlalchemy import Engine, text

from lis_online.checkpoints.store import CheckpointStore
from lis_online.events.person_hashes import PersonHashes
from lis_online.events.topics import topic_names
from lis_online.experiments.user_totals import decode, hashed
from lis_online.replay.pacing import Pace
from lis_online.replay.producer import Replay, producer_of
from lis_online.settings import Settings
from lis_online.simulate.recorded import generate
from lis_online.simulate.scenarios import scenario
from lis_online.simulate.toml import to_toml
from streams.topics import create_topics
from tests.cli.terminal import Terminal
from tests.fixtures.kafka import KafkaBroker, free_port, table_of
from tests.privacy.places import holding, in_files, in_tables, records_of
from tests.shards.test_join_forgetting import numbers
from tests.streams.processes import wait_until
from tests.streams.test_parity import LiveWorker, lags

pytestmark = [pytest.mark.kafka, pytest.mark.postgres, pytest.mark.timeout(280)]

MARK = "person-"
"""What every user's id begins with, and nothing else."""

Log = list[tuple[str, dict[str, Any]]]


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Terminal:
    """A terminal."""
    return Terminal(monkeypatch, capfd)


@pytest.fixture
def table(kafka_broker: KafkaBroker, tmp_path: Path, postgres_url: str, history_engine: Engine) -> dict[str, Any]:
    """The demo's settings with a key, two partitions and a history whose users' totals come every two minutes."""
    shown = ("events", "leakage", "preference", "variant", "experiment")
    settings = {name: copy(section) for name, section in scenario("demo").settings.items() if name in shown}
    settings["leakage"]["sketch_bits"] = 12
    return table_of(
        kafka_broker,
        tmp_path,
        **settings,
        http={"port": free_port()},
        history={"url": postgres_url, "rollup": "2m"},
        metrics={"warm_up": "1s", "bucket": "1m", "windows": ["15m"]},
        training={"user_bits": 10, "item_bits": 10},
        privacy={"user_key": "a key of twenty-four byt"},
    )


@pytest.fixture
def worker(table: dict[str, Any], tmp_path: Path) -> Iterator[LiveWorker]:
    """A worker on empty topics; it is not left behind."""
    create_topics(Settings.of(table))
    started = LiveWorker(table, tmp_path, seed=1, module="tests.privacy.debug_worker")
    yield started
    started.process.kill()
    started.process.wait()


def feed() -> Log:
    """Return a simulated feed whose users have ids to be recognised by."""
    log = [(topic, json.loads(value)) for _, topic, value in generate(scenario("demo"), 400, seed=5)]
    for topic, event in log:
        if topic in ("impressions", "feedback"):
            event["user_id"] = MARK + event["user_id"]
    return log


def refused(user: str) -> list[tuple[str, bytes]]:
    """Return records of a user that no shard can use, each for another reason."""
    good = {"schema_version": 1, "request_id": "r", "user_id": user, "ts": 0, "surface": "feed", "items": ["i1"]}
    ill = [{"items": []}, {"items": ["i1", "i1"]}, {"ts": 2**60}, {"schema_version": 9}, {"positions": [1, 2]},
           {"request_id": ""}, {"history": [""]}, {"items": [user] * 2}, {"ts": 2**52}, {"surface": 5}]  # fmt: skip
    records = [("impressions", json.dumps({**good, **one}).encode()) for one in ill]
    pair = {"schema_version": 1, "source": "x", "item_a": "a", "item_b": "b", "user_id": user, "ts": 0}
    return [*records, ("feedback", json.dumps(good).encode()), ("preferences", json.dumps(pair).encode()),
            ("feedback", b'{"user_id": "' + user.encode()), ("feedback", user.encode())]  # fmt: skip


def chosen(log: Log, cut: int) -> str:
    """Return a user with a stored past and an open impression at a place of the log."""
    shown = [event for topic, event in log[:cut] if topic == "impressions"]
    first, last = shown[0]["ts"], shown[-1]["ts"]
    early = {event["user_id"] for event in shown if event["ts"] < first + 60_000}
    return next(
        event["user_id"] for event in reversed(shown) if event["user_id"] in early and event["ts"] > last - 40_000
    )


def send(settings: Settings, log: list[tuple[str, bytes | None]], finish: bool = False) -> None:
    """Send a log as fast as it goes."""
    producer = producer_of(settings.kafka)
    Replay(settings.kafka, producer, Pace(None)).run(log, finish=finish)
    producer.close()


def encoded(log: Log) -> list[tuple[str, bytes | None]]:
    """Return a log as it is sent."""
    return [(topic, msgspec.json.encode(event)) for topic, event in log]


def stored_names(engine: Engine) -> set[int]:
    """Return every user in the stored totals."""
    with engine.connect() as connection:
        blobs = connection.execute(text("SELECT data FROM user_totals")).scalars().all()
    return {name for blob in blobs for name in decode(bytes(blob)).users.tolist()}


def test_no_id_is_kept_in_clear_and_a_forgotten_user_is_gone(
    table: dict[str, Any], worker: LiveWorker, history_engine: Engine, tmp_path: Path, terminal: Terminal
) -> None:
    """Topics, checkpoints, tables, pages, logs at DEBUG, reviews: nothing in clear but the values of dead letters.

    A user who asks is gone from the history at once, and from the join's state and what it sends from then on.
    """
    settings, log = Settings.of(table), feed()
    cut = 3 * len(log) // 4
    user = chosen(log, cut)
    hash_of = PersonHashes(settings.privacy).user
    name = int(hashed(np.array([hash_of(user)], np.int64))[0])
    send(settings, encoded(log[:cut]) + refused(MARK + "odd"))
    wait_until(lambda: name in stored_names(history_engine), 120, worker.log)
    path = tmp_path / "lis-online.toml"
    path.write_text(to_toml(table))

    said = terminal.run("forget", user, "--yes", "-c", str(path))
    assert said.code == 0, said
    assert f"asked the join shards to forget 1 user: 2 of {settings.kafka.impressions}" in said.out
    assert name not in stored_names(history_engine)

    rest = [(topic, event) for topic, event in log[cut:] if event.get("user_id") != user]
    send(settings, encoded(rest), finish=True)
    others = {hash_of(event["user_id"]) for topic, event in rest if topic == "impressions"}
    names = set(hashed(np.array(list(others), np.int64)).tolist())
    wait_until(lambda: names <= stored_names(history_engine), 120, worker.log)
    wait_until(lambda: not lags(worker.metrics()), 60, worker.log)
    pages = [(page, worker.get(page) or b"") for page in ("/metrics", "/api/v1/summary", "/", "/healthz", "/readyz")]
    worker.process.send_signal(signal.SIGTERM)
    assert worker.process.wait(60) == 0, worker.log()

    assert name not in stored_names(history_engine)
    with history_engine.connect() as connection:
        forgotten = "SELECT max(records) FROM event_counts WHERE fate = 'forgotten'"
        assert connection.execute(text(forgotten)).scalar_one() >= 1
    held = held_by_join(settings)
    assert others & held and hash_of(user) not in held

    review = tmp_path / "review.html"
    printed = [terminal.run("review", "mllm-q4", *more, "-c", str(path)) for more in ([], ["--json"])]
    printed += [terminal.run("review", "mllm-q4", "--html", str(review), "-c", str(path))]
    printed += [terminal.run("drift", "list", "-c", str(path)), terminal.run("config", "show", "-c", str(path))]
    assert [one.code for one in printed] == [0] * 5, printed
    names_of = topic_names(settings.kafka)
    letters = records_of(settings.kafka, names_of["dead_letters"])
    places = [
        *in_files(Path(settings.checkpoints.directory)),
        *in_tables(history_engine),
        *pages,
        ("the log", (tmp_path / "log").read_bytes()),
        ("review", review.read_bytes()),
        *((f"command {place}", (one.out + one.err).encode()) for place, one in enumerate([said, *printed])),
        *((log_, one.value) for log_ in ("samples", "windows") for one in records_of(settings.kafka, names_of[log_])),
        *((f"dead letter {one.headers}", value) for one in letters for _, value in one.headers),
    ]
    assert len(places) > 200 and all(len(page) > 2 for _, page in pages)
    assert holding(places, MARK.encode()) == []
    assert holding(places, b"twenty-four") == []
    in_letters = holding([(one.headers[3][1].decode(), one.value) for one in letters], MARK.encode())
    assert set(in_letters) == {"invalid", "malformed", "schema_version", "too_far_ahead", "unknown_source"}


def held_by_join(settings: Settings) -> set[int]:
    """Return every number in the newest checkpoints of the join shards."""
    found: set[int] = set()
    for partition in range(settings.kafka.partitions):
        store = CheckpointStore(settings.checkpoints.directory, "join", partition, keep=3, fingerprint={})
        loaded = store.load_latest(judge=lambda manifest: None)
        assert loaded is not None
        found |= numbers(loaded[0])
    return found
