"""The checkpoints of one shard: save, restore, fall back, keep the last few.

A checkpoint is two objects, `ROLE-PARTITION-<position>-<writer>.safetensors` (the data) and `.json` (the manifest). The
manifest is written last and alone makes it exist. No name is ever written twice and nothing is renamed, so an object
store will do.
"""

from __future__ import annotations

import logging
import secrets
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime

import msgspec

from lis_online.checkpoints.manifest import SCHEMA, DamagedError, Fingerprint, Manifest, encode
from lis_online.checkpoints.names import ARCHIVE, CLEAN, DAMAGED, DATA, MANIFEST, SPENT, Parsed, Stem, former, parse
from lis_online.checkpoints.place import open_place
from lis_online.checkpoints.reading import check_size, read_manifest, read_snapshot
from lis_online.checkpoints.tensors import Digest, pieces
from lis_online.errors import CheckpointError, StorageError
from lis_online.snapshots.contract import Snapshot

logger = logging.getLogger(__name__)

Judge = Callable[[Manifest], None]
"""Raises CheckpointError where a whole checkpoint must not be restored."""


class CheckpointStore:
    """The checkpoints of one shard in a place that every worker of its role shares.

    directory: a folder or an fsspec URL. role, partition: whose. keep: how many of the newest stay. fingerprint: what
    the settings must be for a checkpoint to be restored. clock: seconds since 1970.

    A worker that was stopped and continued may save after its partition has moved on. It does no harm: its position is
    lower, and a lower position never replaces or follows a higher one; of one position the one that began last counts.

    saved_bytes: of the last one written. changed: what was loaded is of other settings, which the judge let pass.

    Every method raises StorageError where the place does not answer, is full, or refuses.
    """

    def __init__(
        self,
        directory: str,
        role: str,
        partition: int,
        keep: int,
        fingerprint: Fingerprint,
        clock: Callable[[], float] = time.time,
    ) -> None:
        if keep < 1:
            raise CheckpointError(f"keep must be >= 1, got {keep}")
        self.place = open_place(directory)
        self.saved_bytes = 0
        self.changed = False
        self._role = role
        self._partition = partition
        self._keep = keep
        self._fingerprint = dict(fingerprint)
        self._clock = clock
        self._written: Stem | None = None
        self._manifests: dict[Stem, Manifest] = {}

    @property
    def written(self) -> int | None:
        """The position of the last checkpoint that this store wrote."""
        return None if self._written is None else self._written.position

    # --- saving ------------------------------------------------------------------------------------

    def save(self, snapshot: Snapshot, position: int) -> bool:
        """Write a checkpoint that survives a power cut once this returns; True if it was written.

        False, and nothing written, where a checkpoint of a higher position is there.

        1. Write the data under a new name; durable.
        2. Put the manifest: now it exists, whole.
        3. Remove the oldest ones.
        """
        if position < 0:
            raise CheckpointError(f"position must be >= 0, got {position}")
        there = self._stems(MANIFEST)
        if there and there[-1].position > position:
            return False
        stem = self._new_stem(position, there)
        digest = Digest()
        try:
            self.place.write(stem.of(DATA), pieces(snapshot, digest))
            manifest = Manifest(
                schema=SCHEMA,
                role=self._role,
                partition=self._partition,
                position=position,
                data=stem.of(DATA),
                bytes=digest.bytes,
                digest=digest.get(),
                fingerprint=self._fingerprint,
                created_at=datetime.fromtimestamp(self._clock(), UTC),
            )
            self.place.put(stem.of(MANIFEST), encode(manifest))
        except StorageError:
            self._forget_half(stem)
            raise
        self._written, self.saved_bytes = stem, digest.bytes
        self._prune_quietly()
        return True

    # --- restoring -----------------------------------------------------------------------------------

    def newest(self) -> Manifest | None:
        """Return the manifest of the newest checkpoint that looks whole, without reading its data; None without one.

        Raises CheckpointError as `load_latest` does, other settings apart.
        """
        sizes = self._listed()
        for stem in reversed(self._stems(MANIFEST, sizes)):
            try:
                return self._manifest(stem, sizes)
            except DamagedError:
                continue
        return None

    def load_latest(self, judge: Judge | None = None) -> tuple[Snapshot, int] | None:
        """Return the newest whole checkpoint and its position; None where there has never been one.

        A damaged one is logged as an error, set aside under the name `*.damaged`, and the one before it is taken.
        judge: looks at each manifest before its data is read; without it, settings other than the store's are refused.

        Raises CheckpointError where all are damaged, where the newest is of another schema or of other settings (the
        sentence names what differs), and where checkpoints of release 0.1 are there.
        """
        sizes = self._listed()
        for stem in reversed(self._stems(MANIFEST, sizes)):
            try:
                manifest = self._manifest(stem, sizes)
                (judge or self._refuse_other_settings)(manifest)
                snapshot = self.load(manifest)
            except DamagedError as exc:
                logger.error(
                    "checkpoint %s in %s is damaged (%s): falling back to the one before it",
                    stem.of(MANIFEST), self.place.url, exc,
                )  # fmt: skip
                self._set_aside(stem)
            else:
                self.changed = bool(manifest.differing(self._fingerprint))
                return snapshot, stem.position
        self._refuse_all_damaged()
        return None

    def load(self, manifest: Manifest) -> Snapshot:
        """Return the state of one checkpoint. Raises DamagedError where it is not what was written."""
        return read_snapshot(self.place, manifest)

    # --- a clean stop ----------------------------------------------------------------------------------

    def mark_clean(self, position: int) -> None:
        """Say that the worker stopped, and that the checkpoint of this position is the state after all it ever sent.

        Only of a checkpoint that this store wrote. Raises CheckpointError otherwise.
        """
        if self._written is None or self._written.position != position:
            raise CheckpointError(f"a clean mark must be of the last checkpoint written, got position {position}")
        self.place.put(self._written.of(CLEAN), b"{}")

    def is_clean(self, position: int) -> bool:
        """Return whether the newest checkpoint of this position was marked, and nobody has gone on from it."""
        return self._is_clean(position, self._listed())

    def take_clean_mark(self, position: int) -> bool:
        """Spend the mark of this position, durably, before anything is fed or sent; return whether it was clean.

        A worker that stood still while it was ending may write its mark now: it counts no more.
        """
        sizes = self._listed()
        clean = self._is_clean(position, sizes)
        for stem in self._stems(MANIFEST, sizes):
            if stem.position == position and stem.of(SPENT) not in sizes:
                self.place.put(stem.of(SPENT), b"{}")
        return clean

    # --- keeping -----------------------------------------------------------------------------------------

    def archive(self, position: int, why: str) -> str:
        """Keep the newest checkpoint of this position for ever, under `archive/`; return its manifest's name.

        why: the reason, for whoever reads it. Raises CheckpointError where there is none of this position.
        """
        sizes = self._listed()
        for stem in reversed(self._stems(MANIFEST, sizes)):
            if stem.position == position:
                manifest = msgspec.structs.replace(self._manifest(stem, sizes), why=why)
                self.place.copy(stem.of(DATA), ARCHIVE + stem.of(DATA))
                self.place.put(ARCHIVE + stem.of(MANIFEST), encode(manifest))
                return ARCHIVE + stem.of(MANIFEST)
        raise CheckpointError(f"checkpoint of {self._role} {self._partition} at {position} must be there, got none")

    def prune(self, keep: int | None = None) -> list[str]:
        """Remove all but the last whole ones, and what is left of older ones; return the names removed.

        keep: how many stay, by default the store's. Archived and damaged ones stay, and whatever is not a checkpoint.
        """
        sizes = self._listed()
        whole = [stem for stem in self._stems(MANIFEST, sizes) if self._looks_whole(stem, sizes)]
        kept = whole[-(keep or self._keep) :]
        if not kept:
            return []
        old = {stem for stem in self._stems(MANIFEST, sizes) if stem < kept[0]}
        # what has no manifest may be of a worker that is writing it, as long as its position is not passed
        gone = [
            name
            for name, one in self._ours(sizes).items()
            if not one.damaged and (one.stem in old or one.stem.position < kept[0].position)
        ]
        # a manifest goes before its data: "damaged" is never said of what was only removed
        gone.sort(key=lambda name: (not name.endswith(f".{MANIFEST}"), name))
        for name in gone:
            self.place.remove(name)
        return gone

    # --- what is there -----------------------------------------------------------------------------------

    def _listed(self) -> Mapping[str, int]:
        sizes = self.place.sizes()
        old = [name for name in sizes if (former(name) or ())[:2] == (self._role, self._partition)]
        if old:
            raise CheckpointError(
                f"checkpoint {old[0]} in {self.place.url} must be of this release, it is of release 0.1: move it "
                "away, and start afresh under another kafka.prefix"
            )
        return sizes

    def _ours(self, sizes: Mapping[str, int]) -> dict[str, Parsed]:
        mine = (self._role, self._partition)
        parsed = {name: parse(name) for name in sizes}
        return {name: one for name, one in parsed.items() if one and (one.stem.role, one.stem.partition) == mine}

    def _stems(self, kind: str, sizes: Mapping[str, int] | None = None) -> list[Stem]:
        found = self._ours(self._listed() if sizes is None else sizes)
        return sorted(one.stem for one in found.values() if one.kind == kind and one.whole)

    def _new_stem(self, position: int, there: list[Stem]) -> Stem:
        now = int(self._clock() * 1000)
        if there and there[-1].position == position:  # a clock that was set back must not put it before that one
            now = max(now, int(there[-1].writer[:12], 16) + 1)
        return Stem(self._role, self._partition, position, f"{now:012x}{secrets.token_hex(4)}")

    def _manifest(self, stem: Stem, sizes: Mapping[str, int]) -> Manifest:
        manifest = self._manifests.get(stem)
        if manifest is None:
            manifest = self._manifests[stem] = read_manifest(self.place, stem)
        check_size(manifest, sizes)
        return manifest

    def _looks_whole(self, stem: Stem, sizes: Mapping[str, int]) -> bool:
        try:
            self._manifest(stem, sizes)
        except (DamagedError, CheckpointError):
            return False
        return True

    def _is_clean(self, position: int, sizes: Mapping[str, int]) -> bool:
        stems = [stem for stem in self._stems(MANIFEST, sizes) if stem.position == position]
        return bool(stems) and stems[-1].of(CLEAN) in sizes and stems[-1].of(SPENT) not in sizes

    def _refuse_other_settings(self, manifest: Manifest) -> None:
        differing = manifest.differing(self._fingerprint)
        if differing:
            raise CheckpointError(
                f"checkpoint {manifest.data} in {self.place.url} must be of the same settings: {'; '.join(differing)}. "
                "Set them back, or start afresh under another kafka.prefix and checkpoints.directory"
            )

    def _refuse_all_damaged(self) -> None:
        damaged = [one.stem for one in self._ours(self._listed()).values() if one.damaged and one.kind == MANIFEST]
        if damaged:
            raise CheckpointError(
                f"checkpoint {max(damaged).of(MANIFEST)} in {self.place.url} must be whole, and so must be one before "
                f"it: all {len(damaged)} are damaged (kept as *.damaged); restore one from a backup, or move them away "
                "and start afresh under another kafka.prefix"
            )

    # --- what goes wrong -----------------------------------------------------------------------------------

    def _set_aside(self, stem: Stem) -> None:
        """The manifest first: from then on it is no checkpoint."""
        for kind in (MANIFEST, DATA):
            try:
                self.place.move(stem.of(kind), f"{stem.of(kind)}.{DAMAGED}")
            except FileNotFoundError:
                continue
        self._manifests.pop(stem, None)

    def _forget_half(self, stem: Stem) -> None:
        """On a full disk the half that was written takes the room of the next try."""
        try:
            self.place.remove(stem.of(DATA))
        except StorageError as exc:
            logger.debug("half a checkpoint stays for now: %s", exc)

    def _prune_quietly(self) -> None:
        try:
            self.prune()
        except StorageError as exc:  # the checkpoint is there all the same
            logger.warning("old checkpoints stay for now: %s", exc)
