"""Slates and pairs as growing columns, turned into batches piece by piece."""

from __future__ import annotations

from array import array
from functools import lru_cache

import numpy as np

from lis_online.events.batches import PairBatch, SlateBatch
from lis_online.events.hashing import NO_ID
from lis_online.join.arrivals import UNKNOWN_AGE
from lis_online.join.pending import Pending

SLATE_BYTES, ITEM_BYTES, HISTORY_BYTES, PAIR_BYTES = 34, 43, 16, 46
"""What a slate (without its arms), an item of it, a history entry and a pair take in a batch."""

MAX_BYTES = 400_000
"""A batch's size, nearly: well under Kafka's 1 MiB, large enough that sending costs little per slate."""

MAX_SLATES = 2000
"""Slates of a batch: a rank shard's turn stays short."""

NO_DELAY = -1


class SlateColumns:
    """Columns of a SlateBatch that closed impressions are appended to."""

    def __init__(self, experiments: int) -> None:
        self._experiments = experiments
        self._slate_bytes = SLATE_BYTES + 2 * experiments
        self._clear()

    def update(self, slate: Pending) -> None:
        """Append a closed impression."""
        items = slate.items
        count = len(items)
        self._ts.append(slate.ts)
        self._request.append(slate.request)
        self._user.append(slate.user)
        self._surface.append(slate.surface)
        self._arm.extend(slate.arms)
        self._n_items.append(count)
        self._n_history.append(len(slate.history))
        self._history.extend(slate.history)
        self._time.extend(slate.times)
        self._item.extend(items)
        self._position.extend(_upwards(count) if slate.positions is None else slate.positions)
        self._author.extend(_constant(count, NO_ID) if slate.authors is None else slate.authors)
        self._category.extend(_constant(count, NO_ID) if slate.categories is None else slate.categories)
        self._age.extend(_constant(count, UNKNOWN_AGE) if slate.ages is None else slate.ages)
        start = len(self._delay)
        self._delay.extend(_constant(count, NO_DELAY))
        for index, delay in (slate.delays or {}).items():
            self._delay[start + index] = delay

    def __len__(self) -> int:
        return len(self._ts)

    @property
    def is_full(self) -> bool:
        """Say whether the slates fill a block."""
        slates = len(self._ts)
        size = slates * self._slate_bytes + len(self._item) * ITEM_BYTES + len(self._history) * HISTORY_BYTES
        return size >= MAX_BYTES or slates >= MAX_SLATES

    def take(self) -> SlateBatch:
        """Return the slates so far, and begin anew."""
        ts, delay = _numpy(self._ts, np.int64), _numpy(self._delay, np.int64)
        n_history = _numpy(self._n_history, np.int32)
        batch = SlateBatch(
            ts=ts,
            request=_numpy(self._request, np.int64),
            user=_numpy(self._user, np.int64),
            surface=_numpy(self._surface, np.int16),
            arm=_numpy(self._arm, np.int16).reshape(len(ts), self._experiments),
            n_items=_numpy(self._n_items, np.int32),
            n_history=n_history,
            item=_numpy(self._item, np.int64),
            label=(delay >= 0).astype(np.uint8),
            delay=delay,
            position=_numpy(self._position, np.int16),
            author=_numpy(self._author, np.int64),
            category=_numpy(self._category, np.int64),
            age=_numpy(self._age, np.int64),
            history=_numpy(self._history, np.int64),
            history_age=np.repeat(ts, n_history) - _numpy(self._time, np.int64),
        )
        self._clear()
        return batch

    def _clear(self) -> None:
        self._ts, self._request, self._user = array("q"), array("q"), array("q")
        self._surface, self._arm = array("h"), array("h")
        self._n_items, self._n_history = array("i"), array("i")
        self._item, self._author, self._category = array("q"), array("q"), array("q")
        self._age, self._delay, self._position = array("q"), array("q"), array("h")
        self._history, self._time = array("q"), array("q")


class PairColumns:
    """Columns of a PairBatch that co-engagement pairs (weight 1) are appended to."""

    def __init__(self) -> None:
        self._clear()

    def update(self, ts: int, source: int, item_a: int, item_b: int, user: int, click: int) -> None:
        """Append a pair."""
        self._ts.append(ts)
        self._source.append(source)
        self._item_a.append(item_a)
        self._item_b.append(item_b)
        self._user.append(user)
        self._click.append(click)

    def __len__(self) -> int:
        return len(self._ts)

    @property
    def is_full(self) -> bool:
        """Say whether the pairs fill a block."""
        return len(self._ts) * PAIR_BYTES >= MAX_BYTES

    def take(self) -> PairBatch:
        """Return the pairs so far, and begin anew."""
        batch = PairBatch(
            ts=_numpy(self._ts, np.int64),
            source=_numpy(self._source, np.int16),
            item_a=_numpy(self._item_a, np.int64),
            item_b=_numpy(self._item_b, np.int64),
            user=_numpy(self._user, np.int64),
            click=_numpy(self._click, np.int64),
            weight=np.ones(len(self._ts), np.int32),
        )
        self._clear()
        return batch

    def _clear(self) -> None:
        self._ts, self._source = array("q"), array("h")
        self._item_a, self._item_b = array("q"), array("q")
        self._user, self._click = array("q"), array("q")


def _numpy(column: array[int], dtype: type[np.generic]) -> np.ndarray:
    return np.frombuffer(column, dtype)


@lru_cache(maxsize=4096)
def _constant(count: int, value: int) -> array[int]:
    return array("q", [value]) * count


@lru_cache(maxsize=1024)
def _upwards(count: int) -> array[int]:
    return array("h", range(count))
