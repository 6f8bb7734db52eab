"""A role that may read the analysts' views and change nothing."""

from __future__ import annotations

from typing import Final

from sqlalchemy import Engine, text

from lis_online.errors import UsageError
from lis_online.history.engine import transaction

VIEWS: Final = (
    "lis_numbers", "lis_diagnoses", "lis_arms", "lis_lifts", "lis_sample_ratios", "lis_event_counts",
    "lis_drift_events", "lis_annotations", "lis_buckets", "lis_configurations",
)  # fmt: skip
"""Their names and columns stay when tables change (`migrations/`)."""
LONGEST_NAME: Final = 63
"""Bytes of a PostgreSQL name; a longer one would be cut."""


def grant_reader(engine: Engine, name: str) -> None:
    """Let a role read the views; make it, able to log in and without a password, where there is none.

    The sessions of one that is made are read-only and its statements end after a minute, unless it asks for more; one
    that is there keeps its own ways. Raises UsageError on a name that PostgreSQL would cut, HistoryError where the
    database's user may not do this.
    """
    if not name or len(name.encode()) > LONGEST_NAME or "\x00" in name:
        raise UsageError(f"NAME must have 1 to {LONGEST_NAME} bytes, got {name!r}")
    role = engine.dialect.identifier_preparer.quote_identifier(name)  # doubles % too
    with transaction(engine) as connection:
        run = connection.exec_driver_sql
        known = connection.execute(text("SELECT FROM pg_roles WHERE rolname = :name"), {"name": name}).one_or_none()
        if known is None:
            run(f"CREATE ROLE {role} LOGIN")
            run(f"ALTER ROLE {role} SET default_transaction_read_only = on")
            run(f"ALTER ROLE {role} SET statement_timeout = '60s'")
        run(f"GRANT USAGE ON SCHEMA public TO {role}")
        run(f"GRANT SELECT ON {', '.join(VIEWS)} TO {role}")
