"""What a scrape costs: `python -m bench.scrape`. 20 variants, 4 windows and the run, 6 slices, over HTTP on loopback.

The client asks as Prometheus does, with gzip. A bucket closes every 5 s, not every
minute, and is rendered while scrapes go on.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
import urllib.request
from dataclasses import replace
from itertools import cycle

from prometheus_client import CollectorRegistry

from lis_online.exporter.collector import LisCollector, register
from lis_online.exporter.exposition import Exposition
from lis_online.exporter.health import WorkerHealth
from lis_online.exporter.pages import Pages
from lis_online.exporter.rendered import RenderedView, render
from lis_online.exporter.server import ExporterServer
from lis_online.metrics.alignment import PairAlignment
from lis_online.metrics.diagnosis import Diagnosis
from lis_online.metrics.estimate import Estimate
from lis_online.metrics.results import SliceNumbers, SourceNumbers, VariantNumbers
from lis_online.shards.view import WHOLE_RUN, PublishView, VersionInfo

VARIANTS, SOURCES, PARTITIONS = 20, 3, 8
EVERY, SCRAPES, PAUSE = 5.0, 1_000, 0.02
WINDOWS = (900_000, 3_600_000, 21_600_000, 86_400_000, WHOLE_RUN)
SLICES = ("all", "surface:feed", "surface:search", "surface:related", "arm:mllm-q4/control", "arm:mllm-q4/treatment")
ACCEPT = {"openmetrics": "application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5", "text": ""}


def estimate(value: float) -> Estimate:
    """Return a number with as many digits as real ones have."""
    return Estimate.of(value / 7, 1e-6 / 3, samples=123_456)


def slice_numbers(name: str) -> SliceNumbers:
    """Return one slice with every number there."""
    source = SourceNumbers(*map(estimate, (0.06, 0.02, 0.04, 0.001, 0.05, 0.002)), coverage=0.4, collision_share=0.01)
    sources = [f"source-{k}" for k in range(SOURCES)]
    of = zip((f"variant-{k}" for k in range(VARIANTS)), cycle(sources), strict=False)
    variants = {v: VariantNumbers(s, *map(estimate, (0.03, 0.04, 0.5)), 0.9, v, "2026-11-01") for v, s in of}
    rankers = [
        "unleaked",
        "twin",
        *(f"{kind}:{s}" for s in sources for kind in ("leaked", "past", "placebo", "thinned")),
    ]
    rankers += [f"{kind}:{v}" for v in variants for kind in ("aligned", "permuted")]
    unleaked = {number: estimate(0.7) for number in ("auc", "gauc", "normalised_entropy", "calibration")}
    levels: dict[str, float | None] = {ranker: 0.7 + k / 700 for k, ranker in enumerate(rankers)}
    return SliceNumbers(
        name,
        123_456,
        12_345,
        6_789,
        4_321.0,
        unleaked,
        estimate(1e-4),
        dict.fromkeys(sources, source),
        variants,
        levels,
    )


def view() -> PublishView:
    """Return a view of that size."""
    slices = {name: slice_numbers(name) for name in SLICES}
    variants = list(slices["all"].variants)
    aligned = Diagnosis("aligned", "Keep it.")
    pairs = {v: PairAlignment(v, "2026-11-01", estimate(5.0), 500, 20, 1_573_518_600_000) for v in variants}
    return PublishView(
        end=1_573_516_800_000, revision=9, metric="auc",
        windows=dict.fromkeys(WINDOWS, slices),
        diagnoses={length: {name: dict.fromkeys(variants, aligned) for name in SLICES} for length in WINDOWS},
        arms=(), counts={}, set_aside={}, late_side=3, left_out=5, warm_from=1_573_516_700_000, warm=True,
        versions=tuple(VersionInfo(v, "2026-11-01", 1_573_516_000_000, newest=True) for v in variants),
        alignment=dict.fromkeys(WINDOWS, pairs),
    )  # fmt: skip


def worker() -> WorkerHealth:
    """Return the health of a worker with all roles."""
    health = WorkerHealth()
    health.begin_history()
    shards = [("join", partition) for partition in range(PARTITIONS)] + [("rank", 0), ("publish", 0)]
    for role, partition in shards:
        health.begin(role)
        health.applied(role, partition, 500, 0.25)
    health.lagged(dict.fromkeys(shards, 7))
    return health


def scrape(address: str, accept: str) -> tuple[float, int]:
    """Return how long a scrape took, ms, and how large it was as sent, bytes."""
    request = urllib.request.Request(f"{address}/metrics", headers={"Accept": accept, "Accept-Encoding": "gzip"})
    began = time.perf_counter()
    with urllib.request.urlopen(request, timeout=10) as response:
        size = len(response.read())
    return 1000 * (time.perf_counter() - began), size


def row(name: str, times: list[float]) -> str:
    """Return median, 99th percentile and most, ms."""
    high = statistics.quantiles(times, n=100)[-1]
    return f"{name:<28}{statistics.median(times):8.1f}{high:8.1f}{max(times):8.1f}"


def rendering() -> float:
    """Return how long a view takes to render, ms: once a bucket, on a thread of its own."""
    one = view()
    began = time.perf_counter()
    render(one)
    return 1000 * (time.perf_counter() - began)


def serve() -> None:
    """Serve, print the address, and close a bucket every EVERY seconds until the parent ends."""
    shown = [view()]
    registry = CollectorRegistry()
    register(registry, LisCollector(worker()))
    with RenderedView(lambda: shown[0]) as numbers, ExporterServer(Pages(Exposition(registry, numbers))) as server:
        sys.stdout.write(f"{server.address}\n")
        sys.stdout.flush()
        while os.getppid() != 1:
            time.sleep(EVERY)
            shown[0] = replace(shown[0])


def main() -> int:
    """Print the table."""
    lines = [f"{'ms':<28}{'median':>8}{'p99':>8}{'max':>8}"]
    lines.append(row("render both formats", [rendering() for _ in range(20)]))
    with subprocess.Popen([sys.executable, "-m", "bench.scrape", "serve"], stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        address = server.stdout.readline().strip()
        for name, accept in ACCEPT.items():
            times, size = [], 0
            for _ in range(SCRAPES):
                took, size = scrape(address, accept)
                times.append(took)
                time.sleep(PAUSE)
            lines.append(f"{row(f'scrape {name}', times)}  {size} bytes")
        server.kill()
    sys.stdout.write("\n".join(lines) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(serve() if sys.argv[1:] == ["serve"] else main())
