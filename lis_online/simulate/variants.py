"""Representations of known noise: what a variant says of an item's content."""

from __future__ import annotations

import base64

import numpy as np

from lis_online.events.wire import PackedVector
from lis_online.simulate.catalogue import unit
from lis_online.simulate.parameters import VariantParameters, WorldParameters


class Variants:
    """The vectors of every live item in every variant: float16 [items, dimension], unit length."""

    def __init__(self, parameters: WorldParameters, rng: np.random.Generator) -> None:
        square = rng.standard_normal((parameters.dimension, parameters.content))
        self._basis = np.linalg.qr(square)[0].T.astype(np.float32)  # [content, dimension], orthonormal rows
        self._rng = rng
        self._variants = parameters.variants
        shape = (parameters.items, parameters.dimension)
        self.vectors = {variant.name: np.zeros(shape, np.float16) for variant in parameters.variants}

    def update(self, slots: np.ndarray, content: np.ndarray) -> None:
        """Draw the vectors of items that were just born, content: float32 [slots, content]."""
        for variant in self._variants:
            self.vectors[variant.name][slots] = self._noisy(content @ self._basis, variant)

    def packed(self, name: str, slot: int) -> PackedVector:
        """Return one vector as it travels."""
        return PackedVector("float16", base64.b64encode(self.vectors[name][slot].tobytes()).decode())

    def _noisy(self, clean: np.ndarray, variant: VariantParameters) -> np.ndarray:
        noise = unit(self._rng.standard_normal(clean.shape))
        mixed = np.sqrt(variant.quality) * clean + np.sqrt(1 - variant.quality) * noise
        return unit(mixed) if len(mixed) else mixed
