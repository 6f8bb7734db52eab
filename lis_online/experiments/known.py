"""What is known of an experiment's arms at a time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from lis_online.events.windows_log import ArmMoments


@dataclass(frozen=True, slots=True)
class Known:
    """The arms' moments as of a time, ms: columns are the names behind their indices."""

    time: int
    columns: tuple[str, ...]
    arms: Mapping[str, ArmMoments]
