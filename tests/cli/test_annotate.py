"""`annotate` on the command line, against a real PostgreSQL."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from sqlalchemy import Engine
from typer.testing import CliRunner, Result

from lis_online.cli.main import app
from lis_online.errors import LisError, UsageError
from lis_online.history.annotations import Annotation, annotations_between

pytestmark = pytest.mark.postgres

NOON = 1_573_560_000_000  # 2019-11-12T12:00:00Z


@pytest.fixture
def config(postgres_url: str, tmp_path: Path) -> Path:
    """Return a settings file that names the test's database."""
    path = tmp_path / "lis-online.toml"
    path.write_text(f'[history]\nurl = "{postgres_url}"\n', encoding="utf-8")
    return path


def run(*arguments: str, config: Path) -> Result:
    """Return how the command ended."""
    return CliRunner().invoke(app, ["annotate", *arguments, "-c", str(config)])


def found(engine: Engine) -> list[Annotation]:
    """Return every note of the history."""
    with engine.connect() as connection:
        return annotations_between(connection, None, None)


def test_a_note_has_its_time_end_text_and_tags(config: Path, history_engine: Engine) -> None:
    """Times without a zone are of --zone; the history keeps UTC."""
    times = ("--at", "2019-11-12T13:00", "--until", "2019-11-12T13:05", "--zone", "Europe/Berlin")
    done = run("deploy 1.4.2", "--tag", "deploy", "--tag", "ranker", *times, config=config)
    assert done.exit_code == 0, done.output
    assert "noted as 1: 2019-11-12T12:00:00Z to 2019-11-12T12:05:00Z deploy 1.4.2" in done.output
    assert found(history_engine) == [Annotation(NOON, NOON + 300_000, "deploy 1.4.2", ("deploy", "ranker"))]


def test_without_a_time_a_note_is_of_now(config: Path, history_engine: Engine) -> None:
    """A deploy's last step needs no clock of its own."""
    before = time.time_ns() // 1_000_000
    assert run("campaign begins", config=config).exit_code == 0
    [note] = found(history_engine)
    assert before <= note.time <= time.time_ns() // 1_000_000
    assert (note.end, note.tags) == (None, ())


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ((" ",), "text must not be empty"),
        (("x", "--at", "2019-11-12T12:00:00Z", "--until", "2019-11-12T12:00:00Z"), "end must be after its time"),
        (("x", "--at", "yesterday"), "--at"),
        (("x", "--at", "2019-11-12T12:00"), "--at"),
    ],
)
def test_a_note_that_says_nothing_or_is_at_no_time_is_refused(
    config: Path, history_engine: Engine, arguments: tuple[str, ...], sentence: str
) -> None:
    """Nothing is written, and the sentence names the argument."""
    done = run(*arguments, config=config)
    assert isinstance(done.exception, UsageError)
    assert sentence in str(done.exception)
    assert found(history_engine) == []


def test_without_a_history_there_is_nowhere_to_note(tmp_path: Path) -> None:
    """The history is optional: the sentence names the setting."""
    path = tmp_path / "lis-online.toml"
    path.write_text('[history]\nurl = ""\n', encoding="utf-8")
    done = run("deploy", config=path)
    assert isinstance(done.exception, LisError)
    assert "history.url" in str(done.exception)
