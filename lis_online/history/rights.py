"""What the role of `history.url` may do."""

from __future__ import annotations

from typing import Final

from sqlalchemy import Engine, text

from lis_online.history.engine import transaction
from lis_online.history.tables import metadata

WRITES: Final = ("SELECT", "INSERT", "UPDATE")
"""What a worker that writes rows needs on every table (`roles.grant_writer`)."""


def lacking_rights(engine: Engine) -> list[str]:
    """Return what the role lacks to write rows, such as "INSERT on buckets"; tables that are missing are left out.

    Raises HistoryError where the database cannot be asked.
    """
    asked = text(
        "SELECT CASE WHEN to_regclass(:name) IS NULL THEN true ELSE has_table_privilege(:name, :privilege) END"
    )
    temporary = text("SELECT has_database_privilege(current_database(), 'TEMPORARY')")
    with transaction(engine) as connection:
        found = [
            f"{privilege} on {name}"
            for name in sorted(metadata.tables)
            for privilege in WRITES
            if not connection.execute(asked, {"name": name, "privilege": privilege}).scalar_one()
        ]
        if not connection.execute(temporary).scalar_one():
            found.append("TEMPORARY on the database")
    return found
