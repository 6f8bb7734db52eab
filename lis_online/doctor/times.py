"""Checks of a feed's times: clocks, order, and how long after an impression its feedback comes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from lis_online.doctor.finding import Finding
from lis_online.doctor.sample import FEW, Sample, quantile
from lis_online.events.topics import MAIN
from lis_online.settings import Settings
from lis_online.settings.durations import UNITS, format_duration

AHEAD: Final = 1_000
"""Milliseconds by which clocks of good servers may differ."""

DAY: Final = UNITS["d"]

LATE: Final = 0.01
"""The share of events that may be late before a longer wait is worth it."""

SHARE: Final = 0.99
"""The share of clicks, or of events, that a suggested duration takes in."""


def clocks(settings: Settings, sample: Sample) -> Iterator[Finding]:
    """Yield how event times compare with the times at which records were sent."""
    for topic in MAIN:
        delays = [delay for seen in sample.of(topic) if (delay := seen.delay) is not None]
        if not delays:
            continue
        middle, low, high = (quantile(delays, share) for share in (0.5, 0.01, 0.99))
        rest = f"1 % {_words(low)} or less, 1 % {_words(high)} or more"
        said = f"{topic} are sent {_words(middle)} after they happen ({rest})"
        refused = sum(delay < -settings.events.max_ahead for delay in delays)
        if refused:
            bound = format_duration(settings.events.max_ahead)
            said = f"{refused} of {len(delays)} {topic} are over {bound} ahead; {said}"
            change = "set the clocks, or the unit of the time: what is ahead by more than events.max_ahead is refused"
            yield Finding("clocks", "wrong", said, change)
        elif middle > DAY:
            change = "is the unit of the time right? Old events are fine for a replay, not for a live feed"
            yield Finding("clocks", "warning", said, change)
        elif low < -AHEAD:
            yield Finding("clocks", "warning", said, "set the clocks: events happen before they are sent")
        else:
            yield Finding("clocks", "ok", said)


def lateness(settings: Settings, sample: Sample) -> Iterator[Finding]:
    """Yield how far events are behind the newest of their partition: beyond the allowed lateness they are late."""
    allowed = settings.events.allowed_lateness
    for topic in MAIN:
        newest: dict[int, int] = {}
        behind = []
        for seen in sample.of(topic):
            partition, ts = seen.record.partition, seen.event.ts
            reached = newest.get(partition, ts)
            behind.append(reached - ts if ts < reached else 0)
            newest[partition] = max(reached, ts)
        if len(behind) < FEW:
            continue
        late = sum(one > allowed for one in behind)
        said = (
            f"{late} of {len(behind)} {topic} are more than {format_duration(allowed)} behind their partition's newest"
        )
        if late > LATE * len(behind):
            wanted = _rounded(quantile(behind, SHARE))
            change = f'set events.allowed_lateness = "{wanted}", which takes in {SHARE:.0%}; every number waits as long'
            yield Finding("order", "warning", said, change)
        else:
            yield Finding("order", "ok", said)


def attribution(settings: Settings, sample: Sample) -> Iterator[Finding]:
    """Yield which share of the label actions come within the attribution window.

    Of the older half of the impressions alone: those were followed for as long as the younger half spans, and a delay
    that is longer than that cannot be seen.
    """
    window, label = settings.events.attribution_window, settings.events.label
    if len(sample.impressions) < FEW:
        return
    times = [seen.event.ts for seen in sample.impressions]
    middle = quantile(times, 0.5)
    followed = max(times) - middle
    older = {seen.event.request_id: seen.event.ts for seen in sample.impressions if seen.event.ts <= middle}
    delays = [
        seen.event.ts - older[seen.event.request_id]
        for seen in sample.feedback
        if seen.event.action == label and seen.event.request_id in older
    ]
    if len(delays) < FEW:
        said = f"{len(delays)} {label} on the sampled impressions, too few to tell when they come"
        yield Finding("attribution", "warning", said, "take more with --sample")
        return
    before = sum(delay < 0 for delay in delays)
    if before > LATE * len(delays):
        said = f"{before} of {len(delays)} {label} happen before their impression"
        yield Finding("attribution", "wrong", said, "set the clocks, or the units of the two topics' times")
        return
    within, nearly_all = sum(delay <= window for delay in delays), quantile(delays, SHARE)
    wanted = _rounded(nearly_all)
    said = (
        f"{within / len(delays):.1%} of {len(delays)} {label} come within {format_duration(window)}, "
        f"{SHARE:.0%} within {wanted} (followed for {_words(followed)})"
    )
    if within < SHARE * len(delays):
        more = "" if nearly_all <= followed else " or more, and take more with --sample: later ones were not seen"
        horizon = settings.leakage.horizon
        also = "" if nearly_all <= horizon else f", and leakage.horizon ({format_duration(horizon)}) as long"
        change = f'set events.attribution_window = "{wanted}"{more}{also}; the rest are labelled as not clicked'
        yield Finding("attribution", "warning", said, change)
    elif followed < window:
        yield Finding("attribution", "warning", said, f"take more with --sample: over {format_duration(window)} of it")
    else:
        yield Finding("attribution", "ok", said)


def _words(milliseconds: int) -> str:
    """Return a duration in two digits.

    >>> _words(1234), _words(-250), _words(5_400_000)
    ('1.2 s', '-250 ms', '1.5 h')
    """
    for unit in ("d", "h", "s"):
        if abs(milliseconds) >= UNITS[unit]:
            return f"{milliseconds / UNITS[unit]:.2g} {unit}" if unit != "s" else f"{milliseconds / 1000:.1f} s"
    return f"{milliseconds} ms"


def _rounded(milliseconds: int) -> str:
    """Return a duration for the settings, rounded up to a whole one.

    >>> _rounded(61_000), _rounded(5_100), _rounded(7_300_000)
    ('2m', '6s', '3h')
    """
    unit = next((one for one in ("h", "m", "s") if milliseconds > UNITS[one]), "s")
    return f"{max(1, -(-milliseconds // UNITS[unit]))}{unit}"
