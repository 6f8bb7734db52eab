"""Representations of known noise: what a variant says of an item's content."""

from __future__ import annotations

import base64
from dataclasses import dataclass

import numpy as np

from lis_online.errors import UsageError
from lis_online.events.wire import PackedVector
from lis_online.simulate.catalogue import unit
from lis_online.simulate.parameters import CommonParameters


@dataclass
class Edition:
    """One version of a variant: its vectors, float16 [items, dimension], from `since` until `until`, ms."""

    name: str
    version: str
    quality: float
    since: int
    until: float
    vectors: np.ndarray


FIRST_VERSION = "1"


class Variants:
    """The vectors of every live item in every variant's live versions: unit length.

    vectors: by variant, those of its newest version, float16 [items, dimension]. directions: the same as
    float32, scaled to length 1 again after the rounding, which a ranking is made by.
    """

    def __init__(self, parameters: CommonParameters, rng: np.random.Generator, start: int = 0) -> None:
        square = rng.standard_normal((parameters.dimension, parameters.content))
        self._basis = np.linalg.qr(square)[0].T.astype(np.float32)  # [content, dimension], orthonormal rows
        self._rng = rng
        self._editions = _editions(parameters, start)
        self._to_come = [edition for edition in self._editions if edition.since > start]
        self.live = [edition for edition in self._editions if edition.since <= start]
        self.vectors = {edition.name: edition.vectors for edition in self.live}
        self.directions = {name: vectors.astype(np.float32) for name, vectors in self.vectors.items()}

    def update(self, slots: np.ndarray, content: np.ndarray) -> None:
        """Draw the vectors of items that were just born, content: float32 [slots, content]."""
        for edition in self.live:
            edition.vectors[slots] = self._noisy(content @ self._basis, edition.quality)
        if len(slots):
            for name, vectors in self.vectors.items():
                self.directions[name][slots] = unit(vectors[slots].astype(np.float32))

    def advance(self, now: int, content: np.ndarray) -> list[Edition]:
        """Begin the versions due by a time, vectors of all live items, and end others; return those begun."""
        begun = [edition for edition in self._to_come if edition.since <= now]
        for edition in begun:
            edition.vectors[:] = self._noisy(content @ self._basis, edition.quality)
            self.vectors[edition.name] = edition.vectors
            self.directions[edition.name] = unit(edition.vectors.astype(np.float32))
        if begun:
            self._to_come = [edition for edition in self._to_come if edition.since > now]
        if begun or any(edition.until <= now for edition in self.live):
            self.live = [edition for edition in self.live + begun if edition.until > now]
        return begun

    def _noisy(self, clean: np.ndarray, quality: float) -> np.ndarray:
        noise = unit(self._rng.standard_normal(clean.shape))
        mixed = np.sqrt(quality) * clean + np.sqrt(1 - quality) * noise
        return unit(mixed) if len(mixed) else mixed


def packed(vectors: np.ndarray) -> list[PackedVector]:
    """Return vectors as they travel: float16 [items, dimension]."""
    return [PackedVector("float16", base64.b64encode(vector).decode()) for vector in vectors]


def _editions(parameters: CommonParameters, start: int) -> list[Edition]:
    """Return every version of every variant; one ends when the next begins, or its overlap later."""
    names = [variant.name for variant in parameters.variants]
    unknown = [version.variant for version in parameters.versions if version.variant not in names]
    if unknown:
        raise UsageError(f"versions: the variant must be one of {names}, got {unknown[0]!r}")
    rows = [(v.name, FIRST_VERSION, v.quality, start, 0) for v in parameters.variants]
    rows += [(v.variant, v.version, v.quality, start + v.since, v.overlap) for v in parameters.versions]
    shape = (parameters.items, parameters.dimension)
    found: list[Edition] = []
    for name, version, quality, since, overlap in rows:
        before = [edition for edition in found if edition.name == name][-1:]
        for edition in before:
            if since <= edition.since:
                raise UsageError(f"versions: those of {name} must be later than each other and than the start")
            edition.until = since + overlap
        found.append(Edition(name, version, quality, since, np.inf, np.zeros(shape, np.float16)))
    return found
