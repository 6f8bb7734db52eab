"""A short contrastive training: a linear map over frozen vectors that brings preferred pairs together.

InfoNCE (van den Oord et al., arXiv 1807.03748) with the other pairs of a batch as negatives, both ways round. The map
begins as the identity and is drawn back to it, so that few pairs change little.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import torch
from torch.nn.functional import cross_entropy, normalize

TEMPERATURE: Final = 0.5
"""Softer than is usual: clicks are noisy, most negatives of a batch are things that the same users like too."""
BATCH: Final = 512
NEAR: Final = 4 * BATCH
"""A batch is drawn from so many pairs in a row: negatives of another time would teach which items lived when."""
STEPS: Final = 200
CHECK: Final = 25
"""Steps between two looks at the held-out pairs."""
LEARNING_RATE: Final = 2e-3
DRAWN_BACK: Final = 0.003
"""Weight of the squared distance from the identity, against the loss of a batch."""
HELD_OUT: Final = 0.2
"""Share of the items whose pairs say when to stop: a map that knows the items it has seen must also do for new ones."""
DRAWS: Final = 5
"""Other pairs that each held-out pair is compared with."""


@dataclass(frozen=True, slots=True)
class Aligned:
    """The map and what it did. matrix: float32 [dimension, dimension].

    before, after: of the held-out pairs, the share that is nearer to each other than the first item is to the second of
    another pair; 0.5 is what vectors without meaning give.
    """

    matrix: np.ndarray
    before: float
    after: float
    pairs: int
    held_out: int

    def apply(self, vectors: np.ndarray) -> np.ndarray:
        """Return vectors of length 1 under the map, float32 [items, dimension]."""
        mapped = vectors @ self.matrix
        found: np.ndarray = mapped / np.maximum(np.linalg.norm(mapped, axis=1, keepdims=True), 1e-12)
        return found


def align(vectors: np.ndarray, pairs: np.ndarray, seed: int = 0, steps: int = STEPS) -> Aligned:
    """Return the map that was best on the held-out pairs; the identity where none was better.

    vectors: float32 [items, dimension]; pairs: rows of vectors, whole numbers [pairs, 2], in order of
    time where they have one.
    """
    made = torch.Generator().manual_seed(seed)
    held_out = np.random.default_rng(seed).random(len(vectors)) < HELD_OUT
    is_held = torch.from_numpy(held_out[pairs].any(axis=1))
    items = torch.from_numpy(np.ascontiguousarray(vectors, np.float32))
    both = torch.from_numpy(pairs.astype(np.int64))
    train, held = both[~is_held], both[is_held]
    identity = torch.eye(items.shape[1])
    matrix = identity.clone().requires_grad_()
    optimiser = torch.optim.Adam([matrix], LEARNING_RATE)
    before = best = alignment(items, held)
    found = identity
    for step in range(1, steps + 1):
        begin = int(torch.randint(max(1, len(train) - NEAR + 1), (1,), generator=made))
        near = train[begin : begin + NEAR]
        batch = near[torch.randperm(len(near), generator=made)[:BATCH]]
        optimiser.zero_grad()
        loss = info_nce(items, batch, matrix) + DRAWN_BACK * (matrix - identity).square().sum()
        loss.backward()
        optimiser.step()
        if step % CHECK == 0:
            with torch.no_grad():
                now = alignment(items @ matrix, held)
                if now > best:
                    best, found = now, matrix.detach().clone()
    return Aligned(found.numpy(), before, best, len(train), len(held))


def info_nce(items: torch.Tensor, pairs: torch.Tensor, matrix: torch.Tensor) -> torch.Tensor:
    """Return the mean loss of a batch of pairs; what is the same item is never a negative."""
    first, second = (normalize(items[pairs[:, side]] @ matrix, dim=1) for side in (0, 1))
    cosine = first @ second.T / TEMPERATURE
    same = (pairs[:, 1, None] == pairs[None, :, 1]) | (pairs[:, 0, None] == pairs[None, :, 0])
    same.fill_diagonal_(False)
    cosine = cosine.masked_fill(same, float("-inf"))
    target = torch.arange(len(pairs))
    return (cross_entropy(cosine, target) + cross_entropy(cosine.T, target)) / 2


def alignment(vectors: torch.Tensor, pairs: torch.Tensor) -> float:
    """Return the share of pairs with a cosine above that of the first item and another pair's second; ties half."""
    made = torch.Generator().manual_seed(0)
    first, second = (normalize(vectors[pairs[:, side]], dim=1) for side in (0, 1))
    true = (first * second).sum(dim=1)
    wins = []
    for _ in range(DRAWS):
        other = (first * second[torch.randperm(len(pairs), generator=made)]).sum(dim=1)
        wins.append((true > other).float().mean() + (true == other).float().mean() / 2)
    return float(torch.stack(wins).mean())
