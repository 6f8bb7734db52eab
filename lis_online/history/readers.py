"""A role that may read the analysts' views and change nothing."""

from __future__ import annotations

from typing import Final

from sqlalchemy import Engine

from lis_online.history.engine import transaction
from lis_online.history.roles import login_role, tables

VIEWS: Final = (
    "lis_numbers", "lis_diagnoses", "lis_arms", "lis_lifts", "lis_sample_ratios", "lis_event_counts",
    "lis_drift_events", "lis_annotations", "lis_buckets", "lis_configurations",
)  # fmt: skip
"""Their names and columns stay when tables change (`migrations/`)."""


def grant_reader(engine: Engine, name: str, with_tables: bool = False) -> None:
    """Let a role read the views; make it, able to log in and without a password, where there is none.

    with_tables: the tables too, which `serve`, `review` and `history range` read. The sessions of one that is made are
    read-only and its statements end after a minute, unless it asks for more; one that is there keeps its own ways.
    Raises UsageError on a name that PostgreSQL would cut, HistoryError where the database's user may not do this.
    """
    with transaction(engine) as connection:
        role = login_role(connection, name, ("default_transaction_read_only = on", "statement_timeout = '60s'"))
        connection.exec_driver_sql(f"GRANT USAGE ON SCHEMA public TO {role}")
        connection.exec_driver_sql(f"GRANT SELECT ON {', '.join(VIEWS)} TO {role}")
        if with_tables:
            connection.exec_driver_sql(f"GRANT SELECT ON {tables()} TO {role}")
