"""How LIS and its order of sources depend on the settings, one at a time."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

import numpy as np

from lis_online.rankers.shipped import DEFAULT, SHIPPED
from lis_online.settings.durations import parse_duration
from studies.figures import COLOURS, MARKERS, figure, link, zero_line
from studies.section import Section, table
from studies.small import KINDS, estimates, play, tables_of, with_sources
from studies.tasks import Task, results, run_tasks

NAME: Final = "sweeps"
SLATES: Final = 1_200
WORLDS: Final = 3
SEED: Final = 80_000
SOURCES: Final = {"good": (1.0, 0.0), "half": (0.5, 0.5), "noise": (0.0, 0.5)}
"""Share of the preferred pairs, and pairs of random items as a share of them: from best to worst."""
BASE: Final[dict[str, Any]] = {
    "leakage.horizon": "5m",
    "leakage.memory": "10m",
    "leakage.folds": 2,
    "leakage.sketch_bits": 20,
    "training.ranker": DEFAULT,
    "training.learning_rate": 0.06,
    "training.batch": 256,
}
OTHERS: Final[dict[str, tuple[Any, ...]]] = {
    "leakage.horizon": ("2m", "10m"),
    "leakage.memory": ("5m", "20m"),
    "leakage.folds": (4, 8),
    "leakage.sketch_bits": (10, 12, 16),
    "training.ranker": tuple(name for name in SHIPPED if name != DEFAULT),
    "training.learning_rate": (0.01, 0.03, 0.12),
    "training.batch": (64, 1_024),
}
"""What each setting is changed to, the others as in `BASE`."""


def run(runs: Path, jobs: int, scale: float) -> None:
    """Play the worlds that have no result yet. scale: share of the worlds, at least two for each setting."""
    tasks = {}
    for world in range(max(round(WORLDS * scale), 2)):
        for name, key, value in cases():
            tasks[f"{name}-{world}"] = Task(one_run, (key, value, SEED + world, SLATES))
    run_tasks(runs / NAME, tasks, jobs)


def cases() -> list[tuple[str, str | None, Any]]:
    """Return every case's name, the key that it changes (None: none) and the value."""
    changed = [(f"{key}={value}", key, value) for key, values in OTHERS.items() for value in values]
    return [("base", None, None), *changed]


def one_run(key: str | None, value: Any, seed: int, slates: int, kind: str = "feed") -> dict[str, Any]:
    """Return adjusted LIS and its like, (value, standard error) each, of the sources under one changed setting."""
    parameters = replace(with_sources(KINDS[kind], **SOURCES), variants=(), treatment="")
    changed = BASE if key is None else {**BASE, key: value}
    sections: dict[str, dict[str, Any]] = {}
    for name, setting in changed.items():
        section, field = name.split(".")
        sections.setdefault(section, {})[field] = setting
    played = play(parameters, tables_of(parameters, slates, **sections), slates, seed)
    found = estimates(played.pipeline.summary())
    numbers = ("lis", "adjusted_lis", "placebo", "past", "future")
    return {
        "kind": kind,
        "key": key,
        "value": value,
        "sources": {
            name: {n: [found[name][n]["value"], found[name][n].get("stderr")] for n in numbers}
            | {"coverage": found[name]["coverage"]}
            for name in SOURCES
        },
        "twin": [found["unleaked"]["twin"][k] for k in ("value", "stderr")],
        "seconds": played.seconds,
    }


def section(runs: Path, figures: Path) -> Section | None:
    """Return LIS of each source under each setting, and how often the order was right."""
    found = whole_worlds(results(runs / NAME))
    base = [one for one in found if one["key"] is None]
    if not base:
        return None
    path = figures / "sweeps.svg"
    lines = {key: _line(found, key) for key in BASE}
    _draw(path, lines)
    wrong = {
        f"`{key}` = {value}": f"{len(runs_) - _right(runs_)} of {len(runs_)}"
        for key, line in lines.items()
        for value, runs_ in line
        if value != BASE[key] and _right(runs_) < len(runs_)
    }
    rows = [["as it comes", "", *_row(base)]] + [
        [f"`{key}`", value, *_row(runs_)] for key, line in lines.items() for value, runs_ in line if value != BASE[key]
    ]
    held, worst = _right(base), _most_changed(lines, base)
    text = f"""\
One setting at a time is moved from the base ({", ".join(f"`{key}` {value}" for key, value in BASE.items())}), in the
same worlds of the feed ({len(base)}), {SLATES:,} slates after the warm-up. Sources: *good* gives all preferred
pairs, *half* one half and as many random ones, *noise* random pairs alone. Mean adjusted LIS over the worlds, ± their
standard deviation; *order*: in how many worlds all three stand as their quality does.

{table(["setting", "value", *SOURCES, "order right"], rows)}

{link(path, "Adjusted LIS of three sources against each setting")}

In the base the order is right in {held} of {len(base)} worlds. The setting that moves LIS of the good source most is
{worst}. {_exceptions(wrong)}

Where it fails: so few worlds show what moves LIS by far, not what moves it a little, and an order by differences under
the errors counts as well. One setting at a time shows no interplay. A longer H or P also lets the rankers learn longer
before they count. A best setting here is one for a small stream, where steps of learning are scarce.
LIS is a number *of a ranker under its settings*: compare sources and variants under one, never across two.
"""
    facts = {
        f"{key}={value}": {
            **{name: round(float(np.mean(_values(runs_, name))), 5) for name in SOURCES},
            "order_right": _right(runs_),
            "worlds": len(runs_),
        }
        for key, line in lines.items()
        for value, runs_ in line
    }
    return Section("How do the settings move LIS?", text, {"sweeps": facts})


