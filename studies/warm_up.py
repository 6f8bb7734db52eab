"""How long until LIS and AIS stand still, and whether the rule that waits for P + H waits long enough."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np

from lis_online.history.rows import NumberRow
from lis_online.metrics.estimate import T_QUANTILE
from lis_online.settings import Settings
from lis_online.shards.pipeline import Pipeline
from lis_online.shards.publish import PublishShard
from lis_online.simulate.kinds import build, events_of
from lis_online.simulate.simulation import Simulation
from studies.cells import MINUTE, START
from studies.figures import COLOURS, GREY, MARKERS, figure, link, zero_line
from studies.section import Section, table
from studies.small import KINDS, tables_of
from studies.tasks import Task, results, run_tasks

NAME: Final = "warm_up"
BUCKET: Final = 5
"""Minutes."""
SLATES: Final = 6_000
WORLDS: Final = 4
"""Of each cell."""
SEED: Final = 70_000
COVERAGES: Final = {"source_coverage": "a pair with the history", "variant_coverage": "a history with vectors"}
NUMBERS: Final = ("lis", "adjusted_lis", "past", "future", "ais", "adjusted_ais", "twin", *COVERAGES)
SHOWN: Final = ("adjusted_lis", "adjusted_ais")
LABELS: Final = {"adjusted_lis": "adjusted LIS", "adjusted_ais": "adjusted AIS"}
STEADY: Final = 3
"""Buckets in a row that must be near the end's level."""
AFTER: Final = 4
"""Buckets right after the warm-up that are compared with the end."""
TABLE_HEADER: Final = ("number", "settled", "samples", "after P + H", "last third", "change, standard errors")


class Span(NamedTuple):
    """A kind of world with a horizon and a memory, minutes."""

    kind: str
    horizon: int
    memory: int

    @property
    def name(self) -> str:
        """The cell's name."""
        return f"{self.kind}-{self.horizon + self.memory}"


SPANS: Final = (Span("feed", 5, 10), Span("feed", 5, 40), Span("shop", 5, 10))
"""The first two differ in the memory alone: what fills with it is seen apart from what is learnt."""


def run(runs: Path, jobs: int, scale: float) -> None:
    """Play the worlds that have no result yet. scale: share of the worlds, at least two of each cell."""
    tasks = {
        f"{span.name}-{world}": Task(one_world, (tuple(span), SEED + world, SLATES))
        for world in range(max(round(WORLDS * scale), 2))
        for span in SPANS
    }
    run_tasks(runs / NAME, tasks, jobs)


def one_world(given: tuple[str, int, int], seed: int, slates: int) -> dict[str, Any]:
    """Return each bucket's numbers, the warm-up's too: minutes since the first sample, value and standard error."""
    span = Span(*given)
    parameters = KINDS[span.kind]
    leakage = {"horizon": f"{span.horizon}m", "memory": f"{span.memory}m"}
    metrics = {"bucket": f"{BUCKET}m", "windows": [f"{BUCKET}m"]}
    tables = tables_of(parameters, slates, leakage=leakage, metrics=metrics, training={"seed": 2 * seed})
    buckets: dict[int, dict[str, Any]] = {}
    for row in _rows(tables, build(parameters, seed, START), slates):
        name = f"{row.kind}_coverage" if row.number == "coverage" else row.number
        if row.window_ms == BUCKET * MINUTE and row.slice == "all" and name in NUMBERS and row.value is not None:
            bucket = buckets.setdefault(row.bucket_end, {"minute": (row.bucket_end - START) / MINUTE})
            bucket["samples"] = row.samples
            bucket[name] = [row.value, row.stderr or 0.0]
    return {"span": list(span), "buckets": [buckets[end] for end in sorted(buckets)]}


def _rows(tables: dict[str, Any], world: Simulation, slates: int) -> list[NumberRow]:
    settings = Settings.of(tables)
    pipeline = Pipeline(settings)
    pipeline.publish = PublishShard(settings, pipeline.rank.layout)  # with rolling windows
    for _, topic, value in events_of(world, slates):
        pipeline.update(topic, value)
    pipeline.finish()
    return [row for row in pipeline.publish.take_rows() if isinstance(row, NumberRow)]


