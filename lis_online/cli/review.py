"""`lis-online review`: what to do about an experiment, and why."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated

import typer

from lis_online.cli.completions import experiments, slices
from lis_online.cli.consoles import out_console
from lis_online.cli.history_range import SLICE, Zone, find_zone, parse_limit
from lis_online.cli.options import AsJson, Config
from lis_online.cli.progress import waiting
from lis_online.errors import UsageError
from lis_online.settings import load


def review(
    experiment: Annotated[str, typer.Argument(autocompletion=experiments, help="Name of the experiment.")],
    start: Annotated[
        str | None,
        typer.Option(
            "--from", help="Begin of a range (ISO 8601, with --zone without a zone); else the whole experiment."
        ),
    ] = None,
    end: Annotated[str | None, typer.Option("--to", help="Its end, exclusive; else now.")] = None,
    slice_: Annotated[str, typer.Option("--slice", autocompletion=slices, help=f"Of LIS and AIS: {SLICE}")] = "all",
    zone: Zone = None,
    against: Annotated[
        int | None, typer.Option(help="Id of another configuration, whose LIS and AIS are shown beside: a backfill's.")
    ] = None,
    configuration: Annotated[
        int | None, typer.Option(help="Id of the settings that the numbers were made under; else those of the file.")
    ] = None,
    html: Annotated[Path | None, typer.Option(help="Write the review as one HTML page as well.")] = None,
    as_json: AsJson = False,
    config: Config = None,
) -> None:
    """Print the review of an experiment: verdict, lifts, LIS and AIS of the variants it serves, whether they agree.

    With --from the lifts are those of the range's impressions alone.

    Example: lis-online review mllm-q4 -c lis-online.toml

    Example: lis-online review mllm-q4 --from
    "2026-11-17 09:00" --to "2026-11-20 18:00" --zone Europe/Berlin --html review.html
    -c lis-online.toml
    """
    from lis_online.history.engine import opened
    from lis_online.review.gather import review as gather
    from lis_online.review.request import ReviewRequest
    from lis_online.review.terminal import render

    place = find_zone(zone)
    limits = parse_limit(start, "--from", place), parse_limit(end, "--to", place)
    now = time.time_ns() // 1_000_000
    request = ReviewRequest(experiment, *limits, slice_, place, configuration, against, now)
    settings = load(config)
    with opened(settings) as engine, waiting("reading the history"):
        found = gather(engine, settings, request)
    if html is not None:
        from lis_online.review.html import render as page

        _write(html, page(found))
    if as_json:
        typer.echo(found.model_dump_json(by_alias=True, indent=2))
    else:
        out_console().print(render(found))


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as exc:
        raise UsageError(f"--html must be a file that can be written, got {str(path)!r}: {exc.strerror}") from exc
