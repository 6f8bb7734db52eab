"""`db` and `history` on the command line, against a real PostgreSQL."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
import pytest
import typer
from sqlalchemy import Engine
from typer.testing import CliRunner

from lis_online.cli import db, history
from lis_online.errors import HistoryError, LisError, UsageError
from lis_online.history.rows import NumberRow
from lis_online.history.writer import HistoryWriter
from lis_online.settings import Settings
from lis_online.shards.publish_rows import view_rows
from tests.exporter.examples import two_versions
from tests.history.streams import SETTINGS, make_row
from tests.history.test_queries import AT, MINUTE, TABLE, rows_of_bucket

pytestmark = pytest.mark.postgres

app = typer.Typer()
app.add_typer(db.app, name="db")
app.add_typer(history.app)


@pytest.fixture
def config(postgres_url: str, tmp_path: Path) -> Path:
    """Return a settings file that names the test's database."""
    path = tmp_path / "lis-online.toml"
    path.write_text(f'[history]\nurl = "{postgres_url}"\n', encoding="utf-8")
    return path


def run(*arguments: str, config: Path) -> str:
    """Return what a command prints; the error it raises is raised."""
    found = CliRunner().invoke(app, [*arguments, "-c", str(config)], env={"COLUMNS": "200"})
    if found.exception is not None:
        raise found.exception
    return found.output


def test_db_check_fails_until_db_upgrade_was_run(config: Path, empty_database: Engine) -> None:
    """The sentence of the failing check names the command that helps."""
    with pytest.raises(HistoryError, match="run `lis-online db upgrade`"):
        run("db", "check", config=config)
    assert "is at revision 0006" in run("db", "upgrade", config=config)
    assert "is at revision 0006" in run("db", "check", config=config)


def test_history_prints_json_with_numbers_and_reasons(config: Path, history_engine: Engine) -> None:
    """The same form of a number as in the summary."""
    HistoryWriter(history_engine, Settings.of(TABLE)).write(rows_of_bucket(AT))
    found = json.loads(run("history", "--variant", "title", "--window", "15m", "--json", config=config))
    [point] = found["points"]
    assert point["time"] == "2019-11-12T00:00:00Z"
    assert (point["window"], point["slice"], point["diagnosis"]) == ("15m", "all", "aligned")
    assert point["variant"]["adjusted_ais"] == {"value": 0.005, "stderr": 0.001, "lower": 0.003, "upper": 0.007}
    assert point["variant"]["efficiency"] == {"value": None, "reason": "LIS interval includes 0"}
    assert point["variant"]["coverage"] == 0.9
    assert point["source"]["name"] == "coclick"


def test_history_prints_a_table_with_a_line_for_each_window(config: Path, history_engine: Engine) -> None:
    """What a person reads at night."""
    writer = HistoryWriter(history_engine, Settings.of(TABLE))
    for bucket in range(2):
        writer.write(rows_of_bucket(AT + bucket * MINUTE))
    output = run("history", "--variant", "title", "--from", "2019-11-12T00:00:00Z", config=config)
    assert "2019-11-12T00:01:00Z" in output
    assert "2019-11-12T00:00:00Z" not in output
    assert "+0.0050 [0.0030, 0.0070]" in output
    assert "aligned" in output


def test_history_shows_both_versions_over_the_overlap(config: Path, history_engine: Engine) -> None:
    """A line for each, and the column that tells them apart is there only where there are two."""
    writer = HistoryWriter(history_engine, Settings.of(TABLE))
    writer.write(rows_of_bucket(AT))
    assert "version" not in run("history", "--variant", "title", config=config)
    writer.write(view_rows(two_versions()))
    output = run("history", "--variant", "title", "--window", "overlap", config=config)
    lines = [line.replace("│", " ").split() for line in output.splitlines() if "overlap" in line]
    assert [line[:3] for line in lines] == [["2019-11-12T00:00:00.500000Z", "overlap", version] for version in "12"]
    found = json.loads(run("history", "--variant", "title", "--window", "overlap", "--json", config=config))
    assert [(point["version"], point["newest"]) for point in found["points"]] == [("1", False), ("2", True)]
    assert found["points"][1]["variant"]["adjusted_ais"]["samples_to_resolve"] == 16_000
    assert "samples_to_resolve" not in found["points"][1]["unleaked"]["auc"]
    assert found["points"][1]["variant"]["pair_alignment"]["value"] == 0.6


