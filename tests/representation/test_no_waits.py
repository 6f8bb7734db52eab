"""The similarity features on a device that shows no data: vectors come and are compared without a wait of the host."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from lis_online.events.batches import VectorBatch
from lis_online.representation import similarity
from lis_online.representation.index import MISSING
from lis_online.representation.similarity import similarity_features
from lis_online.representation.store import VectorStore
from tests.no_data import DEVICE, NoData

ITEMS = 20


def given(store: VectorStore, t: int) -> None:
    """Let a store have vectors of some items at a time: new ones, and others of those it has."""
    items = np.arange(1 + t, 1 + t + ITEMS)
    store.update(VectorBatch(np.full(ITEMS, t), items, np.full(ITEMS, t), np.ones((ITEMS, 8), np.float16)))
    store.advance(t)


def features(store: VectorStore) -> torch.Tensor:
    """Return the features of two slates."""
    slate = np.array([0, 0, 0, 1, 1])
    history = np.array([[1, 2, MISSING, 4], [5, 6, 7, 8]])
    return similarity_features(store, np.array([0, 3, MISSING, 4, 9]), history, slate)


def test_vectors_are_stored_and_compared_without_a_wait() -> None:
    """New ones, replaced ones, and items that have none."""
    with NoData() as device:
        store = VectorStore(8, DEVICE, salt=1, capacity=30)
        for t in (0, 5, 25):
            given(store, t)
            assert features(store).shape == (2, 5, 3)
        assert device.sent == 3 * (2 + 4)
        assert device.taken() == []


def test_a_wait_would_be_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    """An array that is sent from memory that is not pinned, once for each of four: the test above can fail."""
    monkeypatch.setattr(similarity, "sent", lambda array, device: torch.from_numpy(array).to(device))
    with NoData() as device:
        store = VectorStore(8, DEVICE, salt=1)
        given(store, 0)
        features(store)
        assert len(device.taken()) == 4


def test_features_on_a_device_are_those_of_a_cpu() -> None:
    """The tensors' way, run on a CPU, against the loop's."""
    store = VectorStore(8, torch.device("cpu"), salt=1)
    rng = np.random.default_rng(0)
    vectors = rng.standard_normal((ITEMS, 8)).astype(np.float16)
    store.update(VectorBatch(np.zeros(ITEMS, np.int64), np.arange(1, ITEMS + 1), np.ones(ITEMS, np.int64), vectors))
    store.advance(0)
    cosines = store.vectors(torch.arange(ITEMS)) @ store.vectors(torch.arange(5)).T
    known = torch.from_numpy(rng.random((ITEMS, 5)) < 0.5)
    got = similarity._summaries(cosines, known)
    for row, (cosine, is_known) in enumerate(zip(cosines, known, strict=True)):
        values = cosine[is_known].sort(descending=True).values
        expected = [values.mean(), values[0], values[:3].mean()] if len(values) else [0.0, 0.0, 0.0]
        assert torch.allclose(got[row] / similarity.SCALE, torch.tensor(expected), atol=1e-6)
