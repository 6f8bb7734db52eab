"""Users' totals by bucket of impression time: logged as they happen, added up when a bucket is complete."""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Final

import numpy as np

from lis_online.events.hashing import NO_ID
from lis_online.events.windows_log import VERSION, UserTotalsBucket, encode
from lis_online.experiments.columns import quantities_of
from lis_online.experiments.moments import UNIT
from lis_online.experiments.user_totals import ENTERED, FIRST, TotalsTable, encode_parts, hashed, kept
from lis_online.join.pending import NOWHERE
from lis_online.records import MAX_TIME
from lis_online.settings import Settings
from lis_online.settings.durations import rollup_length
from lis_online.snapshots.contract import Snapshot
from lis_online.snapshots.steps import Steps

_CODES: Final = {"users": "q", "arms": "h", "met": "b", "places": "q", "quantities": "h", "amounts": "q"}

_TOGETHER: Final = 1 << 18
"""Numbers that are copied in one step."""


@dataclass(slots=True)
class _Log:
    """One bucket's events, in order. users, arms, met: of its impressions; the rest of their actions.

    arms, met: a number for each experiment. places: which impression an action is of.
    """

    users: array[int]
    arms: array[int]
    met: array[int]
    places: array[int]
    quantities: array[int]
    amounts: array[int]

    @classmethod
    def of(cls, columns: Mapping[str, np.ndarray] = MappingProxyType({})) -> _Log:
        """Return a log of these columns, the others empty."""
        return cls(**{name: array(code, columns[name].tobytes() if columns else b"") for name, code in _CODES.items()})

    def column(self, name: str) -> np.ndarray:
        """Return a copy of a column."""
        return np.array(getattr(self, name), _CODES[name])

    def lengths(self) -> dict[str, int]:
        """Return the columns' lengths."""
        return {name: len(getattr(self, name)) for name in _CODES}


