"""Verdicts on a lift against a margin: guardrails that must hold, effects that are large enough."""

from __future__ import annotations

from typing import Literal

from lis_online.experiments.definitions import Guardrail
from lis_online.experiments.lift import Interval

Holding = Literal["breached", "holds", "undecided"]
Reached = Literal["above", "below", "undecided"]


def judge(guardrail: Guardrail, relative: Interval) -> Holding:
    """Return whether the change that must not happen has happened (non-inferiority).

    relative: the always-valid interval of the relative lift. "breached": all of it is beyond the margin; "holds": none
    of it is; "undecided": the margin is inside, or there is no interval.

    >>> judge(Guardrail("decrease", 0.01), Interval(-0.004, 0.02))
    'holds'
    >>> judge(Guardrail("decrease", 0.01), Interval(-0.02, 0.02))
    'undecided'
    >>> judge(Guardrail("increase", 0.01), Interval(0.012, 0.02))
    'breached'
    """
    if relative.lower is None or relative.upper is None:
        return "undecided"
    worst, best = relative.lower, relative.upper
    if guardrail.direction == "increase":
        worst, best = -relative.upper, -relative.lower
    if best < -guardrail.margin:
        return "breached"
    return "holds" if worst > -guardrail.margin else "undecided"


def reached(minimum_effect: float, relative: Interval) -> Reached:
    """Return whether the relative lift is above a minimum effect, below it, or neither for sure.

    >>> reached(0.01, Interval(0.012, 0.05)), reached(0.01, Interval(-0.05, 0.004)), reached(0.01, Interval(0.0, 0.02))
    ('above', 'below', 'undecided')
    """
    if relative.lower is None or relative.upper is None:
        return "undecided"
    if relative.lower > minimum_effect:
        return "above"
    return "below" if relative.upper < minimum_effect else "undecided"
