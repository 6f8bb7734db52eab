"""What a benchmark returns: a ratio of two things measured side by side in one run, and what they were."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Measured:
    """name: a row of docs/performance.md, for ever the same; ratio: this over what it is held against; goal: None is a
    fact to state; better: which side of the goal is the good one; detail: both sides with their units, in a sentence.
    """

    name: str
    ratio: float
    goal: float | None
    better: Literal["higher", "lower"]
    detail: str

    @property
    def holds(self) -> bool:
        """Whether the goal is reached; True where there is none."""
        if self.goal is None:
            return True
        return self.ratio >= self.goal if self.better == "higher" else self.ratio <= self.goal
