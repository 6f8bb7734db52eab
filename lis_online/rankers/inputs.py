"""What every ranker sees: hashed ids and dense features of a batch of samples.

Fixed transforms only, no running standardisation: a moving scale is drift of our own making.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lis_online.events.batches import SlateBatch
from lis_online.events.hashing import NO_ID, mix
from lis_online.rankers.history_loop import count_repeats, fill_histories

DAY = 86_400_000
HOUR = 3_600_000


@dataclass(slots=True)
class Inputs:
    """ids: int64 [4, samples], table rows of user, item, author, category;
    dense: float32 [samples, width].
    """

    ids: np.ndarray
    dense: np.ndarray


@dataclass(slots=True)
class Slots:
    """Rows of the four embedding tables, as powers of two."""

    user: int
    item: int
    author: int = 14
    category: int = 10


def dense_width(surfaces: int, counts: int) -> int:
    """Return the number of dense features: surfaces, then 9 of context and history, then counts."""
    return surfaces + 1 + 9 + counts


def padded_histories(slates: SlateBatch, length: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the newest `length` history entries and their ages: int64 [slates, length], id NO_ID where none."""
    items = np.full((len(slates), length), NO_ID, np.int64)
    ages = np.full((len(slates), length), -1, np.int64)
    fill_histories(slates.n_history, slates.history, slates.history_age, items, ages)
    return items, ages


def table_rows(slates: SlateBatch, slots: Slots) -> np.ndarray:
    """Return the embedding rows: int64 [4, samples]. Row 0 of author and category stands for none."""
    users = np.repeat(slates.user, slates.n_items)
    named = (
        (users, slots.user),
        (slates.item, slots.item),
        (slates.author, slots.author),
        (slates.category, slots.category),
    )
    rows = [(mix(ids, salt=8 + k) & np.uint64((1 << bits) - 1)).astype(np.int64) for k, (ids, bits) in enumerate(named)]
    return np.stack([np.where(ids == NO_ID, 0, row) for (ids, _), row in zip(named, rows, strict=True)])


def dense_features(
    slates: SlateBatch, counts: np.ndarray, history: np.ndarray, ages: np.ndarray, surfaces: int
) -> np.ndarray:
    """Return float32 [samples, dense_width].

    counts: float32 [samples, width of the counts]; history, ages: int64 [slates, K].
    """
    slate = np.repeat(np.arange(len(slates)), slates.n_items)
    surface = np.zeros((len(slates), surfaces + 1), np.float32)
    surface[np.arange(len(slates)), slates.surface] = 1
    hour = 2 * np.pi * (slates.ts % DAY) / DAY
    length = np.log1p(slates.n_history) / 3
    per_slate = np.column_stack([surface, np.sin(hour), np.cos(hour), length])[slate]
    position = slates.position.astype(np.float64)
    per_item = np.column_stack(
        [
            1 / (1 + position),
            np.log1p(position) / 3,
            np.where(slates.age >= 0, np.log1p(np.maximum(slates.age, 0) / HOUR) / 4, 0),
            slates.age >= 0,
        ]
    )
    return np.concatenate([per_slate, per_item, _repeats(slates, history, ages, slate), counts], 1).astype(np.float32)


def _repeats(slates: SlateBatch, history: np.ndarray, ages: np.ndarray, slate: np.ndarray) -> np.ndarray:
    """Return how often and how recently the candidate is itself in the history: [samples, 2]."""
    return count_repeats(slates.item, slate, history, ages)
