"""Runs the targets under atheris: `python -m fuzz.run --runs 1000000 [TARGET ...]`.

Each target is a process of its own, since libFuzzer ends with it; its share of the runs goes by how fast it is. Inputs
that broke something are left in `fuzz/found/`, whose file atheris repeats: `python -m fuzz.run --repeat TARGET FILE`.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from pathlib import Path
from random import Random

from fuzz.hostile import SCALARS, TOPICS, Hostile

SHARES = {"shard": 0.05, "mixed": 0.02, "settings": 0.03, "internal": 0.1}
"""Of the runs; the other targets share the rest equally."""

FOLDER = Path(__file__).parent / "found"


def main() -> int:
    """Run every target; return 1 where one found something."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--repeat", type=Path, metavar="FILE", help="Run one target on one input.")
    parser.add_argument("targets", nargs="*")
    given = parser.parse_args()
    from fuzz.targets import TARGETS

    names = given.targets or list(TARGETS)
    if given.repeat is not None:
        fuzz_one(names[0], [str(given.repeat)])
        return 0
    failed = False
    for name in names:
        runs = max(1, int(given.runs * _share(name, names)))
        FOLDER.mkdir(exist_ok=True)
        started = time.monotonic()
        options = [f"-runs={runs}", f"-seed={given.seed}", f"-artifact_prefix={FOLDER}/{name}-", "-max_len=4096"]
        code = f"from fuzz.run import fuzz_one; fuzz_one({name!r}, {[*options, '-timeout=60', '-rss_limit_mb=4096']!r})"
        done = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, errors="replace", check=False
        )
        failed |= done.returncode != 0
        seconds = round(time.monotonic() - started, 1)
        print(json.dumps({"target": name, "runs": runs, "seconds": seconds, "exit": done.returncode}), flush=True)  # noqa: T201
        if done.returncode:
            print(done.stderr[-6000:], flush=True)  # noqa: T201
    return int(failed)


def fuzz_one(name: str, options: list[str]) -> None:
    """Hand one target to libFuzzer; it ends the process."""
    import atheris

    with atheris.instrument_imports(include=["lis_online.events", "lis_online.join", "lis_online.shards.join"]):
        from fuzz.targets import TARGETS
    target = TARGETS[name]

    def test_one_input(data: bytes) -> None:
        """The input is a record itself, and the seed of generated ones."""
        target(Random(data), data)

    def mutate(data: bytes, most: int, seed: int) -> bytes:
        """Half the time a record made by rule, else libFuzzer's own."""
        if seed % 2:
            made = Hostile(Random(seed)).record(TOPICS[seed % len(TOPICS)])
            return made[:most]
        return bytes(atheris.Mutate(data or SCALARS[seed % len(SCALARS)], most))

    atheris.Setup([f"fuzz-{name}", *options], test_one_input, custom_mutator=mutate)
    atheris.Fuzz()


def _share(name: str, names: list[str]) -> float:
    rest = [one for one in names if one not in SHARES]
    taken = sum(SHARES[one] for one in names if one in SHARES)
    return SHARES[name] if name in SHARES else (1 - taken) / len(rest)


if __name__ == "__main__":
    sys.exit(main())
