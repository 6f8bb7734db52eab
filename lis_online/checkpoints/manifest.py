"""The manifest: the small object that alone makes a checkpoint exist."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec
import xxhash

from lis_online.errors import CheckpointError

SCHEMA = 2
"""Version of the layout of manifest and data; a shard's own layout is versioned in its `Snapshot.meta`."""

Fingerprint = Mapping[str, Any]
"""The settings a checkpoint belongs to: flat, names to plain values (`shards/fingerprint.py`)."""


class DamagedError(Exception):
    """It is not a whole checkpoint."""


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a checkpoint without its data.

    position: one whole number that only grows with what was applied. data: the data object's name; bytes and
    digest (xxh3-128, hexadecimal) are of all of it. fingerprint: the settings it belongs to. created_at: UTC.
    why: of an archived one, the reason.
    """

    schema: int
    role: str
    partition: int
    position: int
    data: str
    bytes: int
    digest: str
    fingerprint: dict[str, Any]
    created_at: datetime
    why: str | None = None

    def differing(self, fingerprint: Fingerprint) -> list[str]:
        """Return what differs from other settings: "key was 1 and is 2", by key."""
        saved = self.fingerprint
        return [
            f"{key} was {saved.get(key, 'absent')!r} and is {fingerprint.get(key, 'absent')!r}"
            for key in sorted(saved.keys() | fingerprint.keys())
            if saved.get(key, _ABSENT) != fingerprint.get(key, _ABSENT)
        ]


class _Sealed(msgspec.Struct):
    manifest: msgspec.Raw
    seal: str


class _Schema(msgspec.Struct):
    schema: int


_ABSENT = object()


def encode(manifest: Manifest) -> bytes:
    """Return it as JSON: {"manifest": ..., "seal": xxh3-128 of its bytes}."""
    inner = msgspec.json.encode(manifest)
    return msgspec.json.encode({"manifest": msgspec.Raw(inner), "seal": _seal(inner)})


def decode(content: bytes, name: str) -> Manifest:
    """Return the manifest.

    Raises DamagedError where a bit differs from what was written, and CheckpointError where it is of another schema.
    """
    try:
        sealed = msgspec.json.decode(content, type=_Sealed)
        if _seal(bytes(sealed.manifest)) != sealed.seal:
            raise DamagedError("the manifest's seal differs")
        schema = msgspec.json.decode(sealed.manifest, type=_Schema).schema
        if schema != SCHEMA:
            raise CheckpointError(f"checkpoint {name}: schema must be {SCHEMA}, got {schema}")
        return msgspec.json.decode(sealed.manifest, type=Manifest)
    except (ValueError, RecursionError) as exc:
        raise DamagedError(f"the manifest cannot be read: {exc}") from exc


def _seal(inner: bytes) -> str:
    return xxhash.xxh3_128_hexdigest(inner)
