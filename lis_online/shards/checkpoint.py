"""Checkpoints: a shard's whole state and the positions it is the state *after*, complete or absent.

One file per checkpoint, `ROLE-PARTITION-<position>.safetensors`: named arrays and a msgpack record,
never code. position is one whole number that only grows with what was applied, 20 digits so that
names sort. A digest over all of it is checked on load.
"""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Iterator, Mapping
from hashlib import blake2b
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file

from lis_online.errors import CheckpointError
from lis_online.shards.contract import Snapshot

logger = logging.getLogger(__name__)

SCHEMA = 1
"""Version of the file's layout; a shard's own layout is versioned in its `Snapshot.meta`."""

Fingerprint = Mapping[str, Any]
"""The settings a checkpoint belongs to: flat, names to plain values (`shards/fingerprint.py`)."""

_ARRAY = "array:"
_RECORD = "record"


class _DamagedError(Exception):
    """The file is not a whole checkpoint."""


class CheckpointStore:
    """The checkpoints of one shard in a directory that every worker of its role shares.

    role, partition: whose. keep: how many of the newest stay. fingerprint: what the settings must
    be for a checkpoint to be restored.

    A worker that was stopped and continued may save after its partition has moved on. It does no
    harm: its position is lower, and a lower position never replaces or follows a higher one.
    """

    def __init__(self, directory: Path, role: str, partition: int, keep: int, fingerprint: Fingerprint) -> None:
        if keep < 1:
            raise CheckpointError(f"keep must be >= 1, got {keep}")
        self._directory = directory
        self._stem = f"{role}-{partition}"
        self._keep = keep
        self._fingerprint = dict(fingerprint)

    def save(self, snapshot: Snapshot, position: int) -> bool:
        """Write a checkpoint that survives a power cut once this returns; True if it was written.

        False, and nothing written, where a checkpoint of a higher position is there.

        1. Write the whole file under another name, in the same directory.
        2. fsync it: the bytes are on disk before the name is.
        3. Rename it: there is the whole file or none.
        4. fsync the directory: the name is on disk.
        5. Remove the oldest ones.
        """
        if position < 0:
            raise CheckpointError(f"position must be >= 0, got {position}")
        self._directory.mkdir(parents=True, exist_ok=True)
        if any(other > position for other, _ in self._files()):
            return False
        tensors, digest = self._tensors(snapshot, position)
        path = self._path(position)
        half = path.with_suffix(f".{os.getpid()}.half")
        save_file(tensors, half, metadata={"digest": digest, "schema": str(SCHEMA)})
        _sync(half)
        half.replace(path)
        _sync(self._directory)
        self._prune()
        return True

    def load_latest(self) -> tuple[Snapshot, int] | None:
        """Return the newest whole checkpoint and its position; None where there is no file at all.

        A damaged one is logged as an error, set aside under the name `*.damaged`, and the one before
        it is taken. Raises CheckpointError where all are damaged, or where the newest whole one is of
        another schema or of other settings: the sentence names what differs.
        """
        damaged = []
        for position, path in sorted(self._files(), reverse=True):
            try:
                return self._load(path), position
            except _DamagedError as exc:
                logger.error("checkpoint %s is damaged (%s): falling back to the one before it", path, exc)
                damaged.append(path)
                path.replace(path.with_suffix(".damaged"))
        if damaged:
            raise CheckpointError(
                f"checkpoint {damaged[0]} must be whole, and so must be one before it: all {len(damaged)} are damaged "
                "(kept as *.damaged); restore one from a backup, or start afresh under another kafka.prefix"
            )
        return None

    def _tensors(self, snapshot: Snapshot, position: int) -> tuple[dict[str, np.ndarray], str]:
        record = {"position": position, "fingerprint": self._fingerprint, "meta": snapshot.meta}
        packed = np.frombuffer(msgspec.msgpack.encode(record), np.uint8)
        # order="C" and not np.ascontiguousarray: that one turns a scalar array into a row of one
        arrays = {_ARRAY + name: np.asarray(array, order="C") for name, array in snapshot.arrays.items()}
        tensors = {_RECORD: packed, **arrays}
        return tensors, _digest(tensors)

    def _load(self, path: Path) -> Snapshot:
        schema, digest = _header(path)
        if schema != str(SCHEMA):
            raise CheckpointError(f"checkpoint {path}: schema must be {SCHEMA}, got {schema}")
        try:
            tensors = load_file(path)
            if _digest(tensors) != digest:
                raise _DamagedError("its digest differs")
            record = msgspec.msgpack.decode(tensors.pop(_RECORD).tobytes())
        except (SafetensorError, OSError, KeyError, ValueError, msgspec.MsgspecError) as exc:
            raise _DamagedError(str(exc)) from exc
        self._refuse_other_settings(path, record["fingerprint"])
        return Snapshot(record["meta"], {name.removeprefix(_ARRAY): array for name, array in tensors.items()})

    def _refuse_other_settings(self, path: Path, saved: dict[str, Any]) -> None:
        differing = [
            f"{key} was {saved.get(key, 'absent')!r} and is {self._fingerprint.get(key, 'absent')!r}"
            for key in sorted(saved.keys() | self._fingerprint.keys())
            if saved.get(key, _ABSENT) != self._fingerprint.get(key, _ABSENT)
        ]
        if differing:
            raise CheckpointError(
                f"checkpoint {path} must be of the same settings: {'; '.join(differing)}. "
                "Set them back, or start afresh under another kafka.prefix and checkpoints.directory"
            )

    def _path(self, position: int) -> Path:
        return self._directory / f"{self._stem}-{position:020d}.safetensors"

    def _files(self) -> Iterator[tuple[int, Path]]:
        return self._named("safetensors")

    def _named(self, ending: str) -> Iterator[tuple[int, Path]]:
        pattern = re.compile(rf"{re.escape(self._stem)}-(\d{{20}})\.{ending}")
        for path in self._directory.glob(f"{self._stem}-*"):
            match = pattern.fullmatch(path.name)
            if match:
                yield int(match[1]), path

    def _prune(self) -> None:
        newest = sorted(self._files(), reverse=True)
        for _, path in newest[self._keep :]:
            path.unlink(missing_ok=True)
        # halves of processes that were killed; one below the oldest kept can never become a checkpoint
        for position, path in self._named(r"\d+\.half"):
            if position < newest[: self._keep][-1][0]:
                path.unlink(missing_ok=True)


_ABSENT = object()


def _digest(tensors: Mapping[str, np.ndarray]) -> str:
    digest = blake2b(digest_size=32)
    for name in sorted(tensors):
        array = tensors[name]
        digest.update(f"{name} {array.dtype.str} {array.shape} ".encode())
        digest.update(np.atleast_1d(array).reshape(-1).view(np.uint8).data)
    return digest.hexdigest()


def _header(path: Path) -> tuple[str, str]:
    """Read what stands before the tensors: 8 bytes of length and JSON (the safetensors format)."""
    try:
        with path.open("rb") as file:
            length = int.from_bytes(file.read(8), "little")
            metadata = msgspec.json.decode(file.read(min(length, 1 << 24)))["__metadata__"]
        return metadata["schema"], metadata["digest"]
    except (OSError, KeyError, TypeError, ValueError, msgspec.MsgspecError) as exc:  # ValueError: not UTF-8
        raise _DamagedError(f"its header cannot be read: {exc}") from exc


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
