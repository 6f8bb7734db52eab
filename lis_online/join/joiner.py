"""The join: waiting records applied in order of event time; slates, pairs, reports and users' totals come out.

Order of application: (time, kind, request, item, offset). At one time impressions come before
feedback, so a history as of an impression's time holds nothing of the same millisecond; then what is
only counted. A record's offset breaks the tie between duplicates; all records of a kind come from one
partition, so the order, and with it everything that comes out, is a function of each
partition's own order.
"""

from __future__ import annotations

from array import array
from collections import Counter
from typing import Any, Final

import msgspec
import numpy as np

from lis_online.collector import without_collector
from lis_online.events.batches import PairBatch, SlateBatch
from lis_online.events.hashing import is_sampled
from lis_online.events.names import Names
from lis_online.events.windows_log import VERSION, JoinReport, encode
from lis_online.experiments.columns import Columns
from lis_online.join.arms import Arms, amount_of
from lis_online.join.arrivals import Action
from lis_online.join.coengagement import CoEngagement
from lis_online.join.columns import PairColumns, SlateColumns
from lis_online.join.exposures import Exposures
from lis_online.join.histories import Histories
from lis_online.join.pending import Pending
from lis_online.join.pending_impressions import PendingImpressions
from lis_online.join.remembered import Remembered
from lis_online.join.renaming import Renaming, Shape
from lis_online.join.user import User
from lis_online.join.user_buckets import UserBuckets
from lis_online.join.waiting import COUNT, FEEDBACK, FORGET, IMPRESSION, Waiting
from lis_online.records import MAX_TIME
from lis_online.settings import Settings
from lis_online.snapshots.contract import Snapshot
from lis_online.snapshots.nested import nest, unnest
from lis_online.snapshots.steps import Steps

NEVER: Final = 2 * MAX_TIME


