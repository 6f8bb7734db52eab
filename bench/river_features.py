"""The features of the rank shard as river takes them, from the events on: what `RiverJob` is fed with.

Everything that the settings of the standard load ask for, in dictionaries and numpy, by other ways than the rank
shard's: no compiled loops, no sketches, no columns.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from math import cos, log1p, pi, sin
from typing import NamedTuple

import numpy as np

from bench.river_counts import Counts
from bench.river_join import Join, Slate
from bench.river_pairs import Pairs
from bench.river_vectors import Vectors
from lis_online.events.decode import decode_representation
from lis_online.events.hashing import fold_of, id_hash
from lis_online.events.wire import ItemAttributes
from lis_online.metrics.layout import Layout
from lis_online.rankers.history_loop import UNKNOWN_HOURS
from lis_online.rankers.inputs import DAY, HOUR
from lis_online.settings import Settings

SIDE = ("side 0", "side 1", "side 2")
CONTEXT = (
    "sine of the hour",
    "cosine of the hour",
    "length of the history",
    "inverse position",
    "position",
    "age",
    "age is known",
)
REPEATS = ("times in the history", "last time in the history")
NOTHING: dict[str, float] = {}
UNKNOWN = ItemAttributes()

Row = dict[str, float]


class Sample(NamedTuple):
    """shared: what all rankers see; own: of each ranker, in the layout's order; features that are not there are 0."""

    shared: Row
    own: list[Row]
    label: bool


class Names(dict[str, str]):
    """The name of the feature of each id of a kind, made once.

    >>> Names("user")["u7"]
    'user u7'
    """

    def __init__(self, kind: str) -> None:
        self._kind = kind

    def __missing__(self, one: str) -> str:
        name = self[one] = f"{self._kind} {one}"
        return name


class Folds(dict[str, int]):
    """The fold of each user, found once.

    >>> Folds(8)["u7"] in range(8)
    True
    """

    def __init__(self, folds: int) -> None:
        self._folds = folds

    def __missing__(self, user: str) -> int:
        fold = self[user] = int(fold_of(np.array([id_hash(user)]), self._folds)[0])
        return fold


def dense_names(settings: Settings) -> list[str]:
    """Return the names of the dense features, in the order of `rankers.inputs.dense_features`."""
    events, training = settings.events, settings.training
    surfaces = [f"surface {name}" for name in (*events.surfaces, "other")]
    counts = [f"{kind} {k}" for kind in ("impressions", "clicks", "rate") for k in range(len(training.half_lives))]
    return [*surfaces, *CONTEXT, *REPEATS, *counts]


class RiverFeatures:
    """Joins events and returns samples once all pairs that they may see are known."""

    def __init__(self, settings: Settings) -> None:
        training = settings.training
        self._layout = Layout.of(settings)
        self._counts = Counts(training.half_lives, training.count_tick)
        self._join = Join(settings, self._counts.show, self._counts.click)
        self._pairs = {source.name: Pairs(settings, source.name) for source in settings.preference}
        self._vectors = {variant.name: Vectors(variant.name, variant.dimension) for variant in settings.variant}
        self._horizon, self._folds = settings.leakage.horizon, Folds(settings.leakage.folds)
        self._surfaces = settings.events.surfaces
        self._count_names = dense_names(settings)[-3 * len(training.half_lives) :]
        self._users, self._items = Names("user"), Names("item")
        self._authors, self._categories = Names("author"), Names("category")
        self._waiting: deque[Slate] = deque()

    def update(self, topic: str, value: bytes) -> None:
        """Add a record, in order of arrival."""
        if topic == "representations":
            event = decode_representation(value)
            self._vectors[event.variant].update(event)
        else:
            self._join.update(topic, value)

    def take(self) -> Iterator[tuple[Slate, list[Sample]]]:
        """Yield the slates that are ready, in order of time, with their samples."""
        return self._take(self._join.advance())

    def finish(self) -> Iterator[tuple[Slate, list[Sample]]]:
        """Yield all that is left: nothing follows."""
        return self._take(self._join.finish())

    def _take(self, closed: list[Slate]) -> Iterator[tuple[Slate, list[Sample]]]:
        self._counts.advance(self._join.watermark)
        self._waiting += closed
        pairs, self._join.pairs = self._join.pairs, []
        for name, source in self._pairs.items():
            source.update([pair for pair in pairs if pair[4] == name])
        until = min(source.close(self._join.watermark + 1) for source in self._pairs.values()) - self._horizon
        while self._waiting and self._waiting[0].event.ts < until:
            slate = self._waiting.popleft()
            yield slate, self._samples(slate)

    def _samples(self, slate: Slate) -> list[Sample]:
        own = self._own(slate)
        return [
            Sample(*both, label)
            for both, label in zip(zip(self._shared(slate), own, strict=True), slate.labels, strict=True)
        ]

    def _shared(self, slate: Slate) -> Iterator[Row]:
        event = slate.event
        hour = 2 * pi * (event.ts % DAY) / DAY
        surface = event.surface if event.surface in self._surfaces else "other"
        of_slate = {
            f"surface {surface}": 1.0,
            "sine of the hour": sin(hour),
            "cosine of the hour": cos(hour),
            "length of the history": log1p(len(slate.history)) / 3,
            self._users[event.user_id]: 1.0,
        }
        attributes, repeated = event.item_attributes, set(slate.history).intersection(event.items)
        positions = event.positions or range(len(event.items))
        for item, position, counts in zip(event.items, positions, slate.counts, strict=True):
            row = of_slate.copy()
            row["inverse position"] = 1 / (1 + position)
            row["position"] = log1p(position) / 3
            row[self._items[item]] = 1.0
            known = attributes.get(item, UNKNOWN)
            if known.author:
                row[self._authors[known.author]] = 1.0
            if known.category:
                row[self._categories[known.category]] = 1.0
            created = known.created_ts
            if created is not None and 0 <= created <= event.ts:
                row["age"] = log1p((event.ts - created) / HOUR) / 4
                row["age is known"] = 1.0
            if item in repeated:
                row[REPEATS[0]], row[REPEATS[1]] = _repeats(slate, item)
            row.update(zip(self._count_names, counts, strict=True))
            yield row

    def _own(self, slate: Slate) -> list[list[Row]]:
        event, layout = slate.event, self._layout
        own = [[NOTHING] * len(layout.rankers) for _ in event.items]
        fold = self._folds[event.user_id]
        for s, source in enumerate(self._pairs.values()):
            (leaked, placebo, thinned), past = source.get(event.items, slate.history, event.ts, fold)
            for kind, features in (("leaked", leaked), ("past", past), ("placebo", placebo), ("thinned", thinned)):
                for place, values in features.items():
                    own[place][layout.of_source(kind, s)] = dict(zip(SIDE, values, strict=True))
        for v, vectors in enumerate(self._vectors.values()):
            vectors.advance(event.ts)
            both = vectors.get(event.items, slate.history)
            for kind, similarities in zip(("aligned", "permuted"), both, strict=True):
                ranker = layout.of_variant(kind, v)
                for row, values in zip(own, similarities, strict=True):
                    row[ranker] = dict(zip(SIDE, values, strict=True))
        return own


def _repeats(slate: Slate, item: str) -> tuple[float, float]:
    """Return how often and how recently a candidate is itself in the history."""
    if not slate.times:
        return log1p(slate.history.count(item)), 1 / (1 + UNKNOWN_HOURS)
    last = max(time for other, time in zip(slate.history, slate.times, strict=True) if other == item)
    return log1p(slate.history.count(item)), 1 / (1 + (slate.event.ts - last) / HOUR)
