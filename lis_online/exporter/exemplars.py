"""What an exemplar points at: the record that a count or a duration was last seen with."""

from __future__ import annotations

from typing import NamedTuple


class Origin(NamedTuple):
    """A record of an input topic. topic: its logical name."""

    topic: str
    partition: int
    offset: int


class Mark(NamedTuple):
    """One observation worth finding again. value: what was observed, s or a count; at: when, s since 1970."""

    origin: Origin
    value: float
    at: float

    @property
    def labels(self) -> dict[str, str]:
        """The exemplar's labels, well below the 128 characters that OpenMetrics allows."""
        return {name: str(value) for name, value in self.origin._asdict().items()}
