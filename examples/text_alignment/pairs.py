"""The preference pairs to align on: what users clicked one after the other, before the time that is evaluated."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterable, Sequence
from typing import Final

import msgspec

PARTNERS: Final = 5
"""A click makes pairs with so many clicks of the user before it, as the source `coclick` does."""

Pair = tuple[str, str]


def coclicks(log: Iterable[tuple[str, bytes]], gap: int) -> list[Pair]:
    """Return the pairs of a recorded log's clicks, in order. gap: ms between two clicks of a pair, at most."""
    recent: dict[str, deque[tuple[int, str]]] = defaultdict(lambda: deque(maxlen=PARTNERS))
    found: list[Pair] = []
    for topic, value in log:
        if topic != "feedback":
            continue
        event = msgspec.json.decode(value)
        if event["action"] == "click":
            user, item, ts = event["user_id"], event["item_id"], event["ts"]
            found += [(other, item) for then, other in recent[user] if ts - then <= gap and other != item]
            recent[user].append((ts, item))
    return found


def in_sequence(clicked: Sequence[str]) -> list[Pair]:
    """Return the pairs of one user's clicks, oldest first, whose times are not known.

    >>> in_sequence(["a", "b", "a"])
    [('a', 'b'), ('b', 'a')]
    """
    return [
        (other, item)
        for at, item in enumerate(clicked)
        for other in clicked[max(0, at - PARTNERS) : at]
        if other != item
    ]
