"""What lies in `checkpoints.directory`, of all roles and partitions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from lis_online.checkpoints.manifest import DamagedError, Manifest
from lis_online.checkpoints.names import ARCHIVE, CLEAN, DATA, MANIFEST, SPENT, Stem, former, parse
from lis_online.checkpoints.place import Place
from lis_online.checkpoints.reading import check_data, check_size, read_manifest
from lis_online.errors import CheckpointError

State = Literal["whole", "clean", "archived", "damaged", "unfinished", "other_release"]
"""clean: marked by a graceful stop. unfinished: data without a manifest, being written or left by a crash."""


@dataclass(frozen=True)
class Found:
    """One checkpoint. bytes: of its data. manifest: None where it has none, or none that can be read."""

    name: str
    role: str
    partition: int
    position: int
    state: State
    bytes: int
    manifest: Manifest | None = None
    problem: str | None = None


def survey(place: Place) -> list[Found]:
    """Return what is there, by role and partition, the newest first. Data is not read (`problem_of` does)."""
    sizes = place.sizes()
    found = [*_of_folder(place, sizes, ""), *_of_folder(place, place.sizes(ARCHIVE), ARCHIVE)]
    for name, size in sizes.items():
        if old := former(name):
            found.append(Found(name, *old, "other_release", size, problem="it is of release 0.1"))
    return sorted(found, key=lambda one: (one.role, one.partition, -one.position, one.name))


def problem_of(place: Place, one: Found) -> str | None:
    """Read a checkpoint to its end; return what is wrong with it, None where it is whole."""
    if one.problem is not None or one.manifest is None:
        return one.problem
    try:
        check_data(place, one.manifest, ARCHIVE if one.state == "archived" else "")
    except DamagedError as exc:
        return str(exc)
    return None


def _of_folder(place: Place, sizes: Mapping[str, int], folder: str) -> Iterator[Found]:
    for name, size in sizes.items():
        parsed = parse(name.removeprefix(folder))
        if parsed is None:
            continue
        stem = parsed.stem
        if parsed.kind == MANIFEST and parsed.damaged:
            data = sizes.get(f"{name.removesuffix(f'{MANIFEST}.damaged')}{DATA}.damaged", 0)
            yield Found(name, stem.role, stem.partition, stem.position, "damaged", data, problem="it was set aside")
        elif parsed.kind == MANIFEST and parsed.whole:
            yield _of_manifest(place, stem, sizes, folder)
        elif parsed.kind == DATA and parsed.whole and folder + stem.of(MANIFEST) not in sizes:
            yield Found(name, stem.role, stem.partition, stem.position, "unfinished", size)


def _of_manifest(place: Place, stem: Stem, sizes: Mapping[str, int], folder: str) -> Found:
    at = (folder + stem.of(MANIFEST), stem.role, stem.partition, stem.position)
    size = sizes.get(folder + stem.of(DATA), 0)
    manifest = None
    try:
        manifest = read_manifest(place, stem, folder)
        check_size(manifest, sizes, folder)
    except DamagedError as exc:
        return Found(*at, "damaged", size, manifest, str(exc))
    except CheckpointError as exc:
        return Found(*at, "other_release", size, problem=str(exc))
    clean = stem.of(CLEAN) in sizes and stem.of(SPENT) not in sizes
    return Found(*at, "archived" if folder else "clean" if clean else "whole", size, manifest)
