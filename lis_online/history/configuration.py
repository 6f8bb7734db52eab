"""Which settings numbers were made under: the configuration that every row belongs to."""

from __future__ import annotations

import json
from hashlib import blake2b
from typing import Any, Final

from sqlalchemy import Connection, select, update
from sqlalchemy.dialects.postgresql import insert

from lis_online.history.tables import configurations
from lis_online.settings import Settings

SECTIONS: Final = ("events", "leakage", "training", "metrics", "preference", "variant", "experiment")
"""The sections that decide numbers. Addresses, credentials, folders and ports do not, and stay out."""

READ_ONLY: Final[dict[str, Any]] = {
    "alpha": True,
    "correction": True,
    "tightest_at_users": True,
    "metric": {"__all__": {"guardrail", "minimum_effect"}},
    "arm": {"__all__": {"share", "variant"}},
}
"""Keys of an experiment that say how its moments are read: they may change while it runs, and split no history."""


def described(settings: Settings) -> dict[str, Any]:
    """Return the settings that decide numbers, as JSON values; durations in ms, no secret."""
    return settings.model_dump(mode="json", include=set(SECTIONS))


def fingerprint(settings: Settings) -> str:
    """Return 32 hexadecimal digits that differ when a setting that decides numbers does.

    >>> plain, moved = Settings.of({}), Settings.of({"kafka": {"bootstrap": "elsewhere:9092"}})
    >>> fingerprint(plain) == fingerprint(moved)
    True
    >>> fingerprint(plain) == fingerprint(Settings.of({"leakage": {"folds": 4}}))
    False
    """
    left_out = {"experiment": {"__all__": READ_ONLY}}
    deciding = settings.model_dump(mode="json", include=set(SECTIONS), exclude=left_out)
    canonical = json.dumps(deciding, sort_keys=True, separators=(",", ":"))
    return blake2b(canonical.encode(), digest_size=16).hexdigest()


def configuration_id(connection: Connection, settings: Settings, note: str | None = None) -> int:
    """Return the row's id, which is made where there is none yet, with the note; its settings become the newest.

    note: None for live numbers, else what a backfill was made from. Live ones that join those of a backfill take the
    note away: from then on no backfill may write there.
    """
    name, wanted = fingerprint(settings), described(settings)
    column = configurations.c
    query = select(column.id, column.settings, column.note).where(configurations.c.fingerprint == name)
    known = connection.execute(query).one_or_none()
    if known is None:
        row = {"fingerprint": name, "settings": wanted, "note": note}
        connection.execute(insert(configurations).values(row).on_conflict_do_nothing())
        known = connection.execute(query).one()
    kept = None if note is None else known.note
    if (known.settings, known.note) != (wanted, kept):  # keys that are only read have changed, or a worker came
        row = {"settings": wanted, "note": kept}
        connection.execute(update(configurations).where(column.id == known.id).values(row))
    return int(known.id)


def find_configuration(connection: Connection, settings: Settings) -> int | None:
    """Return the id of the settings' row, None where nothing was written under them."""
    query = select(configurations.c.id).where(configurations.c.fingerprint == fingerprint(settings))
    return connection.execute(query).scalar_one_or_none()


def list_configurations(connection: Connection) -> list[int]:
    """Return the ids that there are, ascending."""
    return list(connection.execute(select(configurations.c.id).order_by(configurations.c.id)).scalars())
