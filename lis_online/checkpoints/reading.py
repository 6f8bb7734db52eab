"""One checkpoint, read and judged: shared by whoever restores it and whoever looks into the place."""

from __future__ import annotations

from collections.abc import Mapping

from lis_online.checkpoints.manifest import DamagedError, Manifest, decode
from lis_online.checkpoints.names import DATA, MANIFEST, Stem
from lis_online.checkpoints.place import Place
from lis_online.checkpoints.tensors import PIECE, Digest, read
from lis_online.snapshots.contract import Snapshot


def read_manifest(place: Place, stem: Stem, folder: str = "") -> Manifest:
    """Return a checkpoint's manifest. folder: "archive/" of an archived one.

    Raises DamagedError where it is not what was written, CheckpointError where it is of another schema.
    """
    name = folder + stem.of(MANIFEST)
    try:
        manifest = decode(place.read(name), name)
    except FileNotFoundError as exc:
        raise DamagedError("its manifest is gone") from exc
    if (manifest.data, manifest.position) != (stem.of(DATA), stem.position):
        raise DamagedError(f"it is of {manifest.data}")
    return manifest


def check_size(manifest: Manifest, sizes: Mapping[str, int], folder: str = "") -> None:
    """Compare the data's size with what the manifest says. Raises DamagedError where it differs."""
    size = sizes.get(folder + manifest.data)
    if size != manifest.bytes:
        raise DamagedError(f"its data must have {manifest.bytes} bytes, got {'none' if size is None else size}")


def read_snapshot(place: Place, manifest: Manifest) -> Snapshot:
    """Return a checkpoint's state. Raises DamagedError where it is not what was written."""
    digest = Digest()
    try:
        with place.reading(manifest.data) as file:
            snapshot = read(file, manifest.bytes, digest)
    except FileNotFoundError as exc:
        raise DamagedError("its data is missing") from exc
    _compare(digest, manifest)
    return snapshot


def check_data(place: Place, manifest: Manifest, folder: str = "") -> None:
    """Read a checkpoint's data and compare its digest, a piece in memory at a time. Raises DamagedError."""
    digest, piece = Digest(), memoryview(bytearray(PIECE))
    try:
        with place.reading(folder + manifest.data) as file:
            while taken := file.readinto(piece):
                digest.update(piece[:taken])
    except FileNotFoundError as exc:
        raise DamagedError("its data is missing") from exc
    _compare(digest, manifest)


def _compare(digest: Digest, manifest: Manifest) -> None:
    if digest.get() != manifest.digest:
        raise DamagedError("its digest differs")
