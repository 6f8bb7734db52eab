"""Measures whether memory stops growing: `python -m bench.soak --slates 10000000`, or `make soak`.

All three shards in one process, without Kafka, on small slates and small rankers. Users and items keep coming and
going: each is seen for a while and never again, and names never repeat. What is kept of them is bounded by time (a
user's history by `events.user_idle_limit`, pairs by the memory) and by count (rows of vectors, tables of rankers),
so memory after ten times the slates must be what it was. It is the process's resident set (VmRSS), sampled as it runs;
compared are the highest samples of the stretch that ends at a tenth of the slates and of the one that ends with them.
"""

from __future__ import annotations

import argparse
import base64
import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import numpy as np

from bench.measured import Measured
from lis_online.settings import Settings
from lis_online.shards.pipeline import Pipeline

SLATES: Final = 10_000_000
AT: Final = 1_573_516_800_000
SLATE: Final = 5
GAP: Final = 20
"""ms of event time between slates: 50 a second."""
USERS: Final = 5_000
ITEMS: Final = 2_000
"""How many users and items there are at a time."""
USER_SLATES: Final = 2
NEW_ITEMS: Final = 2
"""A user is new every second slate, two items with each: rows of vectors (1,048,576) are full after half a million."""
DIMENSION: Final = 8
LOOKS: Final = 200
"""Samples of memory over the whole run."""
AT_ONCE: Final = 1_000


def settings() -> Settings:
    """Return settings under which everything that time bounds is full long before a tenth of the slates."""
    return Settings.of(
        {
            "events": {
                "attribution_window": "10s",
                "allowed_lateness": "2s",
                "user_idle_limit": "30m",
                "history_length": 10,
            },
            "leakage": {"horizon": "20s", "memory": "2m", "sketch_bits": 14},
            "training": {"embedding": 2, "hidden": [4], "user_bits": 10, "item_bits": 10, "batch": 2_048},
            "metrics": {"windows": ["1m", "2m"], "bucket": "30s"},
            "preference": [{"name": "coclick"}],
            "variant": [{"name": "v", "preference": "coclick", "dimension": DIMENSION, "versions": 1}],
        }
    )


def events(slates: int, seed: int = 0) -> Iterator[tuple[str, bytes]]:
    """Yield topic and value, in order of time: impressions, clicks on one slate in five, the vectors of new items."""
    random = np.random.default_rng(seed)
    for first in range(0, slates, AT_ONCE):
        count = min(AT_ONCE, slates - first)
        users = random.integers(0, USERS, count)
        items = random.integers(0, ITEMS, (count, SLATE))
        clicked = np.where(random.random(count) < 0.2, random.integers(0, SLATE, count), -1).tolist()
        for k in range(count):
            number = first + k
            for item in range(NEW_ITEMS * number + ITEMS, NEW_ITEMS * (number + 1) + ITEMS):
                vector = base64.b64encode(random.standard_normal(DIMENSION).astype("<f2").tobytes()).decode()
                yield "representations", _json(
                    variant="v", version="1", item_id=f"i{item}", ts=AT + GAP * number,
                    vector={"dtype": "float16", "data": vector},
                )  # fmt: skip
            user = f"u{number // USER_SLATES + int(users[k])}"
            shown = [f"i{NEW_ITEMS * number + item}" for item in items[k].tolist()]
            event = {"request_id": f"r{number}", "user_id": user, "ts": AT + GAP * number}
            yield "impressions", _json(**event, surface="feed", items=shown)
            if clicked[k] >= 0:
                yield "feedback", _json(**event, item_id=shown[clicked[k]], action="click", value=1.0)


def _json(**fields: Any) -> bytes:
    return json.dumps({"schema_version": 1, **fields}, separators=(",", ":")).encode()


def resident() -> int:
    """Return the process's resident set, bytes."""
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1024
    raise OSError("/proc/self/status must have a line VmRSS, got none")


def soak(slates: int, say: bool = False) -> list[tuple[int, int]]:
    """Feed so many slates; return slates so far and resident bytes, sample by sample."""
    pipeline = Pipeline(settings(), rows=lambda rows: None)
    found: list[tuple[int, int]] = []
    done, began = 0, time.monotonic()
    step = max(1, slates // LOOKS)
    for topic, value in events(slates):
        pipeline.update(topic, value)
        if topic == "impressions":
            done += 1
            if done % step == 0:
                found.append((done, resident()))
                if say and len(found) % 10 == 0:
                    rate = done / (time.monotonic() - began)
                    sys.stderr.write(f"{done:,} slates, {found[-1][1] / 1e6:,.1f} MB, {rate:,.0f} slates/s\n")
    return found


def compare(slates: int, found: list[tuple[int, int]]) -> Measured:
    """Return memory after all slates over that after a tenth, each the highest of a twentieth of the run before it."""

    def highest(end: int) -> int:
        return max(size for at, size in found if end - slates // 20 < at <= end)

    early, late = highest(slates // 10), highest(slates)
    detail = f"{late / 1e6:,.0f} MB after {slates:,} slates against {early / 1e6:,.0f} MB after {slates // 10:,}"
    return Measured("memory, ten times the slates", late / early, 1.05, "lower", detail)


def run(scale: float = 1.0) -> list[Measured]:
    """Measure. scale: of the number of slates."""
    slates = max(LOOKS, round(SLATES * scale))
    return [compare(slates, soak(slates))]


def main() -> None:
    """Run it, saying how it goes, and print what was measured."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--slates", type=int, default=SLATES)
    slates = max(LOOKS, parser.parse_args().slates)
    one = compare(slates, soak(slates, say=True))
    sys.stdout.write(f"{one.name}: {one.ratio:.3f} (goal {one.goal}): {one.detail}\n")


if __name__ == "__main__":
    main()
