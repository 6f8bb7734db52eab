"""The experiments of a summary as tables for a terminal: sample ratio first, then every lift."""

from __future__ import annotations

from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from lis_online.cli.report_parts import DASH, short, titled_table

LEAST_P = 0.0001
"""The smallest p-value that is shown in digits."""
STATUS_STYLES = {"holds": "green", "breached": "bold red", "undecided": "yellow"}
COLUMNS = (
    "arm",
    "metric",
    "level",
    "control",
    "lift, always-valid interval",
    "p adjusted",
    "guardrail",
    "users needed",
)


def experiments(summary: dict[str, Any]) -> Group | None:
    """Return every experiment: a line on who is in its arms, a row for each arm and metric; None where there is none.

    Lifts are relative to control, in percent.
    """
    found: dict[str, dict[str, Any]] = summary["experiments"]
    parts: list[RenderableType] = []
    for name, experiment in found.items():
        parts.append(_traffic(name, experiment))
        parts.append(Text(f"{experiment['reason']}\n", style="dim") if experiment["reason"] else _lifts(experiment))
    return Group(*parts) if parts else None


def _traffic(name: str, experiment: dict[str, Any]) -> Text:
    """Return whether users came to the arms as declared, and how many crossed."""
    text = Text(f"Experiment {name}", style="italic")
    text.append("   ")
    text.append_text(_sample_ratio(experiment["sample_ratio"]))
    arms = experiment["arms"]
    crossed = {arm: n["crossed"] for arm, n in arms.items() if n["crossed"]}
    text.append(f"   users: {_counts({arm: n['users'] for arm, n in arms.items()})}", style="not italic")
    text.append(f"   crossed: {_counts(crossed) or 'none'}", style="not italic")
    return text


def _counts(by_arm: dict[str, int | None]) -> str:
    return ", ".join(f"{arm} {DASH if count is None else format(count, ',')}" for arm, count in by_arm.items())


def _sample_ratio(ratio: dict[str, Any]) -> Text:
    if ratio["p_value"] is None:
        return Text(f"sample ratio {DASH} {ratio['reason']}", style="dim not italic")
    p = _p(ratio["p_value"])
    if ratio["mismatch"]:
        return Text(f"sample ratio MISMATCH, p {p}: no lift is to be trusted", style="bold red not italic")
    return Text(f"sample ratio ok, p {p}", style="green not italic")


def _lifts(experiment: dict[str, Any]) -> Table:
    table = titled_table("", COLUMNS)
    for arm, metrics in experiment["comparisons"].items():
        for metric, one in metrics.items():
            guardrail = experiment["guardrails"].get(arm, {}).get(metric)
            table.add_row(
                Text(arm),
                Text(metric),
                _level(one["level"]),
                _level(one["control_level"]),
                _lift(one["relative"], guardrail),
                _p(one["p_adjusted"]),
                _status(guardrail),
                DASH if one["users_needed"] is None else short(one["users_needed"]),
            )
    return table


def _level(level: dict[str, Any]) -> str:
    return DASH if level["value"] is None else f"{level['value']:.4g}"


def _lift(relative: dict[str, Any], guardrail: dict[str, Any] | None) -> Text:
    """Return a lift with its interval, or why there is none. Green is better: up, or down where up is guarded."""
    if relative["value"] is None:
        return Text(f"{DASH} {relative['reason']}", style="dim")
    text, sequence = Text(f"{relative['value']:+.2%}"), relative["sequence"]
    if sequence["lower"] is None:
        return text.append(f" {sequence['reason']}", style="dim")
    text.append(f" [{sequence['lower']:+.2%}, {sequence['upper']:+.2%}]")
    up, down = ("red", "green") if guardrail and guardrail["direction"] == "increase" else ("green", "red")
    if sequence["lower"] > 0:
        text.stylize(up)
    elif sequence["upper"] < 0:
        text.stylize(down)
    return text


def _p(value: float | None) -> str:
    """Return a p-value.

    >>> _p(0.03127), _p(3e-9), _p(None)
    ('0.0313', '<0.0001', '-')
    """
    if value is None:
        return DASH
    return f"<{LEAST_P}" if value < LEAST_P else f"{value:.4f}"


def _status(guardrail: dict[str, Any] | None) -> Text:
    if guardrail is None:
        return Text(DASH, style="dim")
    return Text(guardrail["status"], style=STATUS_STYLES[guardrail["status"]])
