"""Inputs of the rankers against loops over slates."""

from __future__ import annotations

import math
from dataclasses import fields

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lis_online.events.batches import SlateBatch
from lis_online.events.hashing import NO_ID
from lis_online.rankers.inputs import DAY, HOUR, Slots, dense_features, dense_width, padded_histories, table_rows
from tests.shards.made_slates import made_slates

SLOTS = Slots(user=6, item=5, author=4, category=3)


def rich(seed: int, count: int) -> SlateBatch:
    """Return slates with everything that an impression may bring, some of it missing."""
    rng = np.random.default_rng(seed)
    slates = made_slates(rng, count, DAY)
    samples = len(slates.item)
    slates.n_history = rng.integers(0, 6, count).astype(np.int32)
    entries = int(slates.n_history.sum())
    slates.history = rng.integers(1, 7, entries)
    slates.history_age = rng.integers(-1, 3 * HOUR, entries)
    slates.surface = rng.integers(0, 3, count).astype(np.int16)
    slates.position = rng.integers(0, 40, samples).astype(np.int16)
    slates.age = np.where(rng.random(samples) < 0.3, -1, rng.integers(0, 9 * DAY, samples))
    slates.author, slates.category = (
        np.where(rng.random(samples) < 0.3, NO_ID, rng.integers(1, 9, samples)) for _ in "ab"
    )
    return slates


def histories(slates: SlateBatch) -> list[list[tuple[int, int]]]:
    """Return each slate's history, oldest first, as (item, age)."""
    entries = list(zip(slates.history.tolist(), slates.history_age.tolist(), strict=True))
    ends = np.cumsum(slates.n_history).tolist()
    return [entries[end - n : end] for end, n in zip(ends, slates.n_history.tolist(), strict=True)]


@given(st.integers(0, 2**32), st.integers(0, 12), st.integers(1, 8))
def test_histories_are_cut_to_the_newest_and_padded(seed: int, count: int, length: int) -> None:
    """The newest entries in their order, then nothing: id 0 and age -1."""
    slates = rich(seed, count)
    items, ages = padded_histories(slates, length)
    assert items.shape == ages.shape == (count, length)
    assert items.dtype == ages.dtype == np.int64
    for k, history in enumerate(histories(slates)):
        newest = history[-length:]
        padded = newest + [(NO_ID, -1)] * (length - len(newest))
        assert list(zip(items[k].tolist(), ages[k].tolist(), strict=True)) == padded


@given(st.integers(0, 2**32), st.integers(1, 12))
def test_table_rows_are_functions_of_the_id_within_the_tables(seed: int, count: int) -> None:
    """Equal ids share a row, in every table its own; what is missing has row 0."""
    slates = rich(seed, count)
    rows = table_rows(slates, SLOTS)
    ids = np.stack([np.repeat(slates.user, slates.n_items), slates.item, slates.author, slates.category])
    assert rows.shape == ids.shape and rows.dtype == np.int64
    for of_table, given_ids, bits in zip(rows, ids, (6, 5, 4, 3), strict=True):
        assert of_table.min() >= 0 and of_table.max() < 1 << bits
        assert (of_table[given_ids == NO_ID] == 0).all()
        for one in np.unique(given_ids):
            assert len(np.unique(of_table[given_ids == one])) == 1


def test_tables_hash_apart_and_fill_their_rows() -> None:
    """An id that is a user's and an item's does not lead to related rows, and ids spread over all of them."""
    slates = rich(1, 1)
    count = 4_096
    slates.n_items = np.array([count], np.int32)
    for name in ("item", "author", "category"):
        setattr(slates, name, np.arange(1, count + 1))
    rows = table_rows(slates, Slots(6, 6, 6, 6))
    for row in rows[1:]:
        assert len(np.unique(row)) == 64
        assert np.bincount(row, minlength=64).max() < 2 * count / 64
    for first, second in ((1, 2), (1, 3), (2, 3)):
        assert abs((rows[first] == rows[second]).mean() - 1 / 64) < 0.01


@pytest.mark.parametrize("surfaces", [0, 2, 5])
@pytest.mark.parametrize("counts", [0, 9])
def test_the_width_is_the_width_that_is_built(surfaces: int, counts: int) -> None:
    """The network is shaped before any sample has come."""
    slates = rich(2, 5)
    slates.surface = np.minimum(slates.surface, surfaces).astype(np.int16)
    features = np.zeros((len(slates.item), counts), np.float32)
    dense = dense_features(slates, features, *padded_histories(slates, 4), surfaces)
    assert dense.shape == (len(slates.item), dense_width(surfaces, counts))
    assert dense.dtype == np.float32


@given(st.integers(0, 2**32), st.integers(1, 8))
def test_dense_features_are_those_of_a_loop(seed: int, count: int) -> None:
    """Surface, time of day, history length, position, age, repeats of the candidate, counts; all finite."""
    slates = rich(seed, count)
    given_counts = np.random.default_rng(seed).random((len(slates.item), 2)).astype(np.float32)
    dense = dense_features(slates, given_counts, *padded_histories(slates, 4), 2)
    expected, sample = [], 0
    for k, history in enumerate(histories(slates)):
        hour = 2 * math.pi * (int(slates.ts[k]) % DAY) / DAY
        context = [float(slates.surface[k] == s) for s in range(3)] + [math.sin(hour), math.cos(hour)]
        context.append(math.log1p(len(history)) / 3)
        for _ in range(slates.n_items[k]):
            position, age = int(slates.position[sample]), int(slates.age[sample])
            again = [seen for item, seen in history[-4:] if item == slates.item[sample]]
            recency = [1 / (1 + (seen / HOUR if seen >= 0 else 24.0)) for seen in again]
            own = [1 / (1 + position), math.log1p(position) / 3]
            own += [math.log1p(age / HOUR) / 4 if age >= 0 else 0.0, float(age >= 0)]
            expected.append([*context, *own, math.log1p(len(again)), max(recency, default=0.0), *given_counts[sample]])
            sample += 1
    np.testing.assert_allclose(dense, np.array(expected), rtol=1e-5, atol=1e-6)
    assert np.isfinite(dense).all()


def test_building_inputs_changes_no_slate() -> None:
    """The same slates are scored, learnt from and measured."""
    slates = rich(5, 9)
    before = {f.name: getattr(slates, f.name).tobytes() for f in fields(slates)}
    items, ages = padded_histories(slates, 3)
    table_rows(slates, SLOTS)
    dense_features(slates, np.zeros((len(slates.item), 1), np.float32), items, ages, 2)
    assert {f.name: getattr(slates, f.name).tobytes() for f in fields(slates)} == before