class Joiner:
    """What a join shard knows, as of the event time it has reached.

    counts: records by fate, as applied.
    """

    def __init__(self, settings: Settings, shard: int) -> None:
        events = settings.events
        self._shard = shard
        self._window = events.attribution_window
        self._length = events.history_length
        self._share = events.user_sample
        self._bucket = settings.metrics.bucket
        self._label = events.actions.index(events.label)
        self._experiments = len(settings.experiment)
        self._waiting = Waiting(self._experiments)
        memory = events.attribution_window + events.allowed_lateness
        self._requests = Remembered[int](memory)
        self._actions = Remembered[tuple[int, int, int, int]](memory, width=4)
        self._pending = PendingImpressions(self._window, self._experiments)
        self._sources = CoEngagement(settings)
        self._exposures = Exposures(settings)
        self._arms = Arms(settings.experiment, events)
        self._users = UserBuckets(settings, shard)
        columns = [Columns.of(experiment, events) for experiment in settings.experiment]
        self._columns = columns
        names = msgspec.structs.replace(Names.of(settings), sources=[], variants=[])  # no state of users has them
        self._shape = Shape(names, self._sources.actions, self._arms.running, [list(one.names) for one in columns])
        self._histories = Histories(events.user_idle_limit, *self._shape.packing.shape)
        self._bucket_end = NEVER
        self._first = self._last = -1
        self.counts: Counter[str] = Counter()
        self._slates = SlateColumns(len(settings.experiment))
        self._pairs = PairColumns()
        self._batches: list[SlateBatch | PairBatch] = []
        self._windows: list[bytes] = []

    @property
    def waiting(self) -> int:
        """How many records wait for their place."""
        return len(self._waiting)

    def wait_impression(self, pending: Pending, offset: int) -> None:
        """Put an impression in its place."""
        self._waiting.push((pending.ts, IMPRESSION, pending.request, 0, offset, pending))

    def wait_action(self, action: Action, at: int, offset: int) -> None:
        """Put feedback in its place: at its own time, or where late feedback takes effect."""
        self._waiting.push((at, FEEDBACK, action.request, action.item, offset, action))

    def wait_count(self, fate: str, at: int, topic: int, offset: int) -> None:
        """Count a record that is not applied, in its place, so that reports do not depend on who was read first."""
        self._waiting.push((at, COUNT, topic, 0, offset, fate))

    def wait_forget(self, users: list[int], at: int, topic: int, offset: int) -> None:
        """Forget users once everything up to a time has been applied, that time included."""
        self._waiting.push((at, FORGET, topic, 0, offset, users))

    def advance(self, watermark: int) -> None:
        """Apply what waits up to the watermark and close the slates whose window has ended."""
        while (entry := self._waiting.pop(watermark)) is not None:
            at, kind, _, _, _, event = entry
            self._pass(at - 1)
            if kind == COUNT:
                self.counts[event] += 1
            elif kind == IMPRESSION:
                self._impression(event)
            elif kind == FORGET:
                self._forget(event)
            else:
                self._action(event, at)
        self._pass(watermark)

    def finish(self) -> None:
        """Report for the last time: every partition has ended."""
        self._report(MAX_TIME)

    def take(self) -> tuple[list[bytes], list[SlateBatch | PairBatch]]:
        """Return what was finished since the last call.

        The reports and buckets of users' totals, encoded; the slates and pairs in batches of bounded size.
        """
        for columns in (self._slates, self._pairs):
            if len(columns):
                self._batches.append(columns.take())
        taken = self._windows, self._batches
        self._windows, self._batches = [], []
        return taken

    def _impression(self, impression: Pending) -> None:
        now = impression.ts
        self._open_bucket(now)
        if not self._requests.update(impression.request, now):
            self.counts["duplicate"] += 1
            return
        self.counts["accepted"] += 1
        if impression.odd_arm:
            self.counts["unknown_arm"] += 1
        if impression.odd_surface:
            self.counts["unknown_surface"] += 1
        self._first = now if self._first < 0 else self._first
        self._last = now
        user = self._histories.update(impression.user, now)
        if self._is_shed(impression):
            self.counts["shed"] += 1
        if user.items:
            impression.history, impression.times = user.items[:], user.times[:]
        else:
            impression.times = array("q", [now + 1]) * len(impression.history)
        if self._experiments:
            self._expose(user, impression)
        self._pending.update(impression)

    def _expose(self, user: User, impression: Pending) -> None:
        """Count an impression for the experiments, and note on it where: its actions will count there too."""
        arms, met = self._exposures.get(impression)
        impression.counted = self._arms.show(user, arms, met)
        impression.place = self._users.show(impression.ts, impression.user, arms, met)

    def _action(self, action: Action, now: int) -> None:
        self._open_bucket(now)
        if not self._actions.update((action.request, action.item, action.action, action.ts), now):
            self.counts["duplicate"] += 1
            return
        user = self._histories.update(action.user, now)
        self._attribute(action, user)
        self._engage(action, user, now)

    def _attribute(self, action: Action, user: User) -> None:
        """Find the impression of feedback; what has none, or comes too late for it, feeds the history alone."""
        pending = self._pending.get(action.request)
        if action.late or (pending is None and self._requests.get(action.request, action.ts)):
            self.counts["late_feedback"] += 1
            return
        self.counts["accepted"] += 1
        if pending is None or not pending.shows(action.user, action.item):
            self.counts["unattributed"] += 1
            return
        if action.action == self._label:
            pending.click(action.item, action.ts)
        if self._experiments:
            quantity, amount = action.action + 1, amount_of(action.value)
            self._arms.act(user, pending.counted, quantity, amount)
            self._users.act(pending.ts, pending.place, quantity, amount)
        self._sources.pair(action.user, user, action.item, action.action, action.ts, self._pairs)
        if self._pairs.is_full:
            self._batches.append(self._pairs.take())

    def _engage(self, action: Action, user: User, now: int) -> None:
        if action.action == self._label:
            user.engage(action.item, now, self._length)
        self._sources.update(user, action.item, action.action, now)

    def _forget(self, users: list[int]) -> None:
        """Remove what is known of users. Keys of requests stay: a record that came twice must not bring a user back."""
        self._histories.remove(users)
        self._users.remove(users)
        removed = self._pending.remove(set(users))
        if removed:
            self.counts["forgotten"] += removed

    def _pass(self, now: int) -> None:
        """Send what is due and close what has ended: everything up to a time has been applied.

        In the order of what is due when, so that the batches that records come in leave no trace.
        """
        while self._bucket_end <= now + 1 or self._users.due <= now:
            if self._users.due < self._bucket_end:
                self._windows.extend(self._users.take())
            else:
                self._report(self._bucket_end)
        self._close(now)

    def _close(self, watermark: int) -> None:
        for slate in self._pending.close(watermark):
            if self._is_shed(slate):
                continue
            self._slates.update(slate)
            if self._slates.is_full:
                self._batches.append(self._slates.take())

    def _is_shed(self, impression: Pending) -> bool:
        """Say whether no slate is made of it: its user is outside the sample. Everything else of it counts."""
        return self._share < 1 and not is_sampled(impression.user, self._share)

    def _open_bucket(self, now: int) -> None:
        if self._bucket_end == NEVER:
            self._bucket_end = (now // self._bucket + 1) * self._bucket

    def _report(self, revision: int) -> None:
        report = JoinReport(
            VERSION,
            self._shard,
            revision,
            self._first,
            self._last,
            dict(sorted(self.counts.items())),
            self._arms.quantities,
            self._arms.get(),
            self._arms.columns,
        )
        self._windows.append(encode(report))
        self._bucket_end = NEVER

    def begin_snapshot(self) -> Steps[Snapshot]:
        """Begin to copy the state; what is finished must have been taken."""
        meta = {
            "shape": msgspec.to_builtins(self._shape),
            "arms": self._arms.snapshot(),
            "bucket_end": self._bucket_end,
            "first": self._first,
            "last": self._last,
            "counts": dict(self.counts),
        }
        parts = {name: part.begin_snapshot() for name, part in self._parts().items()}
        keys = {"requests": self._requests.begin_snapshot(), "actions": self._actions.begin_snapshot()}
        return _snapshot(meta, parts, keys)

    def restore(self, snapshot: Snapshot) -> None:
        """Replace the state.

        That of settings with other sources, experiments, arms or metrics goes on under the names that are the same.
        """
        renaming = Renaming(msgspec.convert(snapshot.meta["shape"], Shape), self._shape, self._columns)
        if not renaming.is_same:
            snapshot = renaming.snapshot(snapshot)
        meta, arrays = snapshot.meta, snapshot.arrays
        with without_collector():
            for name, part in self._parts().items():
                part.restore(Snapshot(meta[name], unnest(name, arrays)))
        self._requests.restore(arrays["requests"])
        self._actions.restore(arrays["actions"])
        self._arms.restore(meta["arms"])
        self._bucket_end, self._first, self._last = meta["bucket_end"], meta["first"], meta["last"]
        self.counts = Counter(meta["counts"])
        self.take()

    def _parts(self) -> dict[str, Waiting | Histories | PendingImpressions | UserBuckets]:
        return {
            "waiting": self._waiting,
            "histories": self._histories,
            "pending": self._pending,
            "users": self._users,
        }


def _snapshot(
    meta: dict[str, Any], parts: dict[str, Steps[Snapshot]], keys: dict[str, Steps[np.ndarray]]
) -> Steps[Snapshot]:
    arrays: dict[str, np.ndarray] = {}
    for name, steps in parts.items():
        part = yield from steps
        meta[name] = part.meta
        arrays |= nest(name, part.arrays)
    for name, steps_of_keys in keys.items():
        arrays[name] = yield from steps_of_keys
    return Snapshot(meta, arrays)
