"""How drift is looked for: lengths of time and thresholds, chosen by the study in docs/drift.md."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from lis_online.errors import UsageError

HOUR: Final = 3_600_000
DAY: Final = 24 * HOUR
WEEK: Final = 7 * DAY


@dataclass(frozen=True, slots=True)
class Tuning:
    """Times in ms.

    bucket: length of a detection bucket. learning: how much a reference must span before anything is judged by it.
    window: how far back a reference reaches; gap: how much of the newest it leaves out, so that a slow change does not
    become its own reference. same: how much later than an event's detection what belongs to it may begin.
    clip: the most standard errors that one bucket counts for; slack, threshold: of the detector, in standard errors.
    """

    bucket: int = HOUR
    learning: int = WEEK
    window: int = 4 * WEEK
    gap: int = 2 * DAY
    same: int = 2 * DAY
    clip: float = 4.0
    slack: float = 0.5
    threshold: float = 17.0

    def __post_init__(self) -> None:
        if self.bucket <= 0 or HOUR % self.bucket:
            raise UsageError(f"bucket must divide an hour, got {self.bucket} ms")
        if not self.learning <= self.window:
            raise UsageError(f"window must be >= learning, {self.learning} ms, got {self.window} ms")
        if self.threshold <= self.clip:
            raise UsageError(
                f"threshold must be > clip, {self.clip:g}, or one bucket alone decides: {self.threshold:g}"
            )

    @property
    def kept(self) -> int:
        """The most rows that a series keeps."""
        return (self.window + self.gap) // self.bucket

    @property
    def least(self) -> int:
        """The fewest rows that make a reference: half of those that the learning time could hold."""
        return self.learning // self.bucket // 2
