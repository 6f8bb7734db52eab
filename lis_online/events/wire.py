"""The wire schema: what arrives from outside, as msgspec structs.

Times are milliseconds since 1970, UTC. Unknown fields are ignored; a missing or
ill-typed one is refused (`decode.py`).
"""

from __future__ import annotations

import msgspec

SCHEMA_VERSION = 1

END_TICK = b'{"schema_version":1,"tick":"end"}'
"""The value that says: nothing follows in this partition. `replay --finish` sends it."""


class ItemAttributes(msgspec.Struct):
    """What is known of an item when it is shown. created_ts in ms since 1970."""

    author: str | None = None
    category: str | None = None
    created_ts: int | None = None


class Impression(msgspec.Struct):
    """One served request: a user, a time, a slate of items in order.

    positions defaults to 0, 1, ...; history is item ids, oldest first, and used while nothing
    of this user has been seen yet; experiments maps experiment to arm.
    """

    schema_version: int
    request_id: str
    user_id: str
    ts: int
    surface: str
    items: list[str]
    experiments: dict[str, str] = {}
    positions: list[int] | None = None
    item_attributes: dict[str, ItemAttributes] = {}
    context: dict[str, str | int | float] = {}
    history: list[str] = []


class Feedback(msgspec.Struct):
    """One user action on one item of one impression. dwell in seconds."""

    schema_version: int
    request_id: str
    user_id: str
    item_id: str
    ts: int
    action: str
    value: float = 1.0


class PackedVector(msgspec.Struct):
    """A vector as bytes: base64 of little-endian numbers. dtype is float16 or float32."""

    dtype: str
    data: str


class Representation(msgspec.Struct):
    """The vector of one item in one version of one variant. Topic key: `variant|item_id`."""

    schema_version: int
    variant: str
    version: str
    item_id: str
    ts: int
    vector: list[float] | PackedVector


class Preference(msgspec.Struct):
    """One pair of items of a preference source. weight is a whole number from 1."""

    schema_version: int
    source: str
    item_a: str
    item_b: str
    ts: int
    user_id: str | None = None
    weight: int = 1
