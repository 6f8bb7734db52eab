"""Which settings numbers were made under: the configuration that every row belongs to."""

from __future__ import annotations

import json
from hashlib import blake2b
from typing import Any, Final

from sqlalchemy import Connection, select
from sqlalchemy.dialects.postgresql import insert

from lis_online.history.tables import configurations
from lis_online.settings import Settings

SECTIONS: Final = ("events", "leakage", "training", "metrics", "preference", "variant", "experiment")
"""The sections that decide numbers. Addresses, credentials, folders and ports do not, and stay out."""


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
    canonical = json.dumps(described(settings), sort_keys=True, separators=(",", ":"))
    return blake2b(canonical.encode(), digest_size=16).hexdigest()


def configuration_id(connection: Connection, settings: Settings) -> int:
    """Return the row's id, which is made where there is none yet."""
    name = fingerprint(settings)
    known = select(configurations.c.id).where(configurations.c.fingerprint == name)
    found = connection.execute(known).scalar_one_or_none()
    if found is not None:
        return int(found)
    row = {"fingerprint": name, "settings": described(settings)}
    connection.execute(insert(configurations).values(row).on_conflict_do_nothing())
    return int(connection.execute(known).scalar_one())


def find_configuration(connection: Connection, settings: Settings) -> int | None:
    """Return the id of the settings' row, None where nothing was written under them."""
    query = select(configurations.c.id).where(configurations.c.fingerprint == fingerprint(settings))
    return connection.execute(query).scalar_one_or_none()


def list_configurations(connection: Connection) -> list[int]:
    """Return the ids that there are, ascending."""
    return list(connection.execute(select(configurations.c.id).order_by(configurations.c.id)).scalars())
