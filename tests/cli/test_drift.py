"""`drift list` on the command line, against a real PostgreSQL, and the demo's sentence."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import typer
from sqlalchemy import Engine
from typer.testing import CliRunner

from lis_online.cli import drift
from lis_online.cli.report import drift as told
from lis_online.errors import UsageError
from lis_online.history.rows import DriftRow
from lis_online.history.writer import HistoryWriter
from lis_online.settings import Settings

AT = 1_573_516_800_000
HOUR = 3_600_000

app = typer.Typer()
app.add_typer(drift.app)

TOML = """
[[variant]]
name = "title"
preference = "coclick"
dimension = 4
[[variant]]
name = "cover"
preference = "coclick"
dimension = 4
"""
SETTINGS = {"variant": [{"name": name, "preference": "coclick", "dimension": 4} for name in ("title", "cover")]}


def row(hour: int, kind: str, subject: str, until: int | None = None) -> DriftRow:
    """Return an event of an hour."""
    at = AT + hour * HOUR
    return DriftRow(
        at, kind, subject, "adjusted_lis" if kind == "source" else "pair_alignment", "all", HOUR, at + 4 * HOUR, until,
        0.8, 0.79, 0.81, 0.6, 0.59, 0.61, "representation", f"{subject} fell at hour {hour}.", "page_hinkley", 7,
    )  # fmt: skip


@pytest.fixture
def config(postgres_url: str, tmp_path: Path) -> Path:
    """Return a settings file that names the test's database."""
    path = tmp_path / "lis-online.toml"
    path.write_text(f'[history]\nurl = "{postgres_url}"\n{TOML}', encoding="utf-8")
    return path


@pytest.fixture
def written(history_engine: Engine) -> None:
    """Four events, of a source, two variants and the input."""
    rows = [row(1, "variant", "title", AT + 9 * HOUR), row(2, "source", "coclick"), row(3, "variant", "cover")]
    HistoryWriter(history_engine, Settings.of(SETTINGS)).write([*rows, row(4, "input", "")])


def run(*arguments: str, config: Path) -> str:
    """Return what the command prints; the error it raises is raised."""
    found = CliRunner().invoke(app, ["drift", "list", *arguments, "-c", str(config)], env={"COLUMNS": "200"})
    if found.exception is not None:
        raise found.exception
    return found.output


def told_of(*arguments: str, config: Path) -> list[tuple[str, str]]:
    """Return kind and subject of the events in a JSON answer."""
    return [(e["kind"], e["variant"]) for e in json.loads(run(*arguments, "--json", config=config))["events"]]


@pytest.mark.postgres
@pytest.mark.usefixtures("written")
def test_events_are_listed_by_time_with_their_sentences(config: Path) -> None:
    """One line each."""
    lines = run(config=config).splitlines()
    assert [line.split()[0] for line in lines] == [f"2019-11-12T0{hour}:00:00Z" for hour in (1, 2, 3, 4)]
    assert lines[1].endswith("coclick fell at hour 2.") and "representation" in lines[1]


@pytest.mark.postgres
@pytest.mark.usefixtures("written")
def test_a_range_and_a_variant_choose_events(config: Path) -> None:
    """A variant's are its own and its source's; the end of a range is not in it."""
    assert told_of(config=config) == [
        ("variant", "title"), ("source", "coclick"), ("variant", "cover"), ("input", ""),
    ]  # fmt: skip
    assert told_of("--variant", "title", config=config) == [("variant", "title"), ("source", "coclick")]
    limits = "--from", "2019-11-12T02:00:00Z", "--to", "2019-11-12T04:00:00Z"
    assert told_of(*limits, config=config) == [("source", "coclick"), ("variant", "cover")]
    with pytest.raises(UsageError, match=r"--variant must be one of \['title', 'cover'\], got 'tilte'"):
        run("--variant", "tilte", config=config)


@pytest.mark.postgres
@pytest.mark.usefixtures("written")
def test_json_has_every_field_and_times_with_a_zone(config: Path) -> None:
    """None for what is not over."""
    first, second, *_ = json.loads(run("--json", "--zone", "Europe/Berlin", config=config))["events"]
    assert (first["time"], first["until"]) == ("2019-11-12T02:00:00+01:00", "2019-11-12T10:00:00+01:00")
    assert second["until"] is None
    assert (first["before"], first["after_lower"], first["window_ms"]) == (0.8, 0.59, HOUR)


@pytest.mark.postgres
@pytest.mark.usefixtures("written")
def test_no_event_is_said_so(config: Path) -> None:
    """Silence would leave a person in doubt."""
    assert run("--from", "2020-01-01T00:00:00Z", config=config) == "no drift event\n"


def test_demo_tells_of_what_is_open_alone() -> None:
    """What is back is history; evaluate's summary has no drift at all."""
    events = [{"sentence": "A fell.", "open": True}, {"sentence": "B fell.", "open": False}]
    line = told({"drift": events})
    assert line is not None and line.plain == "Drift: A fell."
    assert told({"drift": events[1:]}) is None and told({"drift": None}) is None and told({}) is None
