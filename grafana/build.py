"""`python -m grafana.build`: write every dashboard's JSON, a folder of Grafana each, and where alerts' runbooks are."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Final

import typer
from grafana_foundation_sdk.builders.dashboard import Dashboard
from grafana_foundation_sdk.cog.encoder import JSONEncoder

from grafana import alignment, experiments, overview, pipeline
from grafana.places import DASHBOARDS, RULES, SITE

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


def write(folder: Path = DASHBOARDS, site: str = SITE) -> None:
    """Write every dashboard. site: where the documentation's site is read."""
    for name, build in BOARDS.items():
        path = folder / f"{name}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text_of(build).replace(SITE, site), encoding="utf-8")


def point(folder: Path = RULES, site: str = SITE) -> None:
    """Let the alerts' runbooks be those of a site."""
    for path in folder.glob("*.yml"):
        text = path.read_text(encoding="utf-8")
        path.write_text(
            re.sub(r"(runbook_url: )\S+(/runbooks/)", lambda found: f"{found[1]}{site}{found[2]}", text),
            encoding="utf-8",
        )


def main(
    site: Annotated[str, typer.Option(help="Where the documentation's site is read.")] = SITE,
) -> None:
    """Write the dashboards, and let them and the alerts lead to the runbooks of a site."""
    write(site=site.rstrip("/"))
    point(site=site.rstrip("/"))


if __name__ == "__main__":
    typer.run(main)
