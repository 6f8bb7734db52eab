"""Similarity features against plain loops."""

import numpy as np
import torch

from lis_online.events.batches import VectorBatch
from lis_online.representation.index import MISSING
from lis_online.representation.similarity import SCALE, similarity_features
from lis_online.representation.store import VectorStore


def test_features_equal_mean_max_and_top_three_of_the_cosines() -> None:
    """Design, "Similarity features": of the known history entries alone; zeros where nothing is known."""
    rng = np.random.default_rng(0)
    n = 30
    store = VectorStore(8, torch.device("cpu"), salt=1)
    vectors = rng.normal(size=(n, 8)).astype(np.float16)
    store.update(VectorBatch(np.zeros(n, np.int64), np.arange(1, n + 1), np.ones(n, np.int64), vectors))
    store.advance(0)
    sizes = [3, 1, 5, 2]
    slate = np.repeat(np.arange(4), sizes)
    items = rng.integers(0, n, len(slate))
    history = rng.integers(0, n, (4, 6))
    items[2], history[0, 1], history[3] = MISSING, MISSING, MISSING
    got = similarity_features(store, items, history, slate).numpy()
    unit = store.vectors(torch.arange(n)).numpy()
    for block, of in ((0, lambda r: r), (1, lambda r: store.donors(np.array([r]))[0])):
        for k, item in enumerate(items):
            known = [h for h in history[slate[k]] if h != MISSING and item != MISSING]
            cosines = sorted((float(unit[of(item)] @ unit[of(h)]) for h in known), reverse=True)
            expected = [np.mean(cosines), cosines[0], np.mean(cosines[:3])] if cosines else [0, 0, 0]
            assert np.allclose(got[block, k] / SCALE, expected, atol=1e-5)


def test_the_permuted_ranker_still_sees_a_cosine_of_one_with_itself() -> None:
    """A random-vector variant scored "43 %" without it: a cosine of 1 marks repeats, not meaning."""
    store = VectorStore(4, torch.device("cpu"), salt=1)
    vectors = np.eye(4, dtype=np.float16)
    store.update(VectorBatch(np.zeros(4, np.int64), np.arange(1, 5), np.ones(4, np.int64), vectors))
    store.advance(0)
    got = similarity_features(store, np.array([2]), np.array([[2, 0]]), np.array([0]))
    assert torch.allclose(got[:, 0, 1] / SCALE, torch.ones(2))
