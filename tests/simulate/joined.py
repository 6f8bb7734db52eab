"""A simulated log joined the slow way: lists and dictionaries, one pass, nothing of the shards."""

from __future__ import annotations

import base64
from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

import msgspec
import numpy as np

from lis_online.events.wire import Feedback, Impression, Preference, Representation
from lis_online.simulate.recorded import generate
from lis_online.simulate.scenarios import Scenario

TYPES = {"impressions": Impression, "feedback": Feedback, "preferences": Preference, "representations": Representation}
HISTORY = 20


@dataclass
class Joined:
    """Samples as columns, with histories [samples, HISTORY] (-1: none) and plain features; pairs, vectors by name.

    Ids are the numbers in "u7" and "i12". pairs: columns ts, user, first, second.
    """

    ts: np.ndarray
    user: np.ndarray
    item: np.ndarray
    label: np.ndarray
    history: np.ndarray
    plain: np.ndarray
    pairs: dict[str, np.ndarray]
    vectors: dict[str, np.ndarray]


@dataclass
class Known:
    """What has been seen so far: histories, views and clicks of users, items and (user, category)."""

    histories: dict[str, list[int]] = field(default_factory=lambda: defaultdict(list))
    views: dict[Any, int] = field(default_factory=lambda: defaultdict(int))
    clicks: dict[Any, int] = field(default_factory=lambda: defaultdict(int))
    category: dict[str, str | None] = field(default_factory=dict)

    def clicked(self, click: Feedback) -> None:
        """Take a click in."""
        user, item = click.user_id, click.item_id
        self.histories[user].append(int(item[1:]))
        for key in (user, item, (user, self.category[item])):
            self.clicks[key] += 1

    def plain(self, shown: Impression, position: int) -> list[float]:
        """Return what a ranker knows of one item of an impression without pairs and vectors."""
        item, user = shown.items[position], shown.user_id
        attributes = shown.item_attributes[item]
        past = self.histories[user][-HISTORY:]
        of_category = self.clicks[user, attributes.category]
        return [
            position,
            shown.surface == "ads",
            np.log1p((shown.ts - attributes.created_ts) / 60_000),
            np.log1p(len(past)),
            np.log1p(past.count(int(item[1:]))),
            np.log1p(self.views[item]),
            (self.clicks[item] + 1) / (self.views[item] + 10),
            (self.clicks[user] + 1) / (self.views[user] + 10),
            np.log1p(of_category),
            (of_category + 0.5) / (self.clicks[user] + 4),
        ]

    def shown(self, shown: Impression) -> None:
        """Take an impression in."""
        self.category.update((item, known.category) for item, known in shown.item_attributes.items())
        self.views[shown.user_id] += len(shown.items)
        for item in shown.items:
            self.views[item] += 1


def records(scenario: Scenario, slates: int, seed: int) -> dict[str, list[Any]]:
    """Return a scenario's decoded records by topic, each topic's in order of arrival."""
    found: dict[str, list[Any]] = defaultdict(list)
    for _, topic, value in generate(scenario, slates, seed):
        found[topic].append(msgspec.json.decode(value, type=TYPES[topic]))
    return found


def joined(found: dict[str, list[Any]]) -> Joined:
    """Return the samples of a log, each with what was known when it was shown."""
    clicks = sorted((f for f in found["feedback"] if f.action == "click"), key=lambda click: click.ts)
    labels = {(click.request_id, click.item_id) for click in clicks}
    rows: dict[str, list[Any]] = defaultdict(list)
    known, done = Known(), 0
    for shown in sorted(found["impressions"], key=lambda impression: impression.ts):
        while done < len(clicks) and clicks[done].ts < shown.ts:
            known.clicked(clicks[done])
            done += 1
        past = known.histories[shown.user_id][-HISTORY:]
        for position, item in enumerate(shown.items):
            rows["ts"].append(shown.ts)
            rows["user"].append(int(shown.user_id[1:]))
            rows["item"].append(int(item[1:]))
            rows["label"].append((shown.request_id, item) in labels)
            rows["history"].append(past + [-1] * (HISTORY - len(past)))
            rows["plain"].append(known.plain(shown, position))
        known.shown(shown)
    columns = {name: np.array(column) for name, column in rows.items()}
    return Joined(**columns, pairs=_pairs(found["preferences"]), vectors=_vectors(found["representations"]))


def _pairs(preferences: list[Preference]) -> dict[str, np.ndarray]:
    rows: dict[str, list[tuple[int, ...]]] = defaultdict(list)
    for p in preferences:
        rows[p.source].append((p.ts, int(p.user_id[1:]), int(p.item_a[1:]), int(p.item_b[1:])))
    return {name: np.array(pairs).T for name, pairs in rows.items()}


def _vectors(representations: list[Representation]) -> dict[str, np.ndarray]:
    items = 1 + max(int(r.item_id[1:]) for r in representations)
    tables: dict[str, np.ndarray] = {}
    for r in representations:
        vector = np.frombuffer(base64.b64decode(r.vector.data), np.float16).astype(np.float32)
        table = tables.setdefault(r.variant, np.zeros((items, len(vector)), np.float32))
        table[int(r.item_id[1:])] = vector
    return tables
