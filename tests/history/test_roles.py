"""Who may do what in the database, over TLS with a password each: owner, writer, readers."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import pytest
from sqlalchemy import Engine, text

from lis_online.errors import HistoryError, UsageError
from lis_online.history import schema
from lis_online.history.annotations import Annotation, annotate
from lis_online.history.engine import build_engine, transaction
from lis_online.history.forgetting import forget_users
from lis_online.history.ranges import range_numbers
from lis_online.history.readers import VIEWS, grant_reader
from lis_online.history.retention import Pruner
from lis_online.history.roles import grant_writer
from lis_online.history.rows import UserTotalsRow
from lis_online.history.stored import Group
from lis_online.history.tables import metadata
from lis_online.history.writer import HistoryWriter
from lis_online.settings import Settings
from lis_online.settings.model import HistorySettings
from tests.fixtures.certificates import Certificates
from tests.fixtures.secure_postgres import PASSWORD, SecurePostgres
from tests.history.streams import AT, MINUTE, SETTINGS, make_row
from tests.history.test_forgetting import USERS
from tests.history.test_forgetting import row as totals
from tests.history.test_writer import EVERY_KIND

pytestmark = pytest.mark.postgres


@contextmanager
def engine_of(url: str) -> Iterator[Engine]:
    """Yield an engine that is closed afterwards."""
    engine = build_engine(url)
    try:
        yield engine
    finally:
        engine.dispose()


def refused(engine: Engine, statement: str) -> bool:
    """Return whether a statement is refused for want of a right, and for nothing else."""
    try:
        with engine.begin() as connection:
            connection.execute(text("SET LOCAL transaction_read_only = off"))
            connection.exec_driver_sql(statement)
    except Exception as exc:
        return getattr(getattr(exc, "orig", None), "sqlstate", None) == "42501"
    return False


MEDDLING = (
    "CREATE TABLE public.mine (x int)",
    "CREATE SCHEMA mine",
    "DROP TABLE numbers",
    "ALTER TABLE numbers ADD COLUMN mine int",
    "TRUNCATE buckets",
    "DELETE FROM buckets",
    "CREATE VIEW public.mine AS SELECT 1",
    "DROP VIEW lis_numbers",
    f"UPDATE {schema.VERSION_TABLE} SET version_num = 'x'",
    "SELECT * FROM payroll",
    "SELECT * FROM pg_authid",
    "CREATE ROLE mine",
    "COPY buckets TO PROGRAM 'cat'",
)
"""What neither a writer nor a reader may do."""


@pytest.fixture
def payroll(owned: Engine) -> Iterator[None]:
    """A table in the same database that is none of the history's."""
    with owned.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE payroll (name text)")
    yield
    with owned.begin() as connection:
        connection.exec_driver_sql("DROP TABLE payroll")


@pytest.mark.usefixtures("payroll")
def test_a_writer_does_what_workers_do_and_no_more(owned: Engine, secure_postgres: SecurePostgres) -> None:
    """Sufficient: every kind of row, twice, the check at the start, notes, forgetting. Minimal: nothing else."""
    grant_writer(owned, "writer")
    grant_writer(owned, "writer")  # twice is once
    secure_postgres.set_password("writer")
    with engine_of(secure_postgres.remote("writer")) as engine:
        with engine.connect() as connection:
            assert connection.execute(text("SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()")).scalar_one()
        schema.check(engine)
        rows = [one for one in EVERY_KIND if not isinstance(one, UserTotalsRow)] + [totals(0)]
        writer = HistoryWriter(engine, Settings.of({}))
        writer.write(rows)
        writer.write(rows)
        with transaction(engine) as connection:
            annotate(connection, Annotation(AT, None, "a deploy"))
        assert forget_users(engine, USERS[:1], AT, AT + MINUTE, lambda removed, rows: None).rows == 1
        assert [statement for statement in MEDDLING if not refused(engine, statement)] == []
        with pytest.raises(HistoryError, match=r"refused the statement \(42501\)"):
            for _ in Pruner(engine, HistorySettings(), AT + 10**12).run():
                pass