def whole_worlds(found: dict[str, dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the runs of the worlds that have every case: settings are compared on the same ones."""
    worlds: dict[str, dict[str, dict[str, Any]]] = {}
    for name, one in found.items():
        case, world = name.rsplit("-", 1)
        worlds.setdefault(world, {})[case] = one
    every = {case for cases in worlds.values() for case in cases}
    return [one for cases in worlds.values() if cases.keys() == every for one in cases.values()]


Line = list[tuple[Any, list[dict[str, Any]]]]
"""A setting's values in order, each with its runs."""


def ordered_right(sources: dict[str, Any]) -> bool:
    """Return whether adjusted LIS falls from each source to the next worse one."""
    values = [sources[name]["adjusted_lis"][0] for name in SOURCES]
    return None not in values and all(a > b for a, b in pairwise(values))


def _line(found: list[dict[str, Any]], key: str) -> Line:
    groups: dict[Any, list[dict[str, Any]]] = {BASE[key]: [one for one in found if one["key"] is None]}
    for one in found:
        if one["key"] == key:
            groups.setdefault(one["value"], []).append(one)
    return sorted(groups.items(), key=lambda item: _size(item[0]))


def _size(value: Any) -> float:
    """Return what a setting's values are ordered by: durations by their length, names as shipped."""
    if isinstance(value, str):
        return float(list(SHIPPED).index(value) if value in SHIPPED else parse_duration(value))
    return float(value)


def _values(found: list[dict[str, Any]], source: str) -> list[float]:
    return [value for one in found if (value := one["sources"][source]["adjusted_lis"][0]) is not None]


def _right(found: list[dict[str, Any]]) -> int:
    return sum(ordered_right(one["sources"]) for one in found)


def _row(found: list[dict[str, Any]]) -> list[str]:
    cells = []
    for source in SOURCES:
        values = _values(found, source)
        spread = f" ± {np.std(values, ddof=1):.4f}" if len(values) > 1 else ""
        cells.append(f"{np.mean(values):+.4f}{spread}" if values else "none")
    return [*cells, f"{_right(found)} of {len(found)}"]


def _most_changed(lines: dict[str, Line], base: list[dict[str, Any]]) -> str:
    best = next(iter(SOURCES))
    level = float(np.mean(_values(base, best)))
    changes = [
        (float(np.mean(_values(runs_, best))) / level - 1, key, value)
        for key, line in lines.items()
        for value, runs_ in line
        if _values(runs_, best)
    ]
    change, key, value = max(changes, key=lambda one: abs(one[0]))
    return f"`{key}` = {value}, by {change:+.0%}"


def _exceptions(wrong: dict[str, str]) -> str:
    if not wrong:
        return "Under no setting is the order wrong in any world."
    return "The order is wrong under " + "; ".join(f"{name} ({count})" for name, count in wrong.items()) + "."


def _draw(path: Path, lines: dict[str, Line]) -> None:
    columns = 4
    rows = -(-len(lines) // columns)
    with figure(path, rows, columns, (9.6, 2.5 * rows)) as every:
        for axes, (key, line) in zip(every, lines.items(), strict=False):
            zero_line(axes)
            for place, source in enumerate(SOURCES):
                shown = [(x, _values(runs_, source)) for x, (_, runs_) in enumerate(line)]
                shown = [(x, values) for x, values in shown if values]
                axes.plot([x for x, _ in shown], [float(np.mean(v)) for _, v in shown], "-", color=COLOURS[place],
                          marker=MARKERS[place], label=source)  # fmt: skip
                for x, values in shown:
                    axes.plot([x] * len(values), values, MARKERS[place], color=COLOURS[place], alpha=0.35, markersize=3)
            axes.set_xticks(range(len(line)), [f"{value}*" if value == BASE[key] else str(value) for value, _ in line])
            axes.tick_params(axis="x", labelsize=7.5)
            axes.set_xlabel(key, fontsize=8.5)
        for row in range(rows):
            every[row * columns].set_ylabel("adjusted LIS\n(difference of AUC)")
        for axes in every[len(lines) :]:
            axes.set_axis_off()
        handles, labels = every[0].get_legend_handles_labels()
        every[-1].legend(handles, labels, loc="center left", title="source (line: mean,\nsmall: worlds, *: base)")
