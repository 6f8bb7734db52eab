"""What the demo shows while it runs: the report and the pipeline's pulse."""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from typing import Any

from rich.console import Console, Group
from rich.live import Live
from rich.text import Text

from lis_online.cli.experiment_report import experiments
from lis_online.cli.report import advice, arms, drift, heading, sources, variants
from lis_online.demo.feed import Feed

REFRESH = 1.0
"""Seconds between two looks."""

LINE_EVERY = 10.0
"""Seconds between two lines where there is no terminal."""

ANSWER_SECONDS = 5.0


def fetch_summary(address: str) -> dict[str, Any] | None:
    """Return the publish worker's summary, None while it has none."""
    try:
        with urllib.request.urlopen(f"{address}/api/v1/summary", timeout=ANSWER_SECONDS) as answer:
            found: dict[str, Any] = json.load(answer)
            return found
    except (urllib.error.URLError, TimeoutError, ConnectionError, ValueError):
        return None


def watermark(address: str) -> float | None:
    """Return the earliest event time the join shards have reached, seconds since 1970, None while unknown."""
    try:
        with urllib.request.urlopen(f"{address}/metrics", timeout=ANSWER_SECONDS) as answer:
            lines = answer.read().decode().splitlines()
    except (urllib.error.URLError, TimeoutError, ConnectionError):
        return None
    times = [float(line.split()[1]) for line in lines if line.startswith("lis_watermark_timestamp_seconds{")]
    return min(times, default=None)


class Screen:
    """The live table on a terminal, a line now and then elsewhere. join, publish: addresses of the workers."""

    def __init__(self, console: Console, feed: Feed, header: Text, join: str, publish: str) -> None:
        self.console = console
        self.feed = feed
        self.header = header
        self.join, self.publish = join, publish
        self.first_numbers: float | None = None
        self._began = time.monotonic()
        self._seen = (self._began, 0)
        self._rate = 0.0

    def run(self, until: Callable[[], bool], check: Callable[[], None]) -> None:
        """Show until told to stop. check: raises what must end the demo."""
        self.console.print(self.header)
        if self.console.is_terminal:
            with Live(console=self.console, auto_refresh=False, vertical_overflow="ellipsis") as live:
                self._loop(until, check, lambda summary: live.update(self._page(summary), refresh=True), REFRESH)
        else:
            self._loop(until, check, self._line, LINE_EVERY)

    def _loop(
        self,
        until: Callable[[], bool],
        check: Callable[[], None],
        show: Callable[[dict[str, Any] | None], None],
        every: float,
    ) -> None:
        shown = 0.0
        while not until():
            check()
            summary = fetch_summary(self.publish)
            self._note(summary)
            if time.monotonic() - shown >= every:
                shown = time.monotonic()
                show(summary)
            time.sleep(REFRESH)

    def _note(self, summary: dict[str, Any] | None) -> None:
        now, sent = time.monotonic(), self.feed.sent
        before, then = self._seen
        self._rate = (sent - then) / max(1e-9, now - before)
        self._seen = (now, sent)
        if self.first_numbers is None and has_numbers(summary):
            self.first_numbers = now - self._began

    def _pulse(self) -> Text:
        reached = watermark(self.join)
        lag = "-" if reached is None else f"{max(0.0, self.feed.clock / 1000 - reached):,.0f} s of the feed's time"
        clock = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(self.feed.clock / 1000))
        return Text(f"feed at {clock} UTC   {self._rate:,.0f} events/s   watermark lag {lag}\n", style="cyan")

    def _page(self, summary: dict[str, Any] | None) -> Group:
        if summary is None:
            return Group(self._pulse(), Text(progress_of(summary)))
        lifts = experiments(summary) or arms(summary)
        told = [found for found in (drift(summary),) if found is not None]
        # what a low terminal cuts off stands last
        return Group(
            self._pulse(), heading(summary), *told, variants(summary), lifts, sources(summary), advice(summary)
        )

    def _line(self, summary: dict[str, Any] | None) -> None:
        self.console.print(f"{self._pulse().plain.strip()}   {progress_of(summary)}", highlight=False)


def progress_of(summary: dict[str, Any] | None) -> str:
    """Return the first source's number, or what is waited for: an answer, samples, the end of the warm-up."""
    if summary is None:
        return "waiting for the publish worker to answer"
    if not has_numbers(summary):
        return f"waiting: {next(iter(summary['variants'].values()))['sentence']}"
    source = next(iter(summary["sources"].values()))
    return f"{summary['samples']:,} samples, adjusted LIS {source['adjusted_lis']['value']:+.4f}"


def has_numbers(summary: dict[str, Any] | None) -> bool:
    """Return whether there is an adjusted LIS of any source."""
    return summary is not None and any(s["adjusted_lis"]["value"] is not None for s in summary["sources"].values())
