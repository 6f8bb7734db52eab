"""A review for a terminal of 110 columns: what makes it unreadable first, then the verdict, then the numbers.

Colour is never alone: every state is a word too.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Final

from rich.box import SIMPLE_HEAD
from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from lis_online.review.document import Arm, MetricResult, Representation, Review, Span
from lis_online.review.words import NO, gain, interval, lift, p_value, part, percent, share

WIDTH: Final = 110
STYLES: Final = {
    "ship": "green",
    "keep_running": "yellow",
    "stop": "red",
    "invalid": "red",
    "holds": "green",
    "undecided": "yellow",
    "breached": "bold red",
}
DECISIONS: Final = {"ship": "SHIP", "keep_running": "KEEP RUNNING", "stop": "STOP", "invalid": "INVALID"}


def render(review: Review) -> Group:
    """Return the review."""
    return Group(*_parts(review))


def _parts(review: Review) -> Iterator[RenderableType]:
    yield _heading(review)
    yield _sample_ratio(review)
    yield from _guardrails(review)
    yield _verdict(review)
    yield from _lifts(review)
    yield from _representations(review)
    yield _agreement(review)
    yield from _drift(review)
    yield _quality(review)
    yield from _against(review)
    yield from (Text(f"Note: {note}", style="dim") for note in review.notes)


def _heading(review: Review) -> Text:
    of = "the whole experiment" if review.scope == "experiment" else "the impressions of this range alone"
    text = Text(f"{review.experiment}, {of}", style="bold")
    text.append(f"\nlifts: {_span(review.covered)}", style="not bold")
    if review.alignment_covered != review.covered:
        text.append(f"\nLIS and AIS: {_span(review.alignment_covered)}", style="not bold")
    text.append(
        f"\ntimes in {review.zone}, configuration {review.configuration}, slice {review.slice}", style="not bold"
    )
    return text


def _sample_ratio(review: Review) -> Text:
    ratio, total = review.sample_ratio, sum(review.sample_ratio.assigned.values())
    text = Text("\nSample ratio: ")
    if ratio.p_value is None:
        return text.append(f"not known ({ratio.reason})", style="yellow")
    told = f"MISMATCH ({p_value(ratio.p_value)})" if ratio.mismatch else f"fits the shares ({p_value(ratio.p_value)})"
    text.append(told, style="bold red" if ratio.mismatch else "green")
    came = (
        f"{arm} {count:,} ({share(count / total)}, declared {share(ratio.shares[arm])})"
        for arm, count in ratio.assigned.items()
    )
    return text.append(f": {', '.join(came)}")


def _guardrails(review: Review) -> Iterator[Text]:
    if not review.guardrails:
        yield Text("Guardrails: none is declared")
    for rail in review.guardrails:
        text = Text(f"Guardrail {rail.metric} of {rail.arm}: ")
        text.append(rail.status.upper() if rail.status == "breached" else rail.status, style=STYLES[rail.status])
        yield text.append(f", {lift(rail.relative)}; {rail.direction} of at most {percent(rail.margin)[1:]}")


def _verdict(review: Review) -> Panel:
    found = review.verdict
    title = DECISIONS[found.decision] + ("" if found.arm is None else f": {found.arm}")
    return Panel(
        Text(found.paragraph),
        title=Text(title, style="bold"),
        title_align="left",
        border_style=STYLES[found.decision],
        width=WIDTH,
    )


def _lifts(review: Review) -> Iterator[RenderableType]:
    """Yield a table for each metric, its arms below each other, and below it why an arm has no interval."""
    is_invalid = review.verdict.decision == "invalid"
    told = " (not to be read: the verdict is invalid)" if is_invalid else ""
    if not any(arm.metrics for arm in review.arms):
        yield Text(
            f"\nArms: {', '.join(f'{arm.arm} {arm.users:,} users' for arm in review.arms)}; no metric is declared"
        )
    for metric in dict.fromkeys(one.metric for arm in review.arms for one in arm.metrics):
        first = ", which decides" if metric == review.primary_metric else ""
        table = _table(f"{metric}{first}{told}", LIFT_COLUMNS)
        found = [(arm, one) for arm in review.arms for one in arm.metrics if one.metric == metric]
        for arm, one in found:
            table.add_row(*_row(arm, one), style="dim" if is_invalid else "")
        yield table
        yield from (Text(f"{arm.arm}: {why}", style="yellow") for arm, one in found if (why := _why_none(one)))


LIFT_COLUMNS: Final = ("arm", "users", "level", "lift", "always valid", "one look", "adjusted p", "users needed")


def _why_none(metric: MetricResult) -> str | None:
    """Return why there is no level, no lift or no interval, the first that is missing."""
    found = metric.relative
    if metric.level.value is None or found is None:
        return metric.level.reason
    return found.reason if found.value is None else found.sequence.reason


def _row(arm: Arm, metric: MetricResult) -> Iterator[Text]:
    level, found = metric.level.value, metric.relative
    yield Text(arm.arm)
    yield Text(f"{arm.users:,}")
    yield Text(NO if level is None else f"{level:.5g}")
    if found is None:
        yield Text("control", style="dim")
        return
    yield Text(NO if found.value is None else percent(found.value))
    yield Text(NO if found.sequence.lower is None else interval(found.sequence))
    yield Text(NO if found.fixed.lower is None else interval(found.fixed))
    yield Text(NO if metric.p_adjusted is None else p_value(metric.p_adjusted).removeprefix("p ").removeprefix("= "))
    yield Text(NO if metric.users_needed is None else f"{metric.users_needed:,}")


def _representations(review: Review) -> Iterator[RenderableType]:
    table = _representation_table("Variants that the arms serve", "arm")
    for arm in review.arms:
        if arm.representation is None:
            table.add_row(Text(arm.arm), Text(arm.representation_reason or NO))
        else:
            table.add_row(Text(arm.arm), *_represented(arm.representation))
    yield table
    yield from _sentences([arm.representation for arm in review.arms if arm.representation is not None])


def _representation_table(title: str, first: str) -> Table:
    return _table(title, (first, "variant", "adjusted LIS", "adjusted AIS", "efficiency", "coverage", "diagnosis"))


def _represented(found: Representation) -> Iterator[Text]:
    yield Text(f"{found.variant} {found.version}".strip())
    yield Text(_under(gain(found.adjusted_lis)))
    yield Text(_under(gain(found.adjusted_ais)))
    yield Text(_under(part(found.efficiency)))
    yield Text(NO if found.coverage is None else f"{found.coverage:.0%}")
    yield Text(found.diagnosis)


def _under(text: str) -> str:
    return text.replace(" (", "\n(", 1)


def _sentences(found: list[Representation]) -> Iterator[Text]:
    for one in {one.variant: one for one in found}.values():
        yield Text(one.sentence if one.sentence.startswith(one.variant) else f"{one.variant}: {one.sentence}")


def _agreement(review: Review) -> Text:
    found = review.agreement
    text = Text("\nAgreement of lift and adjusted AIS: ")
    if found.agrees is None:
        return text.append(f"open, {found.reason}")
    text.append("yes" if found.agrees else "NO", style="green" if found.agrees else "red")
    if found.rank_correlation is not None:
        text.append(f" (Kendall's tau {found.rank_correlation:+.2f})")
    for pair in found.pairs:
        told = "agrees" if pair.agrees else "disagrees"
        text.append(
            f"\n  {pair.better_by_ais} before {pair.other}: adjusted AIS {pair.ais_difference:+.4f}, lift "
            f"{percent(pair.lift_difference)}: {told if pair.resolved else f'{told}, not for sure'}"
        )
    return text


def _drift(review: Review) -> Iterator[Text]:
    if review.drift_reason is not None:
        yield Text(f"Drift: not known, {review.drift_reason}")
    elif not review.drift:
        yield Text("Drift: no event")
    for event in review.drift:
        yield Text(f"Drift {_time(event.time)}: {event.sentence}")
    for note in review.annotations:
        until = "" if note.end is None else f" to {_time(note.end)}"
        yield Text(f"Noted {_time(note.time)}{until}: {note.text}")


def _quality(review: Review) -> Text:
    found = review.quality
    counted = (
        f"not known, {found.reason}"
        if found.accepted is None
        else f"{found.accepted:,} records accepted, {found.late or 0:,} late, {found.duplicate or 0:,} duplicate, "
        f"{found.dead_letters or 0:,} dead letters"
    )
    left_out = "" if found.left_out is None else f"; {found.left_out:,} samples beyond their users' caps"
    text = Text(f"Data quality: {counted}{left_out}")
    for gap in found.gaps:
        text.append(f"\nno samples from {_time(gap.start)} to {_time(gap.end)}", style="yellow")
    for ranker, reason in found.set_aside.items():
        text.append(f"\nset aside: {ranker} ({reason})", style="red")
    return text


def _against(review: Review) -> Iterator[RenderableType]:
    found = review.against
    if found is None:
        return
    yield Text(f"\nAgainst configuration {found.configuration}: {'; '.join(found.changed) or 'the same settings'}")
    if found.reason is not None:
        yield Text(f"no numbers: {found.reason}", style="yellow")
    if found.representations:
        table = _representation_table(f"The same time under configuration {found.configuration}", "source")
        for one in found.representations:
            table.add_row(Text(one.source), *_represented(one))
        yield table


def _table(title: str, names: tuple[str, ...]) -> Table:
    table = Table(
        title=title, title_justify="left", box=SIMPLE_HEAD, padding=(0, 1), pad_edge=False, collapse_padding=True
    )
    for name in names:
        table.add_column(name.replace(" ", "\n", 1), overflow="fold", no_wrap=name == "diagnosis")
    return table


def _span(found: Span | None) -> str:
    return "no time" if found is None else f"{_time(found.start)} to {_time(found.end)}"


def _time(time: datetime) -> str:
    """Return a time as a clock in its zone shows it."""
    return time.strftime("%Y-%m-%d %H:%M")
