"""Vectors of items from an .npz file, as representation records."""

from __future__ import annotations

import zipfile
from base64 import b64encode
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import msgspec
import numpy as np

from lis_online.errors import ReplayError
from lis_online.events.wire import SCHEMA_VERSION, PackedVector, Representation


@dataclass(frozen=True, slots=True)
class Vectors:
    """Vectors of items. item_id: text [items]; vector: float16 [items, dimension], finite."""

    item_id: np.ndarray
    vector: np.ndarray

    @property
    def dimension(self) -> int:
        """The length of a vector."""
        return int(self.vector.shape[1])

    def records(self, variant: str, ts: int, version: str = "1") -> Iterator[tuple[str, bytes]]:
        """Yield one (topic, value) for each item, all valid from ts, ms since 1970."""
        encoder = msgspec.json.Encoder()
        for item, vector in zip(self.item_id.tolist(), self.vector, strict=True):
            packed = PackedVector("float16", b64encode(vector.tobytes()).decode())
            record = Representation(SCHEMA_VERSION, variant, version, item, ts, packed)
            yield "representations", encoder.encode(record)


def read_vectors(path: str | Path) -> Vectors:
    """Return the vectors of an .npz file with the arrays `item_id` (text) and `vector` (items x dimension).

    Raises ReplayError where the file is missing or not such.
    """
    try:
        with Path(path).open("rb") as file, np.load(file, allow_pickle=False) as arrays:
            if not {"item_id", "vector"} <= set(arrays.files):
                raise ReplayError(f"{path}: must hold the arrays item_id and vector, got {sorted(arrays.files)}")
            item_id, vector = arrays["item_id"], arrays["vector"]
    except (OSError, ValueError, EOFError, AttributeError, zipfile.BadZipFile) as exc:
        raise ReplayError(f"{path}: is not an .npz file of plain arrays: {exc}") from exc
    return Vectors(item_id, _checked(path, item_id, vector))


def _checked(path: str | Path, item_id: np.ndarray, vector: np.ndarray) -> np.ndarray:
    if item_id.dtype.kind != "U" or vector.dtype.kind != "f":
        raise ReplayError(f"{path}: item_id must be text and vector floats, got {item_id.dtype} and {vector.dtype}")
    if vector.ndim != 2 or vector.shape[0] != len(item_id) or item_id.ndim != 1 or not vector.shape[1]:
        raise ReplayError(f"{path}: vector must be items x dimension, got {vector.shape} for {item_id.shape} items")
    with np.errstate(over="ignore"):
        narrow: np.ndarray = vector.astype("<f2")
    bad = np.flatnonzero(~np.isfinite(narrow).all(axis=1))
    if len(bad):
        raise ReplayError(f"{path}: vector must be finite as float16, row {bad[0]} ({item_id[bad[0]]}) is not")
    if (item_id == "").any():
        raise ReplayError(f"{path}: item_id must not be empty, row {np.flatnonzero(item_id == '')[0]} is")
    return narrow
