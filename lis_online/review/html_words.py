"""How the page writes what `words` has no form for: times in the review's zone, counts, what is missing."""

from __future__ import annotations

from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from lis_online.review.document import Interval, Level, Number, Span
from lis_online.review.html_elements import Child, Html, el
from lis_online.review.words import percent

DASH: Final = "\N{EN DASH}"
GOOD, BAD, OPEN = "good", "bad", "open"
"""Tones. Each has its colour, and always a word beside it."""


def missing(reason: str | None) -> Html:
    """Return a dash, and why there is nothing; None where the row says it already."""
    if not reason:
        return el("span", DASH, class_="none bare")
    return el("span", DASH, el("span", f" {reason}", class_="why"), class_="none")


def badge(word: str, tone: str) -> Html:
    """Return a status: a word, and a colour beside it."""
    return el("span", word, class_=f"badge {tone}")


def count(value: float | None, reason: str | None = None) -> Child:
    """Return a whole number with its thousands apart.

    >>> count(1204551)
    '1,204,551'
    """
    return missing(reason) if value is None else f"{value:,.0f}"


def amount(value: float) -> str:
    """Return a level in four digits.

    >>> amount(41.7123), amount(0.081234), amount(12345.6)
    ('41.71', '0.08123', '12,346')
    """
    return f"{value:,.0f}" if abs(value) >= 10_000 else f"{value:.4g}"


def level(found: Level, kind: str) -> Child:
    """Return a level: a share as a percentage, anything else as it is counted."""
    if found.value is None:
        return missing(found.reason)
    return f"{found.value:.2%}" if kind == "proportion" else amount(found.value)


def changes(found: Interval) -> Child:
    """Return an interval of changes."""
    if found.lower is None or found.upper is None:
        return missing(found.reason)
    return f"{percent(found.lower)} to {percent(found.upper)}"


def measured(found: Number, form: str = "{:+.4f}") -> Child:
    """Return a number with its interval below it; a ~ marks learning noise."""
    if found.value is None:
        return missing(found.reason)
    value = el("span", form.format(found.value) + ("~" if found.learning_noise else ""), class_="value")
    if found.lower is None or found.upper is None:
        return [value, el("span", found.reason or "no interval", class_="within")]
    return [value, el("span", f"{form.format(found.lower)} to {form.format(found.upper)}", class_="within")]


def moment(time: datetime, zone: str) -> str:
    """Return a time in a zone.

    >>> moment(datetime.fromisoformat("2026-11-17T08:00:00+00:00"), "Europe/Berlin")
    'Tue 17 Nov 2026, 09:00'
    """
    local = time.astimezone(ZoneInfo(zone))
    return f"{DAYS[local.weekday()]} {local.day} {MONTHS[local.month - 1]} {local:%Y, %H:%M}"


def span(found: Span, zone: str) -> Html:
    """Return a stretch of time; its day is said once where it has one alone."""
    first, last = moment(found.start, zone), moment(found.end, zone)
    if first[:-5] == last[:-5]:
        last = last[-5:]
    return el("span", el("time", first, datetime=found.start.isoformat()), f" {DASH} ",
              el("time", last, datetime=found.end.isoformat()))  # fmt: skip


DAYS: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
"""In English whatever the machine's language is."""
