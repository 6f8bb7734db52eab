"""Do the tests notice when the maths changes? `python -m studies.mutation --mutants 300 --seed 0 --jobs 2`.

A seeded sample of all mutants of `mutation_modules`; each one runs its module's tests, the first failure ends it.
A test run that takes five times its usual CPU time counts as killed. Survivors must be explained in
studies/mutation_survivors.md, by file, line and change; those that are not are listed as such.
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import argparse
import json
import random
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from studies.mutants import Mutant, mutants
from studies.mutation_modules import MODULES, path_of
from studies.mutation_run import HARDLY, Child, Verdict, start, verdict, warm

EXPLAINED = Path("studies/mutation_survivors.md")


def sample(count: int, seed: int, modules: Iterable[str]) -> list[Mutant]:
    """Return a seeded sample of all mutants of some modules; count 0: all of them."""
    every = [m for name in modules for m in mutants(name, Path(path_of(name)).read_text(encoding="utf-8"))]
    return random.Random(seed).sample(every, min(count, len(every))) if count else every


def usual(modules: Iterable[str]) -> dict[str, int]:
    """Return the seconds of CPU each module's tests may take. Raises RuntimeError where one fails unchanged."""
    limits = {}
    for module in modules:
        child = start(module, None, 600)
        _, status, used = os.wait4(child.pid, 0)
        if verdict(status) != "survived":
            raise RuntimeError(f"the tests of {module} must pass before it is mutated (MUTATION_SHOW=1 shows them)")
        limits[module] = int(5 * (used.ru_utime + used.ru_stime)) + HARDLY
        sys.stderr.write(f"{module}: {used.ru_utime + used.ru_stime:.1f} s\n")
    return limits


def run(chosen: list[Mutant], limits: dict[str, int], jobs: int) -> Iterator[tuple[Mutant, Verdict]]:
    """Yield each mutant's verdict as it comes, `jobs` at a time."""
    waiting, running = list(reversed(chosen)), dict[int, Child]()
    while waiting or running:
        while waiting and len(running) < jobs:
            mutant = waiting.pop()
            child = start(mutant.module, mutant, limits[mutant.module])
            running[child.pid] = child
        pid, status = os.wait()
        child = running.pop(pid)
        assert child.mutant is not None
        yield child.mutant, verdict(status)


def report(verdicts: list[tuple[Mutant, Verdict]], seed: int, seconds: float) -> dict[str, Any]:
    """Return the figures as JSON."""
    text = EXPLAINED.read_text(encoding="utf-8") if EXPLAINED.exists() else ""
    by_module: dict[str, Counter[str]] = defaultdict(Counter)
    for mutant, found in verdicts:
        by_module[mutant.module]["mutants"] += 1
        by_module[mutant.module]["killed"] += found != "survived"
    left = sorted((m.module, m.line, m.operator, m.before, m.after) for m, found in verdicts if found == "survived")
    killed = len(verdicts) - len(left)
    return {
        "mutants": len(verdicts),
        "killed": killed,
        "score": round(killed / len(verdicts), 4),
        "timeouts": sum(found == "timeout" for _, found in verdicts),
        "seed": seed,
        "seconds": round(seconds),
        "by_module": {name: dict(by_module[name]) for name in sorted(by_module)},
        "survivors": [
            {
                "file": path_of(module),
                "line": line,
                "operator": operator,
                "before": before,
                "after": after,
                "explained": after in text,
            }
            for module, line, operator, before, after in left
        ],
    }


def main() -> None:
    """Run the study; exit 1 where fewer than 90 % are killed or a survivor is not explained."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--mutants", type=int, default=300, help="0: all")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--out", type=Path, default=Path("docs/mutation.json"))
    parser.add_argument("--only", nargs="*", default=None, help="modules, such as metrics.auc")
    arguments = parser.parse_args()
    modules = arguments.only or list(MODULES)
    began = time.monotonic()
    warm()
    limits = usual(modules)
    verdicts = []
    for mutant, found in run(sample(arguments.mutants, arguments.seed, modules), limits, arguments.jobs):
        verdicts.append((mutant, found))
        if not len(verdicts) % 20:
            sys.stderr.write(f"{len(verdicts)} of {arguments.mutants}\n")
        if found == "survived":
            sys.stderr.write(f"{path_of(mutant.module)}:{mutant.line} {mutant.operator}: {mutant.after}\n")
    table = report(verdicts, arguments.seed, time.monotonic() - began)
    arguments.out.write_text(json.dumps(table, indent=2) + "\n", encoding="utf-8")
    sys.stderr.write(f"{table['killed']} of {table['mutants']} killed ({table['score']:.1%})\n")
    unexplained = [s for s in table["survivors"] if not s["explained"]]
    sys.exit(1 if table["score"] < 0.9 or unexplained else 0)


if __name__ == "__main__":
    main()
