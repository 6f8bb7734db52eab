"""How long until LIS and AIS stand still, and whether the rule that waits for P + H waits long enough."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final, NamedTuple

from lis_online.history.rows import NumberRow
from lis_online.settings import Settings
from lis_online.shards.pipeline import Pipeline
from lis_online.shards.publish import PublishShard
from lis_online.simulate.kinds import build, events_of
from lis_online.simulate.simulation import Simulation
from studies.cells import MINUTE, START
from studies.small import KINDS, tables_of
from studies.tasks import Task, run_tasks

NAME: Final = "warm_up"
BUCKET: Final = 5
"""Minutes."""
SLATES: Final = 6_000
WORLDS: Final = 4
"""Of each cell."""
SEED: Final = 70_000
NUMBERS: Final = ("lis", "adjusted_lis", "past", "future", "ais", "adjusted_ais", "twin")


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
        if row.window_ms == BUCKET * MINUTE and row.slice == "all" and row.number in NUMBERS and row.value is not None:
            bucket = buckets.setdefault(row.bucket_end, {"minute": (row.bucket_end - START) / MINUTE})
            bucket["samples"] = row.samples
            bucket[row.number] = [row.value, row.stderr]
    return {"span": list(span), "buckets": [buckets[end] for end in sorted(buckets)]}


def _rows(tables: dict[str, Any], world: Simulation, slates: int) -> list[NumberRow]:
    settings = Settings.of(tables)
    pipeline = Pipeline(settings)
    pipeline.publish = PublishShard(settings, pipeline.rank.layout)  # with rolling windows
    for _, topic, value in events_of(world, slates):
        pipeline.update(topic, value)
    pipeline.finish()
    return [row for row in pipeline.publish.take_rows() if isinstance(row, NumberRow)]