@pytest.mark.usefixtures("payroll")
def test_readers_read_what_they_were_given_and_change_nothing(owned: Engine, secure_postgres: SecurePostgres) -> None:
    """Grafana the views; serve and review the tables too; neither writes, even where it asks for a writing session."""
    HistoryWriter(owned, SETTINGS).write([make_row(AT, 1)])
    grant_reader(owned, "viewer")
    grant_reader(owned, "reviewer", with_tables=True)
    writes = ("INSERT INTO annotations (time, text, tags) VALUES (now(), 'x', '{}')", "UPDATE numbers SET value = 0")
    for role in ("viewer", "reviewer"):
        secure_postgres.set_password(role)
        with engine_of(secure_postgres.remote(role)) as engine:
            with transaction(engine) as connection:
                for view in VIEWS:
                    connection.exec_driver_sql(f"SELECT * FROM {view}")
            assert [one for one in (*MEDDLING, *writes) if not refused(engine, one)] == []
            for table in metadata.tables:
                assert refused(engine, f"SELECT * FROM {table}") == (role == "viewer")
            if role == "reviewer":
                with transaction(engine) as connection:
                    [configuration] = connection.execute(
                        text("SELECT DISTINCT configuration_id FROM buckets WHERE bucket_start = to_timestamp(:at)"),
                        {"at": AT / 1000},
                    ).scalars()
                range_numbers(engine, Group(configuration), AT, AT + MINUTE, ["all"])


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"password": PASSWORD + "x"}, "password authentication failed for user"),
        ({"sslmode": "disable"}, "no encryption"),
        ({"host": "127.0.0.1"}, "does not match host name"),
        ({"sslrootcert": "other"}, "certificate verify failed"),
        ({"sslrootcert": "/nowhere/ca.pem"}, "/nowhere/ca.pem"),
    ],
)
def test_who_is_not_let_in_learns_why_in_one_sentence(
    owned: Engine, secure_postgres: SecurePostgres, certificates: Certificates, changes: dict[str, str], said: str
) -> None:
    """Login, encryption, name, authority, file; never the password."""
    grant_writer(owned, "writer")
    secure_postgres.set_password("writer")
    if changes.get("sslrootcert") == "other":
        changes = {"sslrootcert": str(certificates.other_ca)}
    with (
        engine_of(secure_postgres.remote("writer", **changes)) as engine,
        pytest.raises(
            HistoryError, match=r"^history at (localhost|127\.0\.0\.1):\d+/lis cannot be reached: "
        ) as caught,
    ):
        schema.check(engine)
    assert said in str(caught.value)
    assert PASSWORD not in str(caught.value) and "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["", "x" * 64, "a\x00b"])
def test_a_name_that_postgresql_would_cut_is_refused(owned: Engine, name: str) -> None:
    """It would be granted to another role."""
    with pytest.raises(UsageError, match="NAME must have 1 to 63 bytes"):
        grant_writer(owned, name)


def test_a_database_without_temporary_tables_for_all_has_them_for_the_writer(
    owned: Engine, secure_postgres: SecurePostgres
) -> None:
    """Where they were taken from everybody, whatever the role is called."""
    role = 'wri"ter%s'
    with owned.begin() as connection:
        connection.exec_driver_sql("REVOKE TEMPORARY ON DATABASE lis FROM PUBLIC")
    try:
        grant_writer(owned, role)
        address = secure_postgres.local().replace("+psycopg", "")
        with psycopg.connect(address, user=role) as connection:
            connection.execute("CREATE TEMPORARY TABLE kept (x int)")
    finally:
        with owned.begin() as connection:
            connection.exec_driver_sql("GRANT TEMPORARY ON DATABASE lis TO PUBLIC")
