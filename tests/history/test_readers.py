"""The analysts' role and views: what they may read, and that they can change nothing."""

from __future__ import annotations

import psycopg
import pytest
from sqlalchemy import Engine, inspect

from lis_online.errors import UsageError
from lis_online.history.readers import VIEWS, grant_reader
from lis_online.history.writer import HistoryWriter
from lis_online.settings import Settings
from tests.history.streams import AT, SETTINGS, make_row
from tests.history.test_queries import TABLE, rows_of_bucket

pytestmark = pytest.mark.postgres

COLUMNS = {
    "lis_configurations": ["configuration", "fingerprint", "settings", "created_at", "note"],
    "lis_numbers": [
        "configuration", "time", "window_ms", "slice", "kind", "subject", "number", "version", "value", "stderr",
        "lower", "upper", "reason", "samples", "samples_to_resolve", "learning_noise",
    ],
    "lis_diagnoses": [
        "configuration", "time", "window_ms", "slice", "variant", "version", "diagnosis", "sentence",
    ],
    "lis_arms": [
        "configuration", "time", "experiment", "arm", "users", "impressions", "clicks", "ctr", "ctr_stderr",
        "ctr_lower", "ctr_upper", "crossed",
    ],
    "lis_lifts": [
        "configuration", "time", "experiment", "arm", "metric", "level", "control_level", "value", "stderr", "lower",
        "upper", "fixed_lower", "fixed_upper", "absolute", "absolute_lower", "absolute_upper", "p_value", "p_adjusted",
        "guardrail", "users_needed", "reason",
    ],
    "lis_sample_ratios": ["configuration", "time", "experiment", "p_value", "mismatch", "users", "reason"],
    "lis_event_counts": ["configuration", "time", "fate", "records"],
    "lis_drift_events": [
        "configuration", "time", "kind", "variant", "number", "slice", "window_ms", "detected_at", "until", "before",
        "before_lower", "before_upper", "after", "after_lower", "after_upper", "cause", "sentence", "detector",
    ],
    "lis_annotations": ["annotation", "time", "end_time", "text", "tags", "created_at"],
    "lis_buckets": ["configuration", "group", "bucket_start", "bucket_end", "samples", "bytes", "rolled_up"],
}  # fmt: skip
"""What analysts' notebooks are written against: a column that goes or is renamed breaks them."""


def test_views_have_the_columns_that_notebooks_are_written_against(history_engine: Engine) -> None:
    """Names are API: a migration may add a column, and must keep these."""
    found = inspect(history_engine)
    assert set(found.get_view_names()) == set(VIEWS) == set(COLUMNS)
    for view, columns in COLUMNS.items():
        assert [column["name"] for column in found.get_columns(view)][: len(columns)] == columns


def connect_as(url: str, role: str) -> psycopg.Connection:
    """Connect to the test's database as a role."""
    plain = url.replace("postgresql+psycopg://", "postgresql://")
    return psycopg.connect(plain, user=role, autocommit=True)


def test_a_reader_reads_views_and_nothing_else(history_engine: Engine, postgres_url: str) -> None:
    """Neither a table nor another's settings, and no statement that writes, whatever name the role has."""
    HistoryWriter(history_engine, SETTINGS).write([make_row(AT, 1)])
    HistoryWriter(history_engine, Settings.of(TABLE)).write(rows_of_bucket(AT))
    role = 'ana"lyst%s'
    grant_reader(history_engine, role)
    grant_reader(history_engine, role)  # twice is once
    try:
        with connect_as(postgres_url, role) as connection:
            counts = {view: connection.execute(f"SELECT count(*) FROM {view}").fetchone() for view in VIEWS}
            assert counts["lis_numbers"] == (7,) and counts["lis_buckets"] == (1,)
            assert connection.execute("SHOW default_transaction_read_only").fetchone() == ("on",)
            connection.execute("SET default_transaction_read_only = off")
            for refused in ("SELECT * FROM numbers", "SELECT data FROM buckets", "DELETE FROM lis_numbers"):
                with pytest.raises(psycopg.errors.InsufficientPrivilege):
                    connection.execute(refused)
    finally:
        with history_engine.begin() as connection_:
            quoted = role.replace('"', '""').replace("%", "%%")
            connection_.exec_driver_sql(f'DROP OWNED BY "{quoted}"')
            connection_.exec_driver_sql(f'DROP ROLE "{quoted}"')


@pytest.mark.parametrize("name", ["", "x" * 64])
def test_a_name_that_postgresql_would_cut_is_refused(history_engine: Engine, name: str) -> None:
    """It would be granted to another role."""
    with pytest.raises(UsageError, match="NAME must have 1 to 63 bytes"):
        grant_reader(history_engine, name)
