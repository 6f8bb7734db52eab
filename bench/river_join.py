"""Events into labelled slates and pairs of clicked items, as one would write it by hand: dictionaries and a heap."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Callable
from heapq import heappop, heappush
from typing import Any

from lis_online.events.decode import decode_feedback, decode_impression
from lis_online.events.hashing import id_hash
from lis_online.events.wire import Feedback, Impression
from lis_online.settings import Settings

IMPRESSION, CLICK = range(2)
"""The order of what happens in one millisecond."""

Pair = tuple[int, str, str, str, str]
"""Time (ms), the item clicked before, the item clicked now, the user, the source."""


class Slate:
    """An impression on its way to samples.

    history: item ids, oldest first; times: of their clicks, ms, [] where the impression brought them. labels: of the
    items; counts: their counted features, once they are read.
    """

    __slots__ = ("counts", "event", "history", "labels", "times")

    def __init__(self, event: Impression, history: list[str], times: list[int]) -> None:
        self.event = event
        self.history = history
        self.times = times
        self.labels = [False] * len(event.items)
        self.counts: list[list[float]] = []


class User:
    """What a user clicked: a history, and distinct items by the time of their last click, least recent first."""

    __slots__ = ("items", "recent", "times")

    def __init__(self) -> None:
        self.items: list[str] = []
        self.times: list[int] = []
        self.recent: dict[str, int] = {}


class Join:
    """Joins impressions and clicks in the order of event time, behind the watermark.

    shown, clicked: called as event time comes to an impression, and to the first click on an item of one. Late records
    and records that come twice are not looked for.
    """

    def __init__(
        self, settings: Settings, shown: Callable[[Slate], object], clicked: Callable[[str, int], object]
    ) -> None:
        events = settings.events
        self._label = events.label
        self._window = events.attribution_window
        self._lateness = events.allowed_lateness
        self._length = events.history_length
        self._sources = settings.preference
        self._kept = max((source.partners for source in self._sources), default=0) + 1
        self._shown, self._clicked = shown, clicked
        self._newest = {"impressions": 0, "feedback": 0}
        self._heap: list[tuple[int, int, int, int, Any]] = []
        self._arrived = 0
        self._users: defaultdict[str, User] = defaultdict(User)
        self._open: dict[str, Slate] = {}
        self._pending: deque[Slate] = deque()
        self.pairs: list[Pair] = []
        self.watermark = 0

    def update(self, topic: str, value: bytes) -> None:
        """Add a record of impressions or feedback, in order of arrival."""
        event: Impression | Feedback
        if topic == "impressions":
            event, kind, tie = decode_impression(value), IMPRESSION, 0
        else:
            event = decode_feedback(value)
            kind, tie = CLICK, id_hash(event.item_id)  # of clicks in one millisecond the same one is last
        self._arrived += 1
        heappush(self._heap, (event.ts, kind, tie, self._arrived, event))
        if event.ts > self._newest[topic]:
            self._newest[topic] = event.ts

    def advance(self) -> list[Slate]:
        """Apply what the watermark has passed; return the slates whose window has ended, in order of time."""
        return self._advance(min(self._newest.values()) - self._lateness)

    def finish(self) -> list[Slate]:
        """Apply everything: nothing follows."""
        return self._advance(1 << 62)

    def _advance(self, watermark: int) -> list[Slate]:
        heap = self._heap
        while heap and heap[0][0] <= watermark:
            _, kind, _, _, event = heappop(heap)
            if kind == IMPRESSION:
                self._impression(event)
            elif event.action == self._label:
                self._click(event)
        self.watermark = watermark
        closed, pending, last = [], self._pending, watermark - self._window
        while pending and pending[0].event.ts <= last:
            slate = pending.popleft()
            del self._open[slate.event.request_id]
            closed.append(slate)
        return closed

    def _impression(self, event: Impression) -> None:
        user = self._users[event.user_id]
        if user.items:
            slate = Slate(event, user.items[:], user.times[:])
        else:
            slate = Slate(event, event.history[-self._length :], [])
        self._open[event.request_id] = slate
        self._pending.append(slate)
        self._shown(slate)

    def _click(self, event: Feedback) -> None:
        now, item = event.ts, event.item_id
        user, slate = self._users[event.user_id], self._open.get(event.request_id)
        if slate is not None and now - slate.event.ts <= self._window and item in slate.event.items:
            place = slate.event.items.index(item)
            if not slate.labels[place]:
                slate.labels[place] = True
                self._clicked(item, now)
            self._pair(event, user)
        user.items.append(item)
        user.times.append(now)
        if len(user.items) > self._length:
            del user.items[0], user.times[0]
        user.recent.pop(item, None)
        user.recent[item] = now
        if len(user.recent) > self._kept:
            del user.recent[next(iter(user.recent))]

    def _pair(self, event: Feedback, user: User) -> None:
        for source in self._sources:
            left = source.partners
            for other, time in reversed(user.recent.items()):
                if event.ts - time > source.gap or not left:
                    break
                if other != event.item_id:
                    self.pairs.append((event.ts, other, event.item_id, event.user_id, source.name))
                    left -= 1
