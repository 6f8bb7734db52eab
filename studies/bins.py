"""How many bins an AUC needs: `python -m studies.bins --slates 8000 --out docs/bins.md`.

The rankers of a simulated feed are scored as the rank shard scores them, their logits are kept, and differences of AUC
from bins are compared with those of a full sort, their standard errors with those of an explicit jackknife over a full
sort. A tenth of the standard error is what the bins may cost.
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import argparse
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from lis_online.events.hashing import group_of
from lis_online.metrics.auc import auc
from lis_online.metrics.bins import COARSE, EDGE, FINE, FINE_PLACES, GROUPS
from lis_online.settings import Settings
from lis_online.shards.pipeline import Pipeline
from lis_online.simulate.recorded import generate
from lis_online.simulate.scenarios import scenario

PAIRS = (
    ("leaked:full", "placebo:full"),
    ("leaked:full", "past:full"),
    ("leaked:full", "thinned:full"),
    ("placebo:full", "unleaked"),
    ("leaked:thinned", "placebo:thinned"),
    ("leaked:noise", "placebo:noise"),
    ("aligned:good", "permuted:good"),
    ("aligned:random", "permuted:random"),
    ("twin", "unleaked"),
)
"""What is published: adjusted LIS, future, bound and placebo, adjusted AIS, the twin; of good and of empty sources."""

Auc = Callable[[np.ndarray, np.ndarray], float]


@dataclass(frozen=True)
class Samples:
    """Logits float32 [rankers, samples], labels and user groups int64 [samples]."""

    names: list[str]
    logits: np.ndarray
    label: np.ndarray
    group: np.ndarray

    def difference(self, auc: Auc, pair: tuple[str, str], kept: Any = slice(None)) -> float:
        """Return the difference of two rankers' AUC over some samples."""
        first, second = (self.logits[self.names.index(name)][kept] for name in pair)
        return auc(first, self.label[kept]) - auc(second, self.label[kept])

    def stderr(self, auc: Auc, pair: tuple[str, str]) -> float:
        """Return the jackknife's standard error over user groups."""
        deleted = np.array([self.difference(auc, pair, self.group != g) for g in np.unique(self.group)])
        return float(np.sqrt((len(deleted) - 1) * deleted.var()))

    def first(self, count: int) -> Samples:
        """Return the first samples alone."""
        return Samples(self.names, self.logits[:, :count], self.label[:count], self.group[:count])


def scored(name: str, slates: int, seed: int) -> Samples:
    """Return the second half of what a scenario's rankers were scored on: they have learnt by then."""
    chosen = scenario(name)
    pipeline = Pipeline(Settings.of(chosen.settings))
    rank: Any = pipeline.rank
    learn, build = rank.rankers.step, rank._features.get
    logits, labels, users = [], [], []

    def step(inputs: Any, side: Any, label: np.ndarray) -> np.ndarray:
        found: np.ndarray = learn(inputs, side, label)
        logits.append(found.copy())
        labels.append(label.astype(np.int64))
        return found

    def get(batch: Any, counts: np.ndarray) -> Any:
        users.append(np.repeat(batch.user, batch.n_items))
        return build(batch, counts)

    rank.rankers.step, rank._features.get = step, get
    for _, topic, value in generate(chosen, slates, seed):
        pipeline.update(topic, value)
    pipeline.finish()
    every = np.concatenate(logits, axis=1)
    half = every.shape[1] // 2
    group = group_of(np.concatenate(users)[half:], GROUPS)
    return Samples(list(rank.layout.rankers), every[:, half:], np.concatenate(labels)[half:], group)


def sorted_auc(logits: np.ndarray, label: np.ndarray) -> float:
    """Return AUC by a full sort; ties count one half."""
    _, inverse, counts = np.unique(logits, return_inverse=True, return_counts=True)
    rank = (np.cumsum(counts) - (counts - 1) / 2)[inverse]
    positives = int(label.sum())
    return float((rank[label == 1].sum() - positives * (positives + 1) / 2) / (positives * (len(label) - positives)))


