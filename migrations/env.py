"""Runs migrations on the connection that `lis_online.history.schema` hands over.

Run by `alembic` itself (to write a new revision), it connects to `history.url` of the environment
(`LIS_HISTORY__URL`).
"""

from __future__ import annotations

from alembic import context

from lis_online.history.schema import compare_options, connection_of_environment
from lis_online.history.tables import metadata


def run() -> None:
    """Apply what is missing, in one transaction: a migration that fails leaves nothing behind."""
    with connection_of_environment(context.config.attributes) as connection:
        context.configure(connection=connection, target_metadata=metadata, **compare_options())
        with context.begin_transaction():
            context.run_migrations()


run()