class Course(NamedTuple):
    """A number by time, the mean of a cell's worlds: minutes (bucket ends), samples so far, values, standard errors."""

    minutes: np.ndarray
    samples: np.ndarray
    value: np.ndarray
    stderr: np.ndarray

    def over(self, begin: float, end: float) -> tuple[float, float]:
        """Return the mean over the buckets that end after `begin`, not after `end`, and its standard error."""
        chosen = (self.minutes > begin) & (self.minutes <= end)
        count = int(chosen.sum())
        if not count:
            return float("nan"), float("nan")
        return float(self.value[chosen].mean()), float(np.sqrt((self.stderr[chosen] ** 2).sum()) / count)

    @property
    def final(self) -> tuple[float, float]:
        """The mean over the last third of the time, and its standard error."""
        last = float(self.minutes[-1])
        return self.over(last * 2 / 3, last)

    def settled(self) -> int | None:
        """Return the place of the first of `STEADY` buckets in a row that are within two standard errors of the end."""
        level, error = self.final
        near = np.abs(self.value - level) <= 2 * np.hypot(self.stderr, error)
        runs = [bool(near[place : place + STEADY].all()) for place in range(len(near) - STEADY + 1)]
        return runs.index(True) if True in runs else None


def course(worlds: list[dict[str, Any]], number: str) -> Course:
    """Return the mean course of a number over worlds, of the buckets that all of them have."""
    by_minute = [
        {bucket["minute"]: (*bucket[number], bucket["samples"]) for bucket in world["buckets"] if number in bucket}
        for world in worlds
    ]
    minutes = sorted(set.intersection(*(set(found) for found in by_minute)))
    rows = np.array([[found[minute] for minute in minutes] for found in by_minute], np.float64)
    stderr = np.sqrt((rows[..., 1] ** 2).sum(axis=0)) / len(worlds)
    return Course(np.array(minutes), rows[..., 2].mean(axis=0).cumsum(), rows[..., 0].mean(axis=0), stderr)


def section(runs: Path, figures: Path) -> Section | None:
    """Return when the numbers stand still, against P + H."""
    every = list(results(runs / NAME).values())
    parts = {span: [world for world in every if Span(*world["span"]) == span] for span in SPANS}
    parts = {span: worlds for span, worlds in parts.items() if worlds}
    if not parts:
        return None
    path = figures / "warm_up.svg"
    _draw(path, parts)
    rows = [_row(span, worlds, number) for span, worlds in parts.items() for number in SHOWN]
    noisy = [_noisy(span, worlds) for span, worlds in parts.items()]
    text = f"""\
How long until the numbers stand still, and does the rule "no diagnosis before P + H" wait long enough? Worlds of
{SLATES:,} slates ({", ".join(f"{len(worlds)} `{span.name}`" for span, worlds in parts.items())}: kind, and P + H in
minutes), numbers of each bucket of {BUCKET} minutes from the first sample on, averaged over worlds. The first two cells
differ in the memory P alone. *settled*: from when {STEADY} buckets in a row are within two standard errors of the
level of the last third. *after P + H*: mean over the next {AFTER} buckets.

{table(TABLE_HEADER, rows)}

{link(path, "Adjusted LIS and AIS by time since the first sample, with P + H marked")}

{_coverages(parts)}

The twin differs from the unleaked ranker by more than its errors allow for in {"; ".join(noisy)} (5 % by chance).

{_conclusion(parts)}

Where it fails: with so few samples in a bucket "settled" is soon said, since the errors are wide; what is certain is
the change from after P + H to the end. How long the *learning* takes depends on the ranker and its step size, and how
long histories take to fill on how often users come back: `metrics.warm_up_samples` is one number for both.
"""
    facts = {
        f"{number}, {span.name}": _facts(course(worlds, number), span)
        for span, worlds in parts.items()
        for number in SHOWN
    }
    return Section("How long is the warm-up?", text, {"warm_up": facts})


def _row(span: Span, worlds: list[dict[str, Any]], number: str) -> list[str]:
    found, full = course(worlds, number), span.horizon + span.memory
    place, (early, early_error) = found.settled(), found.over(full, full + AFTER * BUCKET)
    final, error = found.final
    settled = ["never", ""] if place is None else [
        f"{found.minutes[place]:.0f} min = {found.minutes[place] / full:.1f} (P + H)",
        f"{found.samples[place]:,.0f}",
    ]  # fmt: skip
    change = (final - early) / np.hypot(error, early_error)
    levels = [f"{level:+.4f} ± {2 * wide:.4f}" for level, wide in ((early, early_error), (final, error))]
    return [f"`{number}`, {span.name}", *settled, *levels, f"{change:+.1f}"]


