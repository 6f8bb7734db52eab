"""The summary as tables for a terminal: `evaluate`, the demo's live view and its end."""

from __future__ import annotations

from typing import Any

from rich.console import Group
from rich.table import Table
from rich.text import Text

from lis_online.cli.consoles import Stacked
from lis_online.cli.experiment_report import experiments
from lis_online.cli.report_parts import DASH, short, titled_table


def number(n: dict[str, Any] | None, *, percent: bool = False, nothing: float = 0.0) -> Text:
    """Return a number with its interval, or a dash and the reason. A ~ marks learning noise in the interval.

    nothing: the value that stands for no effect; green is an interval above it, red one below.
    """
    if n is None:
        return Text(DASH, style="dim")
    if n["value"] is None:
        return Text(f"{DASH} {n['reason']}", style="dim")
    form = "{:.0%}{} [{:.0%}, {:.0%}]" if percent else "{:+.4f}{} [{:.4f}, {:.4f}]"
    text = Text(form.format(n["value"], "~" if n.get("learning_noise") else "", n["lower"], n["upper"]))
    if n["lower"] > nothing:
        text.stylize("green")
    elif n["upper"] < nothing:
        text.stylize("red")
    return text


def share(value: float | None) -> Text:
    """Return a share as a percentage."""
    return Text(DASH, style="dim") if value is None else Text(f"{value:.0%}")


def still_needed(n: dict[str, Any] | None, samples: int) -> Text:
    """Return how many samples a difference lacks to resolve 0.0005, of those that it needs.

    >>> still_needed({"value": 0.1, "samples_to_resolve": 1_300_000}, 90_000).plain, still_needed(None, 5).plain
    ('1.2M', '-')
    """
    needed = None if n is None else n.get("samples_to_resolve")
    return Text(DASH, style="dim") if needed is None else Text(short(max(0, needed - samples)))


def report(summary: dict[str, Any]) -> Group:
    """Return the whole summary."""
    lifts = (arms, experiments) if summary["arms"] else (experiments,)
    parts = (heading, variants, versions, advice, sources, *lifts)
    return Group(*(shown for part in parts if (shown := part(summary)) is not None))


def heading(summary: dict[str, Any]) -> Text:
    """Return what was measured, in two lines."""
    events = summary["events"]
    unleaked = summary["unleaked"]["auc"]
    level = DASH if unleaked["value"] is None else f"{unleaked['value']:.4f}"
    users = summary["effective_users"]
    text = Text()
    text.append(f"{summary['slates']:,} slates, {summary['samples']:,} samples", style="bold")
    text.append(f" from {summary['from'] or DASH} to {summary['to'] or DASH}, after warm-up\n")
    text.append(
        f"unleaked AUC {level}   twin {number(summary['twin']).plain}   "
        f"effective users {DASH if users is None else format(users, ',.0f')}   "
        f"late {events['late']:,}   duplicate {events['duplicate']:,}   dead letters {events['dead_letters']:,}"
    )
    if summary["set_aside"]:
        out = ", ".join(f"{ranker} ({reason})" for ranker, reason in summary["set_aside"].items())
        text.append(f"\nrankers set aside: {out}", style="red")
    return text


def drift(summary: dict[str, Any]) -> Text | None:
    """Return a sentence for each number that has left its level and is not back, None where there is none."""
    sentences = [event["sentence"] for event in summary.get("drift") or () if event["open"]]
    return Text("\n".join(f"Drift: {sentence}" for sentence in sentences), style="red") if sentences else None


STYLES = {
    "aligned": "green",
    "beyond_preference": "green",
    "misaligned": "red",
    "weak_preference_data": "yellow",
    "invalid_baseline": "red",
    "overloaded_sketch": "yellow",
    "insufficient_data": "dim",
}


def variants(summary: dict[str, Any]) -> Table:
    """Return one row per variant: what its newest version delivers of what its source could bring."""
    table = titled_table("Variants", ("variant", "source", "adjusted LIS", *MEASURED[:3], "placebo", *MEASURED[3:]))
    for name, variant in summary["variants"].items():
        source = summary["sources"][variant["source"]]
        cells = _measured(variant, summary["samples"])
        placebo = cell(source["placebo"])
        table.add_row(name, variant["source"], cell(source["adjusted_lis"]), *cells[:3], placebo, *cells[3:])
    return table


def versions(summary: dict[str, Any]) -> Table | None:
    """Return one row per version of each variant that had a new one, over the time since; None where none had."""
    table = titled_table("Versions, since the newest began", ("variant", "version", "since", *MEASURED))
    for name, variant in summary["variants"].items():
        for version, found in variant.get("versions", {}).items():
            since = Text((found["since"] or DASH)[:16].replace("T", " "))
            table.add_row(name, Text(version), since, *_measured(found, found["samples"]))
    return table if table.row_count else None


MEASURED = ("adjusted AIS", "still needed", "efficiency", "pair alignment", "coverage", "diagnosis")


def _measured(found: dict[str, Any], samples: int) -> list[Text | Stacked]:
    """Return the cells under `MEASURED`."""
    return [
        cell(found["adjusted_ais"]),
        still_needed(found["adjusted_ais"], samples),
        cell(found["efficiency"], percent=True),
        cell(found["pair_alignment"], percent=True, nothing=CHANCE),
        share(found["coverage"]),
        Text(found["diagnosis"], style=STYLES.get(found["diagnosis"], "")),
    ]


CHANCE = 0.5
"""The pair alignment of vectors that mean nothing."""


def advice(summary: dict[str, Any]) -> Text:
    """Return what the diagnoses say to do next, one line per variant."""
    told = [(name, variant["sentence"]) for name, variant in summary["variants"].items()]
    lines = [sentence if sentence.startswith(name) else f"{name}: {sentence}" for name, sentence in told]
    return Text("\n".join(lines) + "\n")


def sources(summary: dict[str, Any]) -> Table:
    """Return one row per preference source: is it worth aligning on?"""
    headline, needed = "adjusted LIS", "still needed"
    names = ("source", headline, needed, "LIS", "past", "future", "placebo", "leaked - thinned", "coverage")
    table = titled_table("Preference sources", names)
    for name, source in summary["sources"].items():
        kinds = ("lis", "past", "future", "placebo", "bound")
        table.add_row(
            name,
            cell(source["adjusted_lis"]),
            still_needed(source["adjusted_lis"], summary["samples"]),
            *(cell(source[kind]) for kind in kinds),
            share(source["coverage"]),
        )
    return table


def arms(summary: dict[str, Any]) -> Table:
    """Return one row per arm."""
    table = titled_table("A/B arms", ("experiment", "arm", "users", "impressions", "clicks per impression"))
    for experiment, by_arm in summary["arms"].items():
        for arm, numbers in by_arm.items():
            table.add_row(
                experiment, arm, f"{numbers['users']:,}", f"{numbers['impressions']:,}", level(numbers["ctr"])
            )
    return table


def cell(n: dict[str, Any] | None, *, percent: bool = False, nothing: float = 0.0) -> Text | Stacked:
    """Return a number with its interval below it: narrow enough for six in a row."""
    text = number(n, percent=percent, nothing=nothing)
    at = text.plain.find(" ")
    return text if at < 0 else Stacked(text[:at], text[at + 1 :])


def level(n: dict[str, Any]) -> Text:
    """Return a level, which is above 0 by its nature, with its interval."""
    if n["value"] is None:
        return number(n)
    return Text(f"{n['value']:.4f} [{n['lower']:.4f}, {n['upper']:.4f}]")
