"""`lis-online simulate`: a recorded log of a world whose truth is known."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import Progress


def simulate(
    scenario: Annotated[
        str, typer.Option(help="sources, arms, density, shop, versions, burst, quiet, demo, null or null_ITEMS.")
    ] = "sources",
    slates: Annotated[int, typer.Option(help="Impressions to simulate.")] = 40_000,
    seed: Annotated[int, typer.Option(help="The same seed gives the same files.")] = 1,
    out: Annotated[Path, typer.Option(help="The folder to write to; made where missing.")] = Path("simulated"),
    start_ms: Annotated[
        int | None, typer.Option(help="Time of the first event, ms since 1970; a fixed day in the past otherwise.")
    ] = None,
) -> None:
    """Write a simulated log (events.jsonl), settings to evaluate it with (lis-online.toml) and truth.json.

    Example: lis-online simulate --scenario sources --slates 40000 --seed 1 --out run
    """
    from lis_online.simulate.recorded import START, write
    from lis_online.simulate.scenarios import scenario as named

    world = named(scenario)
    console = Console(stderr=True)
    with Progress(console=console, disable=not console.is_terminal) as progress:
        task = progress.add_task(f"simulating {scenario}", total=slates)
        write(
            world,
            slates,
            seed,
            out,
            start_ms=START if start_ms is None else start_ms,
            progress=lambda impressions: progress.advance(task, impressions),
        )
    typer.echo(f"lis-online evaluate events {out / 'events.jsonl'} -c {out / 'lis-online.toml'}")
