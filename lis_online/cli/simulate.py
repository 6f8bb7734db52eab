"""`lis-online simulate`: a recorded log of a world whose truth is known."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from lis_online.cli.completions import scenarios
from lis_online.cli.options import AsJson, print_json
from lis_online.cli.progress import progress
from lis_online.errors import UsageError

LAST = 4_102_444_800_000
"""The latest begin of a simulation, ms: the year 2100."""


def simulate(
    scenario: Annotated[
        str,
        typer.Option(
            autocompletion=scenarios,
            help="sources, arms, density, shop, versions, burst, quiet, demo, null or null_ITEMS.",
        ),
    ] = "sources",
    slates: Annotated[int, typer.Option(min=1, max=1_000_000_000, help="Impressions to simulate.")] = 40_000,
    seed: Annotated[int, typer.Option(min=0, help="The same seed gives the same files.")] = 1,
    out: Annotated[Path, typer.Option(help="The folder to write to; made where missing.")] = Path("simulated"),
    start_ms: Annotated[
        int | None,
        typer.Option(
            min=0, max=LAST, help="Time of the first event, ms since 1970; a fixed day in the past otherwise."
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Write a simulated log (events.jsonl), settings to evaluate it with (lis-online.toml) and truth.json.

    Example: lis-online simulate --scenario sources --slates 40000 --seed 1 --out run
    """
    from lis_online.simulate.recorded import START, write
    from lis_online.simulate.scenarios import scenario as named

    world = named(scenario)
    with progress("{task.completed:,} of {task.total:,} impressions") as bar:
        task = bar.add_task(f"simulating {scenario}", total=slates)
        try:
            write(
                world,
                slates,
                seed,
                out,
                start_ms=START if start_ms is None else start_ms,
                progress=lambda impressions: bar.advance(task, impressions),
            )
        except OSError as exc:
            raise UsageError(
                f"--out must be a folder that can be written, got {str(out)[:200]!r}: {exc.strerror}"
            ) from exc
    if as_json:
        names = {"events": "events.jsonl", "config": "lis-online.toml", "truth": "truth.json"}
        print_json({name: str(out / file) for name, file in names.items()})
        return
    typer.echo(f"lis-online evaluate events {out / 'events.jsonl'} -c {out / 'lis-online.toml'}")
