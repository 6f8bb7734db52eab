"""What a backfill must not write over: the history that a live pipeline writes under the same settings."""

from __future__ import annotations

from sqlalchemy import Engine, select

from lis_online.errors import UsageError
from lis_online.history import schema
from lis_online.history.configuration import find_configuration
from lis_online.history.engine import transaction
from lis_online.history.tables import configurations
from lis_online.settings import Settings


def check_backfill(engine: Engine, settings: Settings) -> None:
    """Return when rows made under these settings can be written beside all others.

    Raises HistoryError where the schema is another, and UsageError where the configuration is a live one.
    """
    schema.check(engine)
    with transaction(engine) as connection:
        found = find_configuration(connection, settings)
        note = select(configurations.c.note).where(configurations.c.id == found)
        live = found is not None and connection.execute(note).scalar_one() is None
    if live:
        raise UsageError(
            f"settings of a backfill must differ from those of a live pipeline, got those of configuration {found}: "
            "its numbers are in the history already, and these would mix with them; change a setting that decides "
            f"numbers, or read what is there with `lis-online history range --configuration {found}`"
        )
