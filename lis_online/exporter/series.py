"""What a series is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal["gauge", "counter", "histogram", "info"]


@dataclass(frozen=True, slots=True)
class Series:
    """One series: its name ends in its unit where it has one; a counter's ends in _total."""

    name: str
    kind: Kind
    labels: tuple[str, ...]
    help: str
    unit: str = ""
    interval: bool = False
    interval_is: str = "95 % interval"

    @property
    def bounds(self) -> tuple[Series, Series]:
        """The series of the interval's lower and upper end."""
        return (self._end("lower"), self._end("upper"))

    def _end(self, end: str) -> Series:
        text = f"{end.capitalize()} end of the {self.interval_is} of {self.name}."
        return Series(f"{self.name}_{end}", "gauge", self.labels, text)


def gauge(name: str, labels: str, text: str, unit: str = "", interval: bool = False) -> Series:
    """Return a gauge. labels: with a space between."""
    return Series(name, "gauge", tuple(labels.split()), text, unit, interval)


def counter(name: str, labels: str, text: str) -> Series:
    """Return a counter. labels: with a space between."""
    return Series(name, "counter", tuple(labels.split()), text)
