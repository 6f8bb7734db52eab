"""What a query returns: a variant's numbers at one time, and their JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from lis_online.history.times import iso
from lis_online.history.windows import window_name
from lis_online.metrics.estimate import rounded


@dataclass(frozen=True, slots=True)
class Number:
    """A number with its 95 % interval, or None and the reason why there is none.

    samples_to_resolve: of a difference, of how many samples two standard errors would be 0.0005. learning_noise: the
    interval was widened for it; None where that was not recorded.
    """

    value: float | None
    stderr: float | None = None
    lower: float | None = None
    upper: float | None = None
    reason: str | None = None
    samples_to_resolve: float | None = None
    learning_noise: bool | None = None

    def to_json(self) -> dict[str, Any] | float:
        """Return the form of the summary: an object, or the bare value where no interval is kept.

        >>> Number(0.5).to_json(), Number(None, reason="no samples").to_json()
        (0.5, {'value': None, 'reason': 'no samples'})
        """
        if self.value is None:
            return {"value": None, "reason": self.reason}
        if self.stderr is None and self.reason is None:
            return self.value
        more = {
            "reason": self.reason,
            "learning_noise": self.learning_noise or None,
            "samples_to_resolve": rounded(self.samples_to_resolve),
        }
        found = {"value": self.value, "stderr": self.stderr, "lower": self.lower, "upper": self.upper}
        return found | {name: value for name, value in more.items() if value is not None}


@dataclass(frozen=True, slots=True)
class Point:
    """The numbers of one version of a variant and of its source, for the window that ends at `time` (ms since 1970).

    configuration: the id of the settings they were made under; points of two are not comparable.
    version: of the variant's vectors, "" while none came; newest: whether it was the newest then. samples: in the
    window and slice; pairs: behind the pair alignment, None where there is none.
    """

    time: int
    window_ms: int
    slice: str
    configuration: int
    source: str
    version: str
    newest: bool
    samples: int
    pairs: int | None
    diagnosis: str | None
    sentence: str | None
    variant_numbers: Mapping[str, Number]
    source_numbers: Mapping[str, Number]
    unleaked: Mapping[str, Number]

    def to_json(self, zone: ZoneInfo | None = None) -> dict[str, Any]:
        """Return the point as JSON values, its time in a zone."""
        return {
            "time": iso(self.time, zone),
            "window": window_name(self.window_ms),
            "slice": self.slice,
            "configuration": self.configuration,
            "version": self.version,
            "newest": self.newest,
            "samples": self.samples,
            "pairs": self.pairs,
            "diagnosis": self.diagnosis,
            "sentence": self.sentence,
            "variant": _json(self.variant_numbers),
            "source": {"name": self.source, **_json(self.source_numbers)},
            "unleaked": _json(self.unleaked),
        }


def _json(found: Mapping[str, Number]) -> dict[str, Any]:
    return {name: number.to_json() for name, number in sorted(found.items())}
