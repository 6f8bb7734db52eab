"""`lis-online backfill` on the command line, against a real PostgreSQL."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from lis_online.events import recorded_log
from lis_online.events.recorded_log import RecordedEvent
from lis_online.history.rows import BucketRow
from lis_online.history.times import iso
from lis_online.history.writer import HistoryWriter
from lis_online.simulate.toml import to_toml
from tests.backfill.village import SETTINGS, calm, feed, middle, whole
from tests.cli.terminal import Terminal
from tests.shards.village import table

pytestmark = pytest.mark.postgres

WHOLE = ("--from", iso(whole().start), "--to", iso(whole().end))
MIDDLE = ("--from", iso(middle().start), "--to", iso(middle().end))


@pytest.fixture
def config(postgres_url: str, tmp_path: Path) -> str:
    """Return a settings file that names the test's database, and no Kafka that is there."""
    tables = table(history={"url": postgres_url, "rollup": "4m"}, kafka={"bootstrap": "127.0.0.1:1"})
    path = tmp_path / "other.toml"
    path.write_text(to_toml(tables), encoding="utf-8")
    return str(path)


@pytest.fixture
def log(tmp_path: Path) -> str:
    """Return the village's recorded log."""
    path = tmp_path / "events.jsonl"
    path.write_bytes(b"".join(b'{"topic":"%s","value":%s}\n' % (topic.encode(), value) for topic, value in feed()))
    return str(path)


def test_a_backfill_says_what_it_wrote(terminal: Terminal, config: str, log: str, history_engine: Engine) -> None:
    """The configuration to compare by, samples, buckets and the stretch; the note says what it was made from."""
    printed = terminal.run("backfill", log, *MIDDLE, "-c", config)
    buckets = [row for row in calm()[0] if isinstance(row, BucketRow) and middle().holds(row)]
    samples = sum(row.samples for row in buckets)
    said = f"configuration 1: {samples} samples in 2 buckets, {iso(middle().start)} to {iso(middle().end)}\n"
    assert printed.code == 0 and printed.out.startswith(said), printed
    with history_engine.connect() as connection:
        note = connection.execute(text("SELECT note FROM configurations")).scalar_one()
        assert connection.execute(text("SELECT sum(samples) FROM buckets")).scalar_one() == samples
    assert note == f"backfill of events.jsonl, {iso(middle().start)} to {iso(middle().end)}"


def test_ctrl_c_leaves_what_is_written(
    terminal: Terminal, config: str, log: str, history_engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It says how much, and that the same command completes it; which it does, as JSON."""
    read = recorded_log.read

    def interrupted(path: str) -> Iterator[RecordedEvent]:
        for number, record in enumerate(read(path)):
            if number == 2_500:
                raise KeyboardInterrupt
            yield record

    monkeypatch.setattr("lis_online.backfill.run.AT_ONCE", 100)
    monkeypatch.setattr(recorded_log, "read", interrupted)
    stopped = terminal.run("backfill", log, *WHOLE, "-c", config)
    with history_engine.connect() as connection:
        written = connection.execute(text("SELECT count(*) FROM buckets")).scalar_one()
    assert (stopped.code, stopped.out) == (130, "") and 0 < written < calm()[1].buckets
    assert stopped.err.splitlines() == [f"stopped: {written} buckets are written; run it again to complete it"]
    monkeypatch.setattr(recorded_log, "read", read)
    completed = json.loads(terminal.run("backfill", log, *WHOLE, "--json", "-c", config).out)
    assert completed == {
        "configuration": 1,
        "from": iso(calm()[1].start or 0),
        "to": iso(calm()[1].end or 0),
        "samples": calm()[1].samples,
        "buckets": calm()[1].buckets,
        "rows": calm()[1].rows,
        "complete": False,
    }


def test_what_cannot_be_done_is_a_sentence(terminal: Terminal, config: str, log: str, history_engine: Engine) -> None:
    """Before anything is read: the argument, the rule, the value."""
    backwards = ("--from", MIDDLE[3], "--to", MIDDLE[1])
    assert terminal.refused("backfill", log, *backwards, "-c", config).startswith("--from must be before --to, got ")
    assert terminal.refused("backfill", log, "--from", "soon", "--to", MIDDLE[3], "-c", config).startswith(
        "--from must be"
    )
    assert terminal.refused("backfill", log, *MIDDLE, "--partial", "-c", config).startswith("--partial must be given")
    assert terminal.refused("backfill", *MIDDLE, "-c", config).startswith("kafka.bootstrap must name a broker that")
    assert "nowhere.jsonl: cannot be read" in terminal.refused("backfill", "nowhere.jsonl", *MIDDLE, "-c", config)
    HistoryWriter(history_engine, SETTINGS).write(calm()[0][:5])
    assert terminal.refused("backfill", log, *MIDDLE, "-c", config).startswith("settings of a backfill must differ")


def test_a_log_without_samples_in_the_stretch_is_refused(
    terminal: Terminal, config: str, log: str, history_engine: Engine
) -> None:
    """Nothing is written, not even a configuration."""
    said = terminal.refused("backfill", log, "--from", "2030-01-01T00:00Z", "--to", "2030-01-02T00:00Z", "-c", config)
    assert (
        said
        == "the log must have samples from 2030-01-01T00:00:00Z to 2030-01-02T00:00:00Z, got none in 0 that were read"
    )
    with history_engine.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM configurations")).scalar_one() == 0


def test_a_history_that_was_not_upgraded_is_refused(
    terminal: Terminal, config: str, log: str, empty_database: Engine
) -> None:
    """Before hours of work; the sentence names the command that helps."""
    assert terminal.refused("backfill", log, *MIDDLE, "-c", config).endswith("run `lis-online db upgrade`")
