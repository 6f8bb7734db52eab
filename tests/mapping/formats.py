"""A message format of an invented company, its mapping, and the same events in the event schema."""

from __future__ import annotations

from typing import Any

import msgspec

from lis_online.settings import Settings

MAPPING: dict[str, Any] = {
    "impressions": {
        "request_id": "$.trace.id",
        "user_id": "$.viewer.uid",
        "ts": {"path": "$.served_at", "unit": "s"},
        "surface": {"path": "$.page", "rename": {"home": "feed"}, "default": "feed"},
        "items": "$.cards[*].note_id",
        "positions": "$.cards[*].slot",
        "experiments": "$.ab",
        "authors": "$.cards[*].by",
        "created": {"path": "$.cards[*].made", "unit": "rfc3339"},
        "skip": {"path": "$.type", "values": ["prefetch"]},
    },
    "feedback": {
        "request_id": "$.trace",
        "user_id": "$.uid",
        "item_id": "$.note",
        "ts": {"path": "$.at", "unit": "us"},
        "action": {"path": "$.evt", "rename": {"tap": "click"}},
        "value": {"path": "$.dur_ms", "scale": 0.001},
    },
    "preferences": {
        "source": {"value": "search"},
        "item_a": "$.pair[0]",
        "item_b": "$.pair[-1]",
        "ts": "$.at",
    },
    "representations": {
        "variant": {"value": "title"},
        "version": "$.model",
        "item_id": "$.note",
        "ts": "$.at",
        "vector": "$.vec",
    },
}

SETTINGS = Settings.of({"mapping": MAPPING})


def served(**changes: Any) -> dict[str, Any]:
    """Return one of their impressions."""
    cards = [
        {"note_id": 11, "slot": 3, "by": "a7", "made": "2026-11-01T08:00:00+08:00", "title": "x"},
        {"note_id": "n12", "slot": 4, "title": {"zh": "y"}},
    ]
    message = {"trace": {"id": "r1"}, "viewer": {"uid": 7, "os": "ios"}, "served_at": 1573516800.25, "cards": cards}
    return {**message, "page": "home", "ab": {"mllm-q4": "treatment", "other": None}, **changes}


def tapped(**changes: Any) -> dict[str, Any]:
    """Return one of their actions."""
    return {"trace": "r1", "uid": 7, "note": "n12", "at": 1573516803_000_500, "evt": "tap", **changes}


def json_of(message: Any) -> bytes:
    """Return a message as bytes."""
    return msgspec.json.encode(message)
