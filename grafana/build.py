"""`python -m grafana.build`: write every dashboard's JSON, a folder of Grafana each."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Final

from grafana_foundation_sdk.builders.dashboard import Dashboard
from grafana_foundation_sdk.cog.encoder import JSONEncoder

from grafana import alignment, experiments, overview, pipeline
from grafana.places import DASHBOARDS

BOARDS: Final[dict[str, Callable[[], Dashboard]]] = {
    "Overview/lis-overview": overview.build,
    "Alignment/lis-alignment": alignment.build,
    "Experiments/lis-experiments": experiments.build,
    "Pipeline/lis-pipeline": pipeline.build,
}
"""File, its folder being Grafana's -> what makes it."""


def text_of(build: Callable[[], Dashboard]) -> str:
    """Return a dashboard's JSON, the same for the same code."""
    return JSONEncoder(indent=2, sort_keys=True).encode(build().build()) + "\n"


def write(folder: Path = DASHBOARDS) -> None:
    """Write every dashboard."""
    for name, build in BOARDS.items():
        path = folder / f"{name}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text_of(build), encoding="utf-8")


if __name__ == "__main__":
    write()