def test_history_says_how_many_samples_are_still_needed(config: Path, history_engine: Engine) -> None:
    """Beside adjusted AIS: what resolves 0.0005, less what is there."""
    rows = [
        msgspec.structs.replace(row, samples_to_resolve=5_000.0, learning_noise=True)
        if isinstance(row, NumberRow) and row.number == "adjusted_ais"
        else row
        for row in rows_of_bucket(AT)
    ]
    HistoryWriter(history_engine, Settings.of(TABLE)).write(rows)
    output = run("history", "--variant", "title", config=config)
    assert "still needed" in output
    assert "+0.0050~ [0.0030, 0.0070]           4.9k " in output


def test_history_without_a_number_says_why(config: Path, history_engine: Engine) -> None:
    """In JSON as on the terminal."""
    assert "the history has no number of variant 'title' yet" in run("history", "--variant", "title", config=config)
    found = json.loads(run("history", "--variant", "title", "--json", config=config))
    assert found["points"] == []
    assert "no number" in found["reason"]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--from", "2026-11-01"], "--from must have a time zone, such as 2026-11-01T00:00:00Z, got '2026-11-01'"),
        (["--to", "yesterday"], "--to must be an ISO 8601 time"),
        (["--window", "soon"], "--window must be a whole number and a unit"),
    ],
)
def test_an_argument_that_breaks_a_rule_is_refused_before_connecting(
    tmp_path: Path, arguments: list[str], sentence: str
) -> None:
    """Argument, rule, value; no server is needed to say it."""
    path = tmp_path / "lis-online.toml"
    path.write_text('[history]\nurl = "postgresql://127.0.0.1:1/none"\n', encoding="utf-8")
    with pytest.raises(UsageError, match=sentence):
        run("history", "--variant", "title", *arguments, config=path)


def test_an_address_that_is_no_postgresql_is_refused_without_showing_it(tmp_path: Path) -> None:
    """The address may hold a password."""
    path = tmp_path / "lis-online.toml"
    path.write_text('[history]\nurl = "mysql://lis:secret@db/lis"\n', encoding="utf-8")
    with pytest.raises(LisError, match=r"history\.url: must begin with postgresql\+psycopg://, got mysql://") as caught:
        run("db", "check", config=path)
    assert "secret" not in str(caught.value)


def test_range_asks_and_answers_in_a_chosen_zone(config: Path, history_engine: Engine) -> None:
    """Midnight in Berlin is 23:00 in UTC; what is stored is UTC."""
    rows = [make_row(AT - 60 * MINUTE + k * MINUTE, k) for k in range(3)]
    HistoryWriter(history_engine, SETTINGS).write(rows)
    asked = ["--from", "2019-11-12 00:00:30", "--to", "2019-11-12 00:02", "--zone", "Europe/Berlin"]
    found = json.loads(run("history", "range", *asked, "--configuration", "1", "--json", config=config))
    assert (found["from"], found["to"]) == ("2019-11-12T00:00:30+01:00", "2019-11-12T00:02:00+01:00")
    assert found["covered"] == {"from": "2019-11-12T00:00:00+01:00", "to": "2019-11-12T00:02:00+01:00"}
    assert (found["buckets"], found["exact_to"], found["gaps"]) == (2, "1m", [])
    assert list(found["slices"]) == ["all"]
    everything = found["slices"]["all"]
    assert everything["samples"] == sum(row.samples for row in rows[:2])
    assert everything["sources"]["coclick"]["lis"]["lower"] < everything["sources"]["coclick"]["lis"]["value"]
    assert everything["variants"]["v"]["version"] == "1"
    assert found["versions"] == [{"variant": "v", "version": "1", "key": "v", "newest": True, "began": None}]


def test_range_prints_what_it_covers_and_what_is_missing(config: Path, history_engine: Engine) -> None:
    """Rounded edges and gaps come before the numbers; each slice has its own tables."""
    HistoryWriter(history_engine, SETTINGS).write([make_row(AT, 1), make_row(AT + 100 * MINUTE, 2)])
    asked = ["--from", "2019-11-12T00:00:30Z", "--to", "2019-11-12T01:41:00Z", "--configuration", "1"]
    output = run("history", "range", *asked, "--slice", "all", "--slice", "surface:feed", config=config)
    assert "2019-11-12T00:00:00Z to 2019-11-12T01:41:00Z, 2 buckets" in output
    assert "asked: 2019-11-12T00:00:30Z to 2019-11-12T01:41:00Z; edges are exact to 1m" in output
    assert "no buckets from 2019-11-12T00:01:00Z to 2019-11-12T01:40:00Z" in output
    lines = output.splitlines()
    assert "all" in lines and "surface:feed" in lines
    assert sum("Variants" in line for line in lines) == 2


