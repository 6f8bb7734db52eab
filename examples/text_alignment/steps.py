"""The example, step by step: embed, align, publish, evaluate."""

from __future__ import annotations

import copy
import subprocess
import sys
from pathlib import Path
from typing import Any, Final, NamedTuple

import msgspec
import numpy as np
from rich.console import Console

from examples.text_alignment.aligning import STEPS, Aligned, align
from examples.text_alignment.cases import SOURCE, Case
from examples.text_alignment.evaluation import evaluate
from lis_online.cli.report import number, report
from lis_online.errors import UsageError
from lis_online.events.recorded_log import read
from lis_online.metrics.estimate import Estimate
from lis_online.replay.vector_log import write_log
from lis_online.settings import Settings, load
from lis_online.simulate.toml import to_toml

VERSION: Final = "1"


class Outcome(NamedTuple):
    """What came out. more: M(aligned) of the aligned variant less that of the one as it was."""

    aligned: Aligned
    summary: dict[str, Any]
    more: Estimate


def run(case: Case, out: Path, console: Console, steps: int = STEPS) -> Outcome:
    """Align a case's vectors, publish both variants into a recorded log, and evaluate it; files stand in `out`."""
    make_folder(out)
    changed = f"{case.name}-aligned"
    console.print(f"{len(case.items):,} items, for example", highlight=False)
    for text in case.texts[:3]:
        console.print(f"    {text}", markup=False, highlight=False)
    aligned = align(case.vectors, _rows(case), steps=steps)
    console.print(
        f"aligned on {aligned.pairs:,} earlier co-clicks: of {aligned.held_out:,} held out, "
        f"{aligned.before:.1%} were nearer than chance pairs before and {aligned.after:.1%} are now",
        highlight=False,
    )
    for name, vectors in ((case.name, case.vectors), (changed, aligned.apply(case.vectors))):
        np.savez(out / f"{name}.npz", item_id=np.array(case.items), vector=vectors.astype(np.float16))
    settings = _settings(case, [case.name, changed], out / "lis-online.toml")
    write_log(out / "events.jsonl", iter(case.log))
    log = "events.jsonl"
    for name in (case.name, changed):
        _publish(name, log, f"with-{name}.jsonl", out, console)
        log = f"with-{name}.jsonl"
    console.print(f"$ lis-online evaluate events {log} -c lis-online.toml", highlight=False)
    summary, more = evaluate(settings, read(out / log), case.name, changed)
    console.print(report(summary))
    outcome = Outcome(aligned, summary, more)
    console.print(answer(outcome, case.name, changed), highlight=False)
    (out / "outcome.json").write_bytes(msgspec.json.format(msgspec.json.encode(facts(outcome)), indent=2))
    return outcome


def make_folder(out: Path) -> None:
    """Make the folder where it is missing. Raises UsageError where it cannot be one."""
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as exc:
        raise UsageError(f"--out must be a folder that can be written to, got {out}: {exc.strerror}") from exc


def answer(outcome: Outcome, name: str, changed: str) -> str:
    """Return what the numbers say of the question, in two lines."""
    more = outcome.more
    found = [f"AIS of {v}: {number(outcome.summary['variants'][v]['ais']).plain}" for v in (name, changed)]
    told = f"{'; '.join(found)}\n{changed} less {name}, on the same samples: "
    if more.value is None or more.lower is None or more.upper is None:
        return f"{told}none, {more.reason}."
    told += number(more.to_json()).plain
    if more.lower > 0:
        return f"{told}. Aligning on co-clicks helped."
    if more.upper < 0:
        return f"{told}. Aligning on co-clicks hurt."
    return f"{told}. These clicks do not tell whether aligning helped."


def facts(outcome: Outcome) -> dict[str, Any]:
    """Return the numbers of the answer, as JSON has them."""
    summary, aligned = outcome.summary, outcome.aligned
    return {
        "samples": summary["samples"],
        "effective_users": summary["effective_users"],
        "unleaked": summary["unleaked"]["auc"],
        "twin": summary["twin"],
        "source": summary["sources"][SOURCE],
        "variants": summary["variants"],
        "aligned_less_unaligned": outcome.more.difference_json(),
        "training": {
            "pairs": aligned.pairs,
            "held_out": aligned.held_out,
            "before": aligned.before,
            "after": aligned.after,
        },
    }


def _rows(case: Case) -> np.ndarray:
    """Return the pairs whose items both have a vector, as rows. Raises UsageError where there are few."""
    row = {item: at for at, item in enumerate(case.items)}
    found = [(row[first], row[second]) for first, second in case.pairs if first in row and second in row]
    if len(found) < FEWEST:
        raise UsageError(f"the earlier part must hold {FEWEST} pairs of items with vectors, got {len(found)}")
    return np.array(found)


FEWEST: Final = 100
"""Pairs without which there is nothing to align on."""


def _settings(case: Case, names: list[str], path: Path) -> Settings:
    """Write the settings of a case with its variants, and return them."""
    table = copy.deepcopy(case.settings)
    dimension = int(case.vectors.shape[1])
    table["variant"] = [{"name": name, "preference": SOURCE, "dimension": dimension, "versions": 1} for name in names]
    path.write_text(to_toml(table), encoding="utf-8")
    return load(path)


def _publish(name: str, log: str, into: str, out: Path, console: Console) -> None:
    """Run `lis-online vectors send` as a reader would; with Kafka it would be without --log and --out."""
    words = ["vectors", "send", f"{name}.npz", "--variant", name, "--version", VERSION,
             "--log", log, "--out", into, "-c", "lis-online.toml"]  # fmt: skip
    console.print(f"$ lis-online {' '.join(words)}", markup=False, highlight=False)
    done = subprocess.run(
        [sys.executable, "-m", "lis_online", *words], cwd=out, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise UsageError(done.stderr.strip().removeprefix("lis-online: "))
    console.print(done.stdout.strip(), markup=False, highlight=False, soft_wrap=True)
