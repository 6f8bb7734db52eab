"""`python -m pictures`: docs/figures/ of the live page, a review and the dashboards, from one run of the demo."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Annotated, Final

import psycopg
import typer

from lis_online.errors import LisError
from pictures.answers import Times, answers, feed_times
from pictures.board import draw
from pictures.shots import chromium, shoot
from pictures.stage import Run, run
from tests.grafana.boards import BOARDS

WINDOW: Final = "1h"
"""Chosen at the head of each dashboard; the rest is as a reader finds it."""

LAST_OF_PAGE: Final = "section:has(> h2:text-is('Preference sources'))"
LAST_OF_REVIEW: Final = "h2#arms + .metric"
"""What the pictures of pages end with, as Playwright's selectors."""


def main(
    out: Annotated[Path, typer.Option(help="The folder to write to.")] = Path("docs/figures"),
    hours: Annotated[float, typer.Option(min=2, help="Of the simulated feed; three take a minute.")] = 9.0,
    seed: Annotated[int, typer.Option(min=0, help="Of the simulated feed.")] = 1,
) -> None:
    """Run the demo, open its pages in Chromium, ask what its dashboards ask, and write the pictures."""
    try:
        with tempfile.TemporaryDirectory(prefix="lis-pictures-") as folder, run(Path(folder), hours, seed) as found:
            dashboards(found, out)
            pages(found, Path(folder), out)
    except LisError as exc:
        sys.stderr.write(f"pictures: {exc}\n")
        sys.exit(2)


def pages(found: Run, folder: Path, out: Path) -> None:
    """Write the live page, light and dark, and the review of the demo's experiment."""
    review = folder / "review.html"
    command = [sys.executable, "-m", "lis_online", "review", "mllm-q4", "--html", str(review), "-c", str(found.config)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    with chromium() as browser:
        shoot(browser, found.page, LAST_OF_PAGE, light=out / "live.png", dark=out / "live-dark.png")
        shoot(browser, review.as_uri(), LAST_OF_REVIEW, light=out / "review.png")


def dashboards(found: Run, out: Path) -> None:
    """Write what each dashboard's queries answer."""
    with psycopg.connect(found.database.replace("+psycopg", ""), autocommit=True) as history:
        times = Times((found.begun, time.time()), feed_times(history))
        for name, board in BOARDS.items():
            shown = answers(name, found.prometheus, history, times, WINDOW)
            (out / f"{name}.svg").write_text(draw(board["title"], shown), encoding="utf-8")


if __name__ == "__main__":
    typer.run(main)
