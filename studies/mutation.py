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
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from hashlib import blake2b
from pathlib import Path
from typing import Any

from studies.mutants import Mutant, mutants
from studies.mutation_modules import MODULES, path_of
from studies.mutation_run import HARDLY, Child, Verdict, start, verdict, warm

EXPLAINED = Path("studies/mutation_survivors.md")


def sample(count: int, seed: int, modules: Iterable[str]) -> list[Mutant]:
    """Return a seeded sample of all mutants of some modules; count 0: all of them.

    Each mutant draws a lot by what it changes, and the lowest lots are taken: an edit of one module leaves the sample
    of the others nearly as it was.
    """
    every = [m for name in modules for m in mutants(name, Path(path_of(name)).read_text(encoding="utf-8"))]
    return sorted(every, key=lambda mutant: _lot(seed, mutant))[:count] if count else every


def _lot(seed: int, mutant: Mutant) -> bytes:
    change = "\n".join((str(seed), mutant.module, mutant.operator, mutant.before, mutant.after))
    return blake2b(change.encode()).digest()


def usual(modules: Iterable[str], jobs: int) -> dict[str, int]:
    """Return the seconds of CPU each module's tests may take. Raises RuntimeError where one fails unchanged."""
    limits = {}
    for module, _, found, seconds in _forked([(module, None) for module in modules], dict.fromkeys(modules, 600), jobs):
        if found != "survived":
            raise RuntimeError(f"the tests of {module} must pass before it is mutated (MUTATION_SHOW=1 shows them)")
        limits[module] = int(5 * seconds) + HARDLY
        sys.stderr.write(f"{module}: {seconds:.1f} s\n")
    return limits


def run(chosen: list[Mutant], limits: dict[str, int], jobs: int) -> Iterator[tuple[Mutant, Verdict]]:
    """Yield each mutant's verdict as it comes, `jobs` at a time."""
    for place, (_, mutant, found, _) in enumerate(_forked([(m.module, m) for m in chosen], limits, jobs), start=1):
        assert mutant is not None
        if found == "survived":
            sys.stderr.write(f"{path_of(mutant.module)}:{mutant.line} {mutant.operator}: {mutant.after}\n")
        if not place % 20:
            sys.stderr.write(f"{place} of {len(chosen)}\n")
        yield mutant, found


Work = tuple[str, Mutant | None]


def _forked(work: list[Work], limits: dict[str, int], jobs: int) -> Iterator[tuple[str, Mutant | None, Verdict, float]]:
    """Run each piece of work in a child; yield it with its verdict and its seconds of CPU."""
    waiting, running = list(reversed(work)), dict[int, Child]()
    while waiting or running:
        while waiting and len(running) < jobs:
            module, mutant = waiting.pop()
            child = start(module, mutant, limits[module])
            running[child.pid] = child
        pid, status, used = os.wait3(0)
        child = running.pop(pid)
        yield child.module, child.mutant, verdict(status), used.ru_utime + used.ru_stime


def sources() -> str:
    """Return a digest of the modules: verdicts belong to this text of them."""
    return blake2b(b"".join(Path(path_of(name)).read_bytes() for name in MODULES), digest_size=8).hexdigest()


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
        "sources": sources(),
        "by_module": {name: dict(by_module[name]) for name in sorted(by_module)},
        "survivors": [
            {
                "file": path_of(module),
                "line": line,
                "operator": operator,
                "before": before,
                "after": after,
                "explained": f"`{before if after == 'pass' else after}`" in text,
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
    parser.add_argument("--again", action="store_true", help="run the survivors in --out alone: tests were added")
    arguments = parser.parse_args()
    modules = arguments.only or list(MODULES)
    began = time.monotonic()
    chosen = sample(arguments.mutants, arguments.seed, modules)
    known = before(arguments.out, chosen) if arguments.again else []
    left = [mutant for mutant in chosen if mutant not in {one for one, _ in known}]
    warm()
    limits = usual(sorted({mutant.module for mutant in left}), arguments.jobs)
    verdicts = [*known, *run(left, limits, arguments.jobs)]
    table = report(verdicts, arguments.seed, time.monotonic() - began)
    arguments.out.write_text(json.dumps(table, indent=2) + "\n", encoding="utf-8")
    sys.stderr.write(f"{table['killed']} of {table['mutants']} killed ({table['score']:.1%})\n")
    unexplained = [s for s in table["survivors"] if not s["explained"]]
    sys.exit(1 if table["score"] < 0.9 or unexplained else 0)


def before(path: Path, chosen: list[Mutant]) -> list[tuple[Mutant, Verdict]]:
    """Return the mutants that an earlier run of the same sample killed. Raises RuntimeError on another sample."""
    table = json.loads(path.read_text(encoding="utf-8"))
    if (table["sources"], table["mutants"]) != (sources(), len(chosen)):
        raise RuntimeError(f"{path} is of another sample or of other modules: run it whole")
    survived = {(s["file"], s["line"], s["operator"], s["before"], s["after"]) for s in table["survivors"]}
    return [(m, "killed") for m in chosen if (path_of(m.module), m.line, m.operator, m.before, m.after) not in survived]


if __name__ == "__main__":
    main()