def plain_auc(bins: int) -> Auc:
    """Return AUC from a plain histogram over [-8, 8]: pairs of one bin count one half."""

    def binned(logits: np.ndarray, label: np.ndarray) -> float:
        return sorted_auc(np.clip((logits + EDGE) * (bins / (2 * EDGE)), 0, bins - 1).astype(np.int64), label)

    return binned


def placed_auc(bins: int) -> Auc:
    """Return AUC as it is published: from bins that know the places of their samples."""
    width = FINE * FINE_PLACES // bins
    scale = np.float32(FINE * FINE_PLACES / (2 * EDGE))

    def binned(logits: np.ndarray, label: np.ndarray) -> float:
        place = np.clip((logits + np.float32(EDGE)) * scale, 0, FINE * FINE_PLACES - 1).astype(np.int64)
        counts, sums = np.zeros((2, 2, bins), np.int64)
        np.add.at(counts, (label, place // width), 1)
        np.add.at(sums, (label, place // width), place % width)
        return float(auc(counts, sums, width))

    return binned


def bold(text: str, is_off: bool) -> str:
    """Return a cell, marked where it is off."""
    return f"**{text}**" if is_off else text


def table(samples: Samples) -> list[str]:
    """Return the rows: each difference's exact standard error, and what bins make of value and standard error."""
    rows = []
    for pair in PAIRS:
        exact, stderr = samples.difference(sorted_auc, pair), samples.stderr(sorted_auc, pair)
        first, second = (samples.logits[samples.names.index(name)] for name in pair)
        cells = [f"{pair[0]} - {pair[1]}", f"{np.std(first - second):.4f}", f"{exact:+.5f}", f"{stderr:.5f}"]
        for method in VALUES.values():
            error = abs(samples.difference(method, pair) - exact) / stderr
            cells.append(bold(f"{error:.3f}", error >= 0.1))
        for method in ERRORS.values():
            share = samples.stderr(method, pair) / stderr
            cells.append(bold(f"{share:.2f}", abs(share - 1) >= 0.1))
        rows.append("| " + " | ".join(cells) + " |")
    return rows


VALUES: dict[str, Auc] = {f"{bins:,} bins": plain_auc(bins) for bins in (1024, 4096, 16384)} | {
    f"{bins} with places": placed_auc(bins) for bins in (256, FINE)
}
ERRORS: dict[str, Auc] = {f"{bins:,} bins": plain_auc(bins) for bins in (COARSE, 1024)} | {
    f"{COARSE} with places": placed_auc(COARSE)
}
_VALUES, _ERRORS = list(VALUES), list(ERRORS)
HEAD = (
    f"| difference | sd of the logits' difference | value | standard error | value's error: {' | '.join(_VALUES)} "
    f"| standard error: {' | '.join(_ERRORS)} |\n| {' | '.join(['---'] * (4 + len(_VALUES) + len(_ERRORS)))} |"
)


def page(samples: Samples, slates: int) -> str:
    """Return the page as Markdown."""
    count = samples.logits.shape[1]
    parts = [
        "# Bins behind an AUC",
        "",
        f"Made by `python -m studies.bins --slates {slates}`: scenario `sources`, the second half of {slates:,}",
        "slates. *value's error*: |difference of AUC from bins - from a full sort|, in standard errors. *standard",
        "error*: the jackknife's from bins over the jackknife's from a full sort. **Bold**: an error over a tenth of a",
        f"standard error, a standard error off by over a tenth. Published: {FINE} bins with places for the value,",
        f"{COARSE} with places for its standard error.",
    ]
    for size in (count, count // 10):
        parts += ["", f"## {size:,} samples", "", HEAD, *table(samples.first(size))]
    return "\n".join(parts) + "\n"


def main() -> None:
    """Run the study."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--slates", type=int, default=8_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=Path, default=Path("docs/bins.md"))
    arguments = parser.parse_args()
    samples = scored("sources", arguments.slates, arguments.seed)
    arguments.out.write_text(page(samples, arguments.slates), encoding="utf-8")


if __name__ == "__main__":
    main()
