"""`lis-online capacity`: what a load needs, before anything is bought."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from lis_online.capacity import (
    BUSY,
    GPU_TIMES,
    KEPT_DAYS,
    LIVE,
    MOST_SKETCH_BITS,
    REPLICAS,
    SAMPLES_TO_RESOLVE,
    Load,
    Need,
    Ranked,
    needed,
)
from lis_online.cli.consoles import out_console
from lis_online.cli.options import AsJson, print_json

if TYPE_CHECKING:
    from collections.abc import Iterator


def capacity(
    impressions: Annotated[float, typer.Option(help="Impressions a second, at the peak.")],
    variants: Annotated[int, typer.Option(help="Variants, each with one version.")] = 2,
    slate: Annotated[int, typer.Option(help="Items of an impression.")] = 20,
    history: Annotated[int, typer.Option(help="Entries of a user's history that are used.")] = 20,
    dimension: Annotated[int, typer.Option(help="Numbers of a vector.")] = 128,
    clicks: Annotated[float, typer.Option(help="Clicks on an impression, on average.")] = 0.2,
    items: Annotated[int, typer.Option(help="Items with vectors at a time.")] = 1_000_000,
    users: Annotated[int, typer.Option(help="Users who are remembered at a time.")] = 10_000_000,
    resolve: Annotated[
        float,
        typer.Option(help="Samples that resolve 0.0005: samples_to_resolve of your numbers, once there are some."),
    ] = SAMPLES_TO_RESOLVE,
    as_json: AsJson = False,
) -> None:
    """Say what a load needs: cores, GPUs, memory, Kafka and PostgreSQL, and what a sample of the users would give.

    Example: lis-online capacity --impressions 10000 --variants 4
    """
    need = needed(
        Load(
            impressions=impressions,
            variants=variants,
            slate=slate,
            history=history,
            dimension=dimension,
            clicks=clicks,
            items=items,
            users=users,
            samples_to_resolve=resolve,
        )
    )
    if as_json:
        print_json(need.to_json())
        return
    console = out_console()
    for title, rows in (("What it needs", _needs(need)), ("What it gives", _gives(need))):
        table = Table(title=title, title_justify="left", show_header=False, box=None, pad_edge=False)
        for name, value in rows:
            table.add_row(name, value)
        console.print(table)
    console.print(
        f"Cores are {BUSY:.0%} busy, the live path {LIVE:g} times the shards' own time; {GPU_TIMES} times a core for a "
        "GPU is a goal, not a measurement. docs/capacity.md has the arithmetic.",
        soft_wrap=True,
    )


def _needs(need: Need) -> Iterator[tuple[str, str]]:
    yield "join", f"{cores(need.join_cores)}, {size(need.join_memory)}, {need.partitions} partitions or more"
    yield (
        "pairs",
        f"{need.pairs:,.0f} remembered at most, leakage.sketch_bits = {_bits(need.sketch_bits)} if all differ",
    )
    instead = f", or {need.gpus:,} GPU" if need.full.cores > 1 else ""
    yield "rank, every slate", f"{cores(need.full.cores)}{instead}, {size(need.full.memory)}"
    yield "  of it pairs and vectors", f"{cores(need.pair_cores)} for pairs, {size(need.vector_memory)} for vectors"
    yield "publish", cores(need.publish_cores)
    yield "Kafka", f"{size(need.kafka_in)}/s written once, {size(need.full.disk_hour)} an hour with {REPLICAS} replicas"
    yield "PostgreSQL", f"{size(need.postgres_day)} a day, {size(need.postgres_kept)} for {KEPT_DAYS} days"


def _bits(bits: int) -> str:
    return str(bits) if bits <= MOST_SKETCH_BITS else f"{bits} ({MOST_SKETCH_BITS} is the most)"


def _gives(need: Need) -> Iterator[tuple[str, str]]:
    yield "every slate ranked", _precision(need.full)
    if need.sampled is None:
        yield "on one core", "nothing: pairs alone are more than it can take in"
    elif need.sampled.share < 1:
        yield f"on one core, events.user_sample = {need.sampled.share:.2g}", _precision(need.sampled)


def _precision(ranked: Ranked) -> str:
    return f"{ranked.samples:,.0f} samples/s: 0.0005 in {duration(ranked.hours)}, ±{ranked.stderr:.2g} after a day"


def cores(count: float) -> str:
    """Return a number of cores, rounded up.

    >>> cores(0.02), cores(3.2)
    ('1 core (2% of it)', '4 cores')
    """
    if count <= 1:
        return f"1 core ({count:.0%} of it)"
    return f"{-int(-count // 1):,} cores"


def size(count: float) -> str:
    """Return bytes in a unit of a thousand.

    >>> size(1_500), size(2.5e12)
    ('1.5 kB', '2.5 TB')
    """
    for unit in ("B", "kB", "MB", "GB", "TB"):
        if count < 999.5:
            return f"{count:.{0 if count >= 99.5 else 1}f} {unit}"
        count /= 1_000
    return f"{count:,.1f} PB"


def duration(hours: float) -> str:
    """Return hours in seconds, minutes, hours or days.

    >>> duration(0.5), duration(100), duration(0.001)
    ('30 min', '4.2 d', '3.6 s')
    """
    if hours < 1 / 60:
        return f"{hours * 3600:.2g} s"
    if hours < 1:
        return f"{hours * 60:.0f} min"
    return f"{hours:.2g} h" if hours < 48 else f"{hours / 24:.2g} d"
