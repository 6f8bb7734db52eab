"""The features that river is measured with: those of the rank shard, computed another way."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache

import numpy as np
import pytest

from bench.river_features import SIDE, RiverFeatures, Sample, dense_names
from bench.standard import settings, world
from lis_online.events.batches import SlateBatch
from lis_online.events.hashing import id_hash
from lis_online.metrics.layout import Layout
from lis_online.settings import Settings
from lis_online.shards.pipeline import Pipeline
from lis_online.shards.rank_features import Features
from lis_online.simulate.recorded import generate
from lis_online.simulate.scenario import Scenario

MINUTE = 60_000
SLATES = 1_000
Key = tuple[int, int]
"""Request and item, hashed."""


def feed_settings() -> Settings:
    """Return the standard load's settings with tables so large that hashes do not collide, and networks so small."""
    return settings(
        dimension=16,
        events={"history_length": 8},
        leakage={"horizon": "5m", "memory": "8m", "folds": 3, "sketch_bits": 20, "placebo_pairs": 20},
        training={"item_bits": 20, "user_bits": 20, "embedding": 2, "hidden": [4], "half_lives": ["1m", "10m"]},
    )


@cache
def log() -> list[tuple[str, bytes]]:
    """Return seventeen minutes of 60 users who click often: histories repeat, pairs are known, memory ends."""
    small = world(
        slate=6, pool=20, items=120, users=60, slates_per_minute=60.0, window=2 * MINUTE, base=-1.0, dimension=16
    )
    return [(topic, value) for _, topic, value in generate(Scenario("small", small, {}), SLATES, seed=3)]


@dataclass
class Ours:
    """What the rank shard saw: slates in steps, with their features."""

    steps: list[tuple[SlateBatch, Features]] = field(default_factory=list)

    def rows(self) -> dict[Key, tuple[np.ndarray, np.ndarray, int, list[int]]]:
        """Return dense and side features, label and table rows of each sample."""
        found = {}
        for slates, features in self.steps:
            requests = np.repeat(slates.request, slates.n_items).tolist()
            for k, key in enumerate(zip(requests, slates.item.tolist(), strict=True)):
                ids, dense = features.inputs.ids[:, k].tolist(), features.inputs.dense[k]
                found[key] = (dense, features.side[:, k].numpy(), int(slates.label[k]), ids)
        return found


@cache
def ours() -> dict[Key, tuple[np.ndarray, np.ndarray, int, list[int]]]:
    """Return the rank shard's features of every sample of the log."""
    pipeline, found = Pipeline(feed_settings()), Ours()
    builder = pipeline.rank._features
    get = builder.get

    def listening(slates: SlateBatch, counts: np.ndarray) -> Features:
        features = get(slates, counts)
        found.steps.append((slates, features))
        return features

    builder.get = listening  # type: ignore[method-assign]
    for topic, value in log():
        pipeline.update(topic, value)
    pipeline.finish()
    return found.rows()


@cache
def rivers() -> dict[Key, Sample]:
    """Return river's samples of the same log."""
    job = RiverFeatures(feed_settings())
    found: dict[Key, Sample] = {}

    def keep() -> None:
        for slate, samples in ready:
            request = id_hash(slate.event.request_id)
            found.update(zip([(request, id_hash(item)) for item in slate.event.items], samples, strict=True))

    for topic, value in log():
        job.update(topic, value)
        ready = job.take()
        keep()
    ready = job.finish()
    keep()
    return found


def test_both_make_the_same_samples_with_the_same_labels() -> None:
    """What is compared below is everything."""
    assert rivers().keys() == ours().keys()
    labels = {key: int(sample.label) for key, sample in rivers().items()}
    assert labels == {key: label for key, (_, _, label, _) in ours().items()}
    assert len(labels) > 4_000
    assert sum(labels.values()) > 400


def test_dense_features_are_the_same() -> None:
    """Context, history and counts as known when the impression was served."""
    names = dense_names(feed_settings())
    keys = list(ours())
    river = np.array([[rivers()[key].shared.get(name, 0.0) for name in names] for key in keys])
    mine = np.array([ours()[key][0] for key in keys])
    assert mine.shape == river.shape
    np.testing.assert_allclose(river, mine, rtol=1e-4, atol=1e-5)
    assert (np.ptp(mine, axis=0) > 0).sum() >= len(names) - 2  # a feature that never changes shows nothing


@pytest.mark.parametrize("kind", ["leaked", "past", "placebo", "thinned"])
def test_pair_features_are_the_same(kind: str) -> None:
    """Each set of pairs, with the fold left out of the future, moved to each sample's own millisecond."""
    river, mine = sides(f"{kind}:coclick")
    assert (mine[:, 0] > 0).mean() > 0.05
    same = np.isclose(river, mine, rtol=1e-4, atol=1e-5).all(axis=1)
    assert same.mean() > 0.995  # two pairs or two items may still share a cell


@pytest.mark.parametrize("ranker", ["aligned:good", "aligned:weak", "permuted:good", "permuted:weak"])
def test_similarities_are_the_same(ranker: str) -> None:
    """Vectors are as of the sample's time; ours are kept in 16 bits."""
    river, mine = sides(ranker)
    assert np.abs(mine).mean() > 0.1
    same = np.isclose(river, mine, atol=0.01).all(axis=1)
    assert same.mean() > (0.99 if ranker.startswith("aligned") else 0.9)


def test_unleaked_and_twin_see_nothing_of_their_own() -> None:
    """Their block is zeros in the rank shard."""
    for ranker in ("unleaked", "twin"):
        river, mine = sides(ranker)
        assert not river.any()
        assert not mine.any()


def test_ids_are_the_same() -> None:
    """An id is a feature by its name with river, a row of a table with us."""
    kinds = ("user", "item", "author", "category")
    row_of: list[dict[str, int]] = [{} for _ in kinds]
    for key, (_, _, _, rows) in ours().items():
        names = {name.split()[0]: name for name in rivers()[key].shared if name.split()[0] in kinds}
        for known, kind, row in zip(row_of, kinds, rows, strict=True):
            assert known.setdefault(names[kind], row) == row
    assert len(row_of[1]) > 100


def sides(ranker: str) -> tuple[np.ndarray, np.ndarray]:
    """Return a ranker's own features: river's and ours, float [samples, 3]."""
    place, keys = Layout.of(feed_settings()).rankers.index(ranker), list(ours())
    river = [[rivers()[key].own[place].get(name, 0.0) for name in SIDE] for key in keys]
    return np.array(river), np.array([ours()[key][1][place] for key in keys])
