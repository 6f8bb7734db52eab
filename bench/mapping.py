"""What decoding another format costs against the event schema: `python -m bench.mapping`.

Interleaved, the best of several, by this process's own time.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import Any

import msgspec

from lis_online.events.decode import decode_feedback, decode_impression
from lis_online.mapping.codec import Codec
from lis_online.settings import Settings

MAPPING: dict[str, Any] = {
    "impressions": {
        "request_id": "$.trace.id",
        "user_id": "$.viewer.uid",
        "ts": {"path": "$.served_at", "unit": "s"},
        "surface": {"value": "feed"},
        "items": "$.cards[*].note_id",
        "positions": "$.cards[*].slot",
        "experiments": "$.ab",
        "skip": {"path": "$.type", "values": ["prefetch"]},
    },
    "feedback": {
        "request_id": "$.trace",
        "user_id": "$.uid",
        "item_id": "$.note",
        "ts": "$.at",
        "action": {"path": "$.evt", "rename": {"tap": "click"}},
    },
}
CARDS = [{"note_id": f"note-{n}", "slot": n, "score": 0.123, "title": "some title of a note"} for n in range(20)]
SERVED = {
    "trace": {"id": "r1-abcdef", "span": 5, "parent": "xyz"},
    "viewer": {"uid": 123456, "device": {"os": "ios", "v": "1.2"}},
    "served_at": 1573516800.5,
    "type": "feed",
    "cards": CARDS,
    "ab": {"mllm-q4": "treatment"},
}
TAPPED = {"trace": "r1-abcdef", "uid": 123456, "note": "note-3", "at": 1573516803000, "evt": "tap", "app": "9.1"}
ROUNDS = 60
CALLS = 500


def cost(decode: Callable[[bytes], object], value: bytes) -> float:
    """Return what a call takes, microseconds."""
    begun = time.process_time()
    for _ in range(CALLS):
        decode(value)
    return (time.process_time() - begun) / CALLS * 1e6


def main() -> None:
    """Print one line for each topic."""
    codec = Codec(Settings.of({"mapping": MAPPING}).mapping)
    plain: dict[str, tuple[dict[str, Any], Callable[[bytes], object]]] = {
        "impressions": (SERVED, decode_impression),
        "feedback": (TAPPED, decode_feedback),
    }
    for topic, (message, decode) in plain.items():
        theirs = msgspec.json.encode(message)
        (event,) = codec.events(topic, theirs)
        ours = msgspec.json.encode(event)
        pairs = [
            (cost(lambda value, topic=topic: codec.events(topic, value), theirs), cost(decode, ours))  # type: ignore[misc]
            for _ in range(ROUNDS)
        ]
        mapped, direct = (min(column) for column in zip(*pairs, strict=True))
        sys.stdout.write(
            f"{topic}: mapped {mapped:.1f} us ({len(theirs)} bytes), event schema {direct:.1f} us ({len(ours)} bytes), "
            f"ratio {mapped / direct:.1f}\n"
        )


if __name__ == "__main__":
    main()
