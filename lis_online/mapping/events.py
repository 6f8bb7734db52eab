"""Fields of a message become events of the wire schema."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

from lis_online.errors import EventRefused
from lis_online.events import reasons
from lis_online.events.decode import (
    MAX_ITEMS,
    check_feedback,
    check_impression,
    check_preference,
    check_representation,
)
from lis_online.events.wire import SCHEMA_VERSION, Feedback, Impression, ItemAttributes, Preference, Representation

Event = Impression | Feedback | Representation | Preference

ARM: Final = "experiments."
"""Begins the name of a field that is the arm of one experiment."""

ATTRIBUTES: Final = {"authors": "author", "categories": "category", "created": "created_ts"}
"""Fields with a value for each item -> what the value is called there."""


def impressions(found: dict[str, Any]) -> list[Impression]:
    """Return the impression of a message's fields. Raises EventRefused."""
    arms = found.get("experiments") or {name[len(ARM) :]: arm for name, arm in found.items() if name.startswith(ARM)}
    items = found["items"]
    event = Impression(
        SCHEMA_VERSION,
        found["request_id"],
        found["user_id"],
        found["ts"],
        found["surface"],
        items,
        {name: arm for name, arm in arms.items() if arm is not None},
        found.get("positions"),
        _attributes(items, found),
        {},
        found.get("history") or [],
    )
    check_impression(event)
    return [event]


def _attributes(items: list[str], found: dict[str, Any]) -> dict[str, ItemAttributes]:
    given = {name: values for ours, name in ATTRIBUTES.items() if (values := found.get(ours)) is not None}
    if not given:
        return {}
    for ours, name in ATTRIBUTES.items():
        if name in given and len(given[name]) != len(items):
            raise EventRefused(
                reasons.INVALID, f"{ours} must be as many as items, {len(items)}, got {len(given[name])}"
            )
    rows = zip(*given.values(), strict=True)
    return {item: ItemAttributes(**dict(zip(given, row, strict=True))) for item, row in zip(items, rows, strict=True)}


def feedback(found: dict[str, Any]) -> list[Feedback]:
    """Return the feedback of a message's fields. Raises EventRefused."""
    value = found.get("value")
    event = Feedback(
        SCHEMA_VERSION,
        found["request_id"],
        found["user_id"],
        found["item_id"],
        found["ts"],
        found["action"],
        1.0 if value is None else value,
    )
    check_feedback(event)
    return [event]


def feedback_of_each(found: dict[str, Any]) -> list[Feedback]:
    """Return the feedback of a message whose fields are lists, one of each element. Raises EventRefused."""
    return [one for row in _rows({"value": None, **found}) for one in feedback(row)]


def _rows(columns: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the rows of columns of which some are lists: a single value stands in every row."""
    lengths = {name: len(column) for name, column in columns.items() if isinstance(column, list)}
    if len(set(lengths.values())) > 1:
        listed = ", ".join(f"{name} {length}" for name, length in sorted(lengths.items()))
        raise EventRefused(reasons.INVALID, f"fields of several values must be equally many, got {listed}")
    (count,) = set(lengths.values()) or {1}
    if not 1 <= count <= MAX_ITEMS:
        raise EventRefused(reasons.INVALID, f"actions of a message must be 1 to {MAX_ITEMS}, got {count}")
    return [{name: column[row] if name in lengths else column for name, column in columns.items()}
            for row in range(count)]  # fmt: skip


def representations(found: dict[str, Any]) -> list[Representation]:
    """Return the vector of a message's fields. Raises EventRefused."""
    names = ("variant", "version", "item_id", "ts", "vector")
    event = Representation(SCHEMA_VERSION, *(found[name] for name in names))
    check_representation(event)
    return [event]


def preferences(found: dict[str, Any]) -> list[Preference]:
    """Return the item pair of a message's fields. Raises EventRefused."""
    event = Preference(
        schema_version=SCHEMA_VERSION,
        **{name: found[name] for name in ("source", "item_a", "item_b", "ts")},
        user_id=found.get("user_id"),
        weight=1 if found.get("weight") is None else found["weight"],
    )
    check_preference(event)
    return [event]


BUILDERS: Final[dict[str, Callable[[dict[str, Any]], Sequence[Event]]]] = {
    "impressions": impressions,
    "feedback": feedback,
    "representations": representations,
    "preferences": preferences,
}