class UserBuckets:
    """The open buckets of one join shard, by start.

    A bucket is complete when the attribution window of its last impression has passed: at `due`. All users are
    logged, in 12 bytes an impression and 18 an action, and those outside the share left out at the end, at once.
    """

    def __init__(self, settings: Settings, shard: int) -> None:
        history = settings.history
        self._shard = shard
        self._length = rollup_length(history.rollup, settings.metrics.bucket)
        self._window = settings.events.attribution_window
        self._share = history.user_totals_share if history.keep_user_totals else 0.0
        self._names = [experiment.name for experiment in settings.experiment]
        self._quantities = len(quantities_of(settings.events))
        self._logs: dict[int, _Log] = {}
        self.due = 2 * MAX_TIME

    def show(self, ts: int, user: int, arms: tuple[int, ...], met: Sequence[bool]) -> int:
        """Log an impression; return its place in its bucket, NOWHERE where it is in none.

        arms, met: as of `Arms.show`. Times do not decrease.
        """
        if not self._share or max(arms) < 0:
            return NOWHERE
        start = ts // self._length * self._length
        log = self._logs.get(start)
        if log is None:
            log = self._logs[start] = _Log.of()
            self._set_due()
        place = len(log.users)
        log.users.append(user)
        log.arms.extend(arms)
        log.met.extend(met)
        return place

    def act(self, ts: int, place: int, quantity: int, amount: int) -> None:
        """Log an action, in millionths, on the impression of a time and a place."""
        if place != NOWHERE:
            log = self._logs[ts // self._length * self._length]
            log.places.append(place)
            log.quantities.append(quantity)
            log.amounts.append(amount)

    def remove(self, users: Sequence[int]) -> None:
        """Take the names of users off what is logged, which then counts for no arm: places stay as they are.

        A log that changes becomes another: a snapshot may not have read this one yet.
        """
        gone, experiments = np.array(users, np.int64), len(self._names)
        for start, log in list(self._logs.items()):
            named = log.column("users")
            rows = np.flatnonzero(np.isin(named, gone))
            if len(rows):
                named[rows] = NO_ID
                arms = log.column("arms").reshape(-1, experiments)
                arms[rows] = -1
                nameless = array("q", named.tobytes())
                self._logs[start] = replace(log, users=nameless, arms=array("h", arms.tobytes()))

    def take(self) -> Iterator[bytes]:
        """Remove the first bucket; yield its records for the windows topic."""
        start = next(iter(self._logs))
        log = self._logs.pop(start)
        self._set_due()
        for experiment, table in zip(self._names, self._tables(log), strict=True):
            parts = encode_parts(table) if len(table) else []
            for part, (users, data) in enumerate(parts):
                yield encode(
                    UserTotalsBucket(
                        VERSION, self._shard, experiment, start, start + self._length, part, len(parts), users, data
                    )
                )

    def begin_snapshot(self) -> Steps[Snapshot]:
        """Begin to copy the state: logs only grow, so it takes no more than how far each had grown."""
        return _snapshot([(start, log, log.lengths()) for start, log in self._logs.items()])

    def restore(self, snapshot: Snapshot) -> None:
        """Replace the state."""
        self._logs = {
            start: _Log.of({name: snapshot.arrays[f"{start}.{name}"] for name in _CODES})
            for start in snapshot.meta["starts"]
        }
        self._set_due()

    def _set_due(self) -> None:
        first = next(iter(self._logs), None)
        self.due = 2 * MAX_TIME if first is None else first + self._length + self._window

    def _tables(self, log: _Log) -> Iterator[TotalsTable]:
        """Yield the table of each experiment."""
        columns = {name: log.column(name) for name in _CODES}
        users, count = columns["users"], len(log.users)
        totals = np.zeros((count, self._quantities), np.int64)
        totals[:, 0] = UNIT
        np.add.at(totals, (columns["places"], columns["quantities"]), columns["amounts"])
        arms, met = (columns[name].reshape(count, len(self._names)) for name in ("arms", "met"))
        is_kept = kept(users, self._share)
        for experiment in range(len(self._names)):
            mine = np.flatnonzero(is_kept & (arms[:, experiment] >= 0))
            yield table_of(hashed(users[mine]), arms[mine, experiment], met[mine, experiment] > 0, totals[mine])


def _snapshot(logs: list[tuple[int, _Log, dict[str, int]]]) -> Steps[Snapshot]:
    arrays = {}
    yield
    for start, log, lengths in logs:
        for name, length in lengths.items():
            column: array[int] = getattr(log, name)
            arrays[f"{start}.{name}"] = copy = np.empty(length, column.typecode)
            for at in range(0, length, _TOGETHER):
                copy[at : at + _TOGETHER] = np.frombuffer(column, copy.dtype)[at : min(at + _TOGETHER, length)]
                yield
    return Snapshot({"starts": [start for start, _, _ in logs]}, arrays)


def table_of(users: np.ndarray, arms: np.ndarray, met: np.ndarray, totals: np.ndarray) -> TotalsTable:
    """Return the table of impressions, in the order seen.

    users: uint64 [impressions]; arms: int16; met: whether it meets the trigger, bool; totals: int64
    [impressions, quantities], of the impression and its actions.
    """
    if not len(users):
        return TotalsTable(users, arms, np.zeros(0, np.uint8), totals)
    order = np.argsort(users, kind="stable")
    users, arms, met, totals = users[order], arms[order], met[order], totals[order]
    starts = np.flatnonzero(np.diff(users, prepend=~users[:1]))
    sizes = np.diff(starts, append=len(users))
    place = np.arange(len(users))
    entry = np.repeat(np.minimum.reduceat(np.where(met, place, len(users)), starts), sizes)
    stage = 2 * np.repeat(np.arange(len(starts)), sizes) + (place >= entry)  # of which user, before or after entering
    _, seen_first, row = np.unique(stage * 64 + arms, return_index=True, return_inverse=True)
    by_seen = np.argsort(seen_first)
    rank = np.empty_like(by_seen)
    rank[by_seen] = np.arange(len(by_seen))
    found = np.zeros((len(by_seen), totals.shape[1]), np.int64)
    np.add.at(found, rank[row], totals)
    at = seen_first[by_seen]
    flags = FIRST * (np.diff(stage[at], prepend=-1) > 0) + ENTERED * (stage[at] & 1)
    return TotalsTable(users[at], arms[at], flags.astype(np.uint8), found)
