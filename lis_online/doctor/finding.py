"""What a check has found."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

State = Literal["ok", "warning", "wrong"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at. said: what was found, a sentence; change: what to do, None where nothing is."""

    check: str
    state: State
    said: str
    change: str | None = None


def worst(findings: Sequence[Finding]) -> State:
    """Return the worst state of findings.

    >>> worst([Finding("disk", "ok", "plenty"), Finding("clocks", "warning", "2 s apart")])
    'warning'
    """
    states = {finding.state for finding in findings}
    return "wrong" if "wrong" in states else "warning" if "warning" in states else "ok"
