"""How a review writes numbers: one form each, in sentences and in tables."""

from __future__ import annotations

from math import ceil
from typing import Final

from lis_online.review.document import Change, Interval, Number

NO: Final = "-"
HOUR: Final = 3_600  # s
DAY: Final = 24 * HOUR


def percent(value: float) -> str:
    """Return a change.

    >>> percent(0.0123), percent(-0.5)
    ('+1.23%', '-50.00%')
    """
    return f"{value:+.2%}"


def share(value: float) -> str:
    """Return a share.

    >>> share(0.5)
    '50.0%'
    """
    return f"{value:.1%}"


def p_value(p: float) -> str:
    """Return a p-value with its letter.

    >>> p_value(0.0123), p_value(1e-9)
    ('p = 0.012', 'p < 0.0001')
    """
    return "p < 0.0001" if p < 0.0001 else f"p = {p:.2g}"


def interval(found: Interval) -> str:
    """Return an interval of changes; a dash and the reason where there is none.

    >>> interval(Interval(lower=-0.01, upper=0.02)), interval(Interval(lower=None, upper=None, reason="no users"))
    ('-1.00% to +2.00%', '- no users')
    """
    if found.lower is None or found.upper is None:
        return f"{NO} {found.reason}"
    return f"{percent(found.lower)} to {percent(found.upper)}"


def lift(found: Change) -> str:
    """Return a lift with its always-valid interval, or why there is none."""
    if found.value is None:
        return f"{NO} ({found.reason})"
    ends = found.sequence.reason if found.sequence.lower is None else interval(found.sequence)
    return f"{percent(found.value)} ({ends})"


def gain(found: Number) -> str:
    """Return a difference of AUC with its interval; a ~ marks learning noise in it.

    >>> gain(Number(value=0.0123, lower=0.01, upper=0.0146))
    '+0.0123 (+0.0100 to +0.0146)'
    """
    if found.value is None:
        return f"{NO} {found.reason}"
    if found.lower is None or found.upper is None:
        return f"{found.value:+.4f}"
    return f"{found.value:+.4f}{'~' if found.learning_noise else ''} ({found.lower:+.4f} to {found.upper:+.4f})"


def part(found: Number) -> str:
    """Return a share that may be below 0 or above 1, with its interval.

    >>> part(Number(value=0.62, lower=0.5, upper=0.75))
    '62% (50% to 75%)'
    """
    if found.value is None:
        return f"{NO} {found.reason}"
    if found.lower is None or found.upper is None:
        return f"{found.value:.0%}"
    return f"{found.value:.0%} ({found.lower:.0%} to {found.upper:.0%})"


def duration(seconds: float) -> str:
    """Return about how long something takes, rounded up.

    >>> duration(50), duration(5 * HOUR), duration(2.1 * DAY), duration(1000 * DAY)
    ('1 minute', '5 hours', '3 days', 'more than a year')
    """
    if seconds > 365 * DAY:
        return "more than a year"
    unit, word = next((one for one in ((DAY, "day"), (HOUR, "hour")) if seconds >= 2 * one[0]), (60, "minute"))
    count = ceil(seconds / unit)
    return f"{count} {word}{'' if count == 1 else 's'}"
