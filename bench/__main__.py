"""Every comparison of docs/performance.md, in one run: `python -m bench`.

It prints each ratio with its goal as it comes, writes `bench/results/latest.json` and the table of
`docs/performance.md`. `--only NAME`: one module, the other rows stay as they were. `--scale 0.1`: a tenth of the
length, for trying; nothing is written. Exit code 1: something could not be measured.
"""

from __future__ import annotations

import argparse
import gc
import os
import sys
import time
from collections.abc import Callable, Sequence
from importlib import import_module

import torch
from rich.console import Console
from rich.markup import escape

from bench import page
from bench.measured import Measured

MODULES = (
    "live",
    "rank_step",
    "rolling_auc",
    "intervals",
    "whole_job",
    "pair_sketch",
    "history_write",
    "start",
)
"""Modules of this package with `run(scale) -> list[Measured]`, in the order of the page."""

Run = Callable[[float], list[Measured]]


def run_of(name: str) -> Run:
    """Return the benchmark of a module; imported when its turn comes."""
    run: Run = import_module(f"bench.{name}").run
    return run


def measure(
    names: Sequence[str], scale: float, console: Console, load: Callable[[str], Run]
) -> tuple[list[Measured], bool]:
    """Run benchmarks one after the other, printing as they come; return their rows, and whether all could be run."""
    rows: list[Measured] = []
    whole = True
    for name in names:
        gc.collect()
        began = time.monotonic()
        try:
            found = load(name)(scale)
        except Exception as exc:  # the others are still worth having
            whole = False
            console.print(
                f"[red]{name} could not be measured:[/] {escape(f'{type(exc).__name__}: {exc}')}", soft_wrap=True
            )
            continue
        for row in found:
            console.print(line(row), soft_wrap=True)
        console.print(f"[dim]{name}: {time.monotonic() - began:.0f} s[/]")
        rows += found
    return rows, whole


def line(row: Measured) -> str:
    """Return what the terminal shows of a row: rich's markup."""
    colour = {"reached": "green", "missed": "red", "a fact": "cyan"}[page.verdict(row)]
    wanted = f", {page.goal(row)}" if row.goal is not None else ""
    ratio = f"[bold {colour}]{page.number(row.ratio):>8}[/]"
    return f"{ratio}  {escape(row.name)} ({page.verdict(row)}{wanted})\n          [dim]{escape(row.detail)}[/]"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run what was asked for and write down what a run of full length found."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--only", action="append", choices=MODULES, metavar="NAME", help=f"of {', '.join(MODULES)}")
    parser.add_argument("--scale", type=float, default=1.0, help="share of the full length; below 1 nothing is written")
    chosen = parser.parse_args(arguments)
    if not 0 < chosen.scale <= 1:
        parser.error(f"--scale must be above 0 and at most 1, got {chosen.scale}")
    if os.environ.get("OMP_NUM_THREADS") != "1":
        parser.error(f"OMP_NUM_THREADS must be 1, got {os.environ.get('OMP_NUM_THREADS')!r}: `make bench` sets it")
    torch.set_num_threads(1)
    rows, whole = measure(chosen.only or MODULES, chosen.scale, Console(), run_of)
    if chosen.scale == 1:
        write(rows, keep=bool(chosen.only))
    return 0 if whole else 1


def write(rows: Sequence[Measured], *, keep: bool) -> None:
    """Write results and page. keep: rows of before that were not measured now stay."""
    before = page.decode(page.RESULTS.read_text(encoding="utf-8")) if keep and page.RESULTS.exists() else []
    rows = page.decode(page.encode(page.updated(before, rows)))  # the page says what the file says
    page.RESULTS.parent.mkdir(parents=True, exist_ok=True)
    page.RESULTS.write_text(page.encode(rows), encoding="utf-8")
    text = page.replaced(page.PAGE.read_text(encoding="utf-8"), page.table(rows, page.environment()))
    page.PAGE.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
