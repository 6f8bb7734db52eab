from __future__ import annotations

import json
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from lis_online.cli import replay, topics
from lis_online.cli.worker import worker
from lis_online.errors import BrokerError, LisError, TopicError, UsageError
from lis_online.simulate.toml import to_toml
from tests.fixtures.kafka import KafkaBroker, table_of


@pytest.fixture
def config(kafka_broker: KafkaBroker, tmp_path: Path) -> str:
    """A settings file for the broker."""
    table = table_of(kafka_broker, tmp_path)
    del table["history"]
    path = tmp_path / "lis-online.toml"
    path.write_text(to_toml(table))
    return str(path)


def run(app: typer.Typer, *arguments: str) -> str:
    """Run a command and return what it says; its errors are raised."""
    result = CliRunner().invoke(app, list(arguments), catch_exceptions=True)
    if isinstance(result.exception, LisError):
        raise result.exception
    assert result.exit_code == 0, result.output
    return result.stdout


@pytest.mark.kafka
def test_topics_are_made_checked_and_filled(config: str, tmp_path: Path) -> None:
    """The three commands that come before a worker, in the order of the README."""
    with pytest.raises(TopicError, match="must exist"):
        run(topics.app, "check", "-c", config)
    assert "created " in run(topics.app, "create", "-c", config)
    assert "there already" in run(topics.app, "create", "-c", config)
    said = run(topics.app, "check", "-c", config)
    assert "as they must be" in said
    assert "records must stay 2434s: workers may be away, or checkpoints fail, for 167.3 hours" in said
    table = json.loads(run(topics.app, "check", "--json", "-c", config))
    assert table["problems"] == table["warnings"] == []
    assert table["topics"][0]["records"] == 0
    log = tmp_path / "events.jsonl"
    events = [{"topic": "impressions", "value": {"user_id": f"u{n}", "ts": n}} for n in range(5)]
    log.write_text("".join(json.dumps(event) + "\n" for event in events) + '{"cut sho')
    said = run(replay.app, "events", str(log), "-c", config, "--speed", "max", "--finish")
    assert said == "sent 6 impressions, and the end\n"


def test_dead_broker_is_a_sentence_of_every_command(tmp_path: Path) -> None:
    """No traceback and no half minute: the setting, the address, what happened."""
    path = tmp_path / "lis-online.toml"
    path.write_text('[kafka]\nbootstrap = "127.0.0.1:1"\n')
    log = tmp_path / "events.jsonl"
    log.write_text("")
    for app, arguments in (
        (topics.app, ["check"]),
        (topics.app, ["create"]),
        (replay.app, ["events", str(log), "--speed", "max"]),
    ):
        with pytest.raises(BrokerError, match=r"kafka\.bootstrap must name a broker that answers, got 127\.0\.0\.1:1"):
            run(app, *arguments, "-c", str(path))


def test_speed_is_checked_before_anything_is_connected(tmp_path: Path) -> None:
    """A wrong option is the first thing said."""
    with pytest.raises(UsageError, match="speed must be"):
        run(replay.app, "events", str(tmp_path / "none"), "--speed", "fast")


def test_unknown_role_is_refused_with_the_roles() -> None:
    """The command knows its roles."""
    app = typer.Typer()
    app.command()(worker)
    result = CliRunner().invoke(app, ["sort"])
    assert result.exit_code == 2
    assert all(role in result.output for role in ("join", "rank", "publish", "all"))