def test_range_without_a_configuration_reads_that_of_the_settings_file(config: Path, history_engine: Engine) -> None:
    """Numbers of other settings are other numbers: they are read where their id is named."""
    asked = ["--from", "2019-11-12T00:00:00Z", "--to", "2019-11-12T01:00:00Z", "--json"]
    with pytest.raises(UsageError, match="the history is empty"):
        run("history", "range", *asked, config=config)
    HistoryWriter(history_engine, SETTINGS).write([make_row(AT, 1)])
    with pytest.raises(UsageError, match=r"nothing was written under these settings: --configuration must be .*\[1\]"):
        run("history", "range", *asked, config=config)
    with pytest.raises(UsageError, match=r"--configuration must be one of \[1\], got 7"):
        run("history", "range", *asked, "--configuration", "7", config=config)
    HistoryWriter(history_engine, Settings.of({})).write([make_row(AT, 1)])
    found = json.loads(run("history", "range", "--from", "2020-01-01T00:00Z", "--to", "2020-01-02T00:00Z", "--json",
                           config=config))  # fmt: skip
    assert found["configuration"] == 2
    assert (found["buckets"], found["slices"]["all"]["samples"]) == (0, 0)
    assert found["slices"]["all"]["sources"]["coclick"]["lis"] == {"value": None, "reason": "no samples"}


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (
            ["--from", "2026-03-29 02:30", "--zone", "Europe/Berlin"],
            "--from must be a time that clocks in Europe/Berlin",
        ),
        (["--from", "2026-10-25 02:30", "--zone", "Europe/Berlin"], r"which of the two.*02:30:00\+02:00 or .*\+01:00"),
        (["--from", "2026-10-25", "--zone", "Berlin"], "--zone must be the IANA name of a time zone, such as Europe/"),
        (["--from", "2026-10-25"], "--from must have a time zone"),
        (["--from", "0001-01-01T00:00:00Z"], "--from must be from 1970 to 9999"),
    ],
)
def test_a_time_that_is_none_in_its_zone_is_refused(tmp_path: Path, arguments: list[str], sentence: str) -> None:
    """When clocks change, a wall clock's time is there twice or never: neither is guessed."""
    path = tmp_path / "lis-online.toml"
    path.write_text('[history]\nurl = "postgresql://127.0.0.1:1/none"\n', encoding="utf-8")
    with pytest.raises(UsageError, match=sentence):
        run("history", "range", *arguments, "--to", "2027-01-01T00:00:00Z", config=path)


def test_points_are_shown_in_a_chosen_zone_too(config: Path, history_engine: Engine) -> None:
    """The same rule for both commands."""
    HistoryWriter(history_engine, Settings.of(TABLE)).write(rows_of_bucket(AT))
    asked = ["--variant", "title", "--from", "2019-11-12 00:59", "--zone", "Europe/Berlin"]
    assert "window ends (Europe/Berlin)" in run("history", *asked, config=config)
    found = json.loads(run("history", *asked, "--json", config=config))
    assert [point["time"] for point in found["points"]] == ["2019-11-12T01:00:00+01:00"]


def test_history_without_a_variant_or_a_command_says_what_is_missing(config: Path) -> None:
    """The option is needed for windows alone."""
    with pytest.raises(UsageError, match="--variant must be given, or a command: lis-online history range"):
        run("history", config=config)


def test_prune_says_what_it_does_and_then_that_nothing_is_left(config: Path, history_engine: Engine) -> None:
    """Rows and bytes of each step; a dry run beforehand says the same rows and does nothing."""
    HistoryWriter(history_engine, SETTINGS).write([make_row(AT + k * MINUTE, k) for k in range(30)])
    late = ["--now", "2019-12-12T00:00:00Z"]
    said = run("db", "prune", *late, "--dry-run", config=config)
    assert "would merge 30 rows of buckets (configuration 1, group 0, before 2019-11-12T00:30:00Z, " in said
    done = run("db", "prune", *late, config=config)
    assert "merge 30 rows of buckets (configuration 1, group 0, before 2019-11-12T00:30:00Z, into 2), " in done
    assert "would" not in done
    assert run("db", "prune", *late, config=config) == "nothing to do\n"