def _facts(found: Course, span: Span) -> dict[str, Any]:
    place, full = found.settled(), span.horizon + span.memory
    early, early_error = found.over(full, full + AFTER * BUCKET)
    final, error = found.final
    return {
        "settled_samples": None if place is None else round(float(found.samples[place])),
        "settled_in_p_plus_h": None if place is None else round(float(found.minutes[place]) / full, 2),
        "change_after_warm_up": round(final - early, 5),
        "change_in_standard_errors": round((final - early) / float(np.hypot(error, early_error)), 2),
    }


def _coverages(parts: dict[Span, list[dict[str, Any]]]) -> str:
    """Say what share of the samples had something to be ranked by, right after P + H and in the end."""
    said = []
    for span, worlds in parts.items():
        full = span.horizon + span.memory
        for name, meaning in COVERAGES.items():
            covered = [world for world in worlds if any(name in bucket for bucket in world["buckets"])]
            if not covered:
                continue
            found = course(covered, name)
            early = found.over(full, full + AFTER * BUCKET)[0]
            said.append(f"{span.name}: {meaning} {early:.0%}, then {found.final[0]:.0%}")
    return (
        f"Samples with something to be ranked by, after P + H and in the last third: {'; '.join(said)}." if said else ""
    )


def _noisy(span: Span, worlds: list[dict[str, Any]]) -> str:
    full = span.horizon + span.memory
    counts = []
    for early in (True, False):
        twins = [
            b["twin"] for world in worlds for b in world["buckets"] if "twin" in b and (b["minute"] <= full) == early
        ]
        loud = sum(abs(value) > T_QUANTILE * error for value, error in twins)
        counts.append(f"{loud} of {len(twins)} buckets {'before' if early else 'after'} P + H")
    return f"{span.name}: {' and '.join(counts)}"


def _conclusion(parts: dict[Span, list[dict[str, Any]]]) -> str:
    changed, late = [], []
    for span, worlds in parts.items():
        for number in SHOWN:
            facts = _facts(course(worlds, number), span)
            name = f"`{number}` in {span.name}"
            if abs(facts["change_in_standard_errors"]) > 2:
                changed.append(f"{name} ({facts['change_after_warm_up']:+.4f})")
            if facts["settled_in_p_plus_h"] is None or facts["settled_in_p_plus_h"] > 1:
                late.append(name)
    after = (
        f"After P + H these still move, by more than two standard errors: {', '.join(changed)}. P + H is the memory of "
        "pairs alone, so a diagnosis also waits for `metrics.warm_up_samples`. Users' histories fill for longer where "
        "users come back seldom, rankers learn for longer, and neither knows P: a number that has risen is not news by "
        "itself, and early windows understate."
        if changed
        else "After P + H none moves by more than two standard errors: the rule waits long enough for these worlds."
    )
    return after + (f" Settled later than P + H: {', '.join(late)}." if late else " All are settled by P + H.")


def _draw(path: Path, parts: dict[Span, list[dict[str, Any]]]) -> None:
    with figure(path, 1, len(parts), (3.0 * len(parts) + 2, 3.4)) as every:
        for axes, (span, worlds) in zip(every, parts.items(), strict=True):
            for place, number in enumerate(SHOWN):
                found = course(worlds, number)
                colour = COLOURS[place]
                axes.plot(
                    found.minutes, found.value, MARKERS[place] + "-", color=colour, markersize=3, label=LABELS[number]
                )
                low, high = found.value - 2 * found.stderr, found.value + 2 * found.stderr
                axes.fill_between(found.minutes, low, high, color=colour, alpha=0.15, linewidth=0)
                end = "level of the last third" if place == len(SHOWN) - 1 else None
                axes.axhline(found.final[0], color=colour, linestyle=":", linewidth=1, label=end)
            axes.axvline(span.horizon + span.memory, color=GREY, linestyle="--", linewidth=1, label="P + H")
            zero_line(axes)
            axes.set_title(f"{span.kind}: H = {span.horizon} min, P = {span.memory} min\n{len(worlds)} worlds")
            axes.set_xlabel("minutes since the first sample")
        every[0].set_ylabel("difference of AUC per bucket,\nband: 2 standard errors")
        every[-1].legend(loc="center left", bbox_to_anchor=(1.0, 0.5))
