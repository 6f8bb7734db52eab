"""Checks of the machine: room for checkpoints."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Final

from lis_online.doctor.finding import Finding
from lis_online.settings import Settings

SKETCH_BYTES: Final = 75_000_000
"""Of one fold of one source at 22 bits: about 600 MB for 8 folds (docs/settings.md, `leakage.sketch_bits`)."""


def checkpoint_bytes(settings: Settings) -> int:
    """Return about how much the checkpoints of the rank role take, bytes: those kept and the one being written."""
    leakage = settings.leakage
    sketch = SKETCH_BYTES * leakage.folds * (1 << leakage.sketch_bits) // (1 << 22)
    return sketch * len(settings.preference) * (settings.checkpoints.keep + 1)


def disk(settings: Settings) -> Finding:
    """Return whether checkpoints can be written to their folder, and whether there is room."""
    directory = settings.checkpoints.directory
    if "://" in directory:
        return Finding(
            "disk", "ok", f"checkpoints go to {directory.partition('://')[0]}, not to a disk of this machine"
        )
    folder = Path(directory).absolute()
    there = next(one for one in (folder, *folder.parents) if one.exists())
    if not there.is_dir() or not os.access(there, os.W_OK | os.X_OK):
        said = f"checkpoints.directory must be a folder that can be written, got {directory}"
        return Finding("disk", "wrong", said, f"let this user write to {there}, or set checkpoints.directory")
    free, wanted = shutil.disk_usage(there).free, checkpoint_bytes(settings)
    said = (
        f"{free / 1e9:.1f} GB are free at {directory}; checkpoints of the rank role may take about {wanted / 1e9:.1f}"
    )
    if free < wanted:
        return Finding(
            "disk", "warning", said, "a larger disk, a smaller leakage.sketch_bits, or fewer checkpoints.keep"
        )
    return Finding("disk", "ok", said)
