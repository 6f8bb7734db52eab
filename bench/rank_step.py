"""The rank step against a bare training loop: what features, metrics and the order of events cost on top of torch.

python -m bench.rank_step --scale 1
"""

from __future__ import annotations

import argparse
import sys
import time
import warnings
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

import msgspec
import numpy as np
import torch
from torch import Tensor

from bench import standard
from bench.measured import Measured
from lis_online.rankers.adagrad import EPSILON, INITIAL
from lis_online.rankers.group import RankerGroup
from lis_online.rankers.inputs import Inputs
from lis_online.rankers.network import TABLES, Embedded, Network
from lis_online.records import Record
from lis_online.settings import Settings
from lis_online.shards.join import JoinShard
from lis_online.shards.rank import RankShard

WARM = 24_000
"""Slates before anything is timed: they fill sketches, tables and delay line."""

SLATES = 40_000
"""Slates that are timed, of the bare loop's row."""

CHUNKS = 10
"""Both sides take turns on the same steps."""

Step = tuple[Inputs, Tensor, np.ndarray]


class BareLoop:
    """What one would write in torch for the same networks, stacked: forward, backward, `torch.optim.Adagrad`.

    Embedding tables have sparse gradients, as a dense update of every row would take a hundred times as long.
    """

    def __init__(self, network: Network, parameters: dict[str, Tensor], rate: float, batch: int) -> None:
        self.network = network
        self.batch = batch
        self.rankers = len(parameters["offset"])
        self.parameters = {
            name: (value.flatten(1) if name in TABLES else value).detach().clone().requires_grad_()
            for name, value in parameters.items()
        }
        self.optimiser = torch.optim.Adagrad(
            self.parameters.values(), lr=rate, initial_accumulator_value=INITIAL, eps=EPSILON
        )

    def step(self, inputs: Inputs, side: Tensor, label: np.ndarray) -> Tensor:
        """Score a batch, then learn from it."""
        rows, dense = torch.from_numpy(inputs.ids), torch.from_numpy(inputs.dense)
        found = (
            torch.nn.functional.embedding(rows[k], self.parameters[name], sparse=True) for k, name in enumerate(TABLES)
        )
        embedded = [table.view(len(label), self.rankers, -1) for table in found]
        whole = {name: value for name, value in self.parameters.items() if name not in TABLES}
        logits = self.network.forward(whole, Embedded(*embedded), dense, side)
        target = torch.from_numpy(label.astype(np.float32)).expand_as(logits)
        loss = torch.nn.functional.binary_cross_entropy_with_logits(logits, target, reduction="sum") / self.batch
        self.optimiser.zero_grad()
        loss.backward()
        self.optimiser.step()
        return logits


def blocks(settings: Settings, log: Iterator[tuple[str, bytes]]) -> list[Record]:
    """Return the rank log of a recorded log."""
    join, offsets = JoinShard(settings, 0, "median"), defaultdict[str, int](int)
    records, found = [], []

    def feed() -> None:
        for outgoing in join.feed(records):
            if outgoing.topic == "samples":
                found.append(Record("samples", 0, len(found), -1, outgoing.value))
        records.clear()

    for topic, value in log:
        records.append(Record(topic, 0, offsets[topic], -1, value))
        offsets[topic] += 1
        if len(records) == 2_000:
            feed()
    feed()
    return found


def against_bare(scale: float) -> Measured:
    """Return samples/s of the rank shard over those of the bare loop, on the same steps in turns."""
    settings = standard.settings()
    slates = WARM + int(SLATES * scale)
    records = blocks(settings, standard.log(slates))
    warm = len(records) * WARM // slates
    shard = RankShard(settings)
    shard.feed(records[:warm])
    bare = BareLoop(
        shard.rankers.network, shard.rankers.parameters, settings.training.learning_rate, settings.training.batch
    )
    steps: list[Step] = []
    _keep(shard.rankers, steps)
    ours = theirs = 0.0
    samples = shard.samples
    for chunk in np.array_split(np.arange(warm, len(records)), CHUNKS):
        steps.clear()
        ours += _seconds(lambda chunk=chunk: shard.feed([records[k] for k in chunk]))
        theirs += _seconds(lambda: [bare.step(*step) for step in steps])
    samples = shard.samples - samples
    return Measured(
        "rank step against bare torch, samples/s",
        theirs / ours,
        0.7,
        "higher",
        f"{samples / ours:,.0f} samples/s with features and metrics, {samples / theirs:,.0f} bare: "
        f"{len(shard.layout.rankers)} rankers, one thread, {samples:,} samples",
    )


def _keep(rankers: RankerGroup, steps: list[Step]) -> None:
    """Note what a group is given, before it is."""
    step = rankers.step

    def kept(inputs: Inputs, side: Tensor, label: np.ndarray) -> np.ndarray:
        steps.append((inputs, side, label))
        return step(inputs, side, label)

    rankers.step = kept  # type: ignore[method-assign]


def many_rankers(scale: float) -> Measured:
    """Return the cost per ranker and sample of 50 rankers over that of 10."""
    few, many = standard.settings(), _fifty()
    slates = WARM + int(SLATES * scale / 4)
    log = [*_with_variants(standard.log(slates), [variant.name for variant in many.variant])]
    shards = {len(of.variant): (RankShard(of), blocks(of, iter(log))) for of in (few, many)}
    spent, rankers, samples = dict[int, float](), dict[int, int](), dict[int, int]()
    for variants, (shard, records) in shards.items():
        shard.feed(records[: len(records) * WARM // slates])
        spent[variants], rankers[variants], samples[variants] = 0.0, int(shard.rankers.active.sum()), -shard.samples
    for turn in range(CHUNKS):
        for variants, (shard, records) in shards.items():
            warm = len(records) * WARM // slates
            chunk = np.array_split(np.arange(warm, len(records)), CHUNKS)[turn]
            spent[variants] += _seconds(lambda c=chunk, s=shard, r=records: s.feed([r[k] for k in c]))
    cost = {v: 1e9 * spent[v] / rankers[v] / (samples[v] + shards[v][0].samples) for v in shards}
    (least, most) = sorted(cost)
    return Measured(
        "50 rankers against 10, cost per ranker and sample",
        cost[most] / cost[least],
        1.0,
        "lower",
        f"{cost[most]:,.0f} ns with {rankers[most]} rankers, {cost[least]:,.0f} ns with {rankers[least]}",
    )


def two_threads(scale: float) -> Measured:
    """Return samples/s of the rank shard on two threads over those on one, by the wall, in turns."""
    slates = WARM + int(SLATES * scale / 4)
    records = blocks(standard.settings(), standard.log(slates))
    warm = len(records) * WARM // slates
    shards = {threads: RankShard(standard.settings(training={"threads": threads})) for threads in (1, 2)}
    spent = dict.fromkeys(shards, 0.0)
    for shard in shards.values():
        shard.feed(records[:warm])
    samples = -shards[1].samples
    for chunk in np.array_split(np.arange(warm, len(records)), CHUNKS):
        for threads, shard in shards.items():
            began = time.perf_counter()
            shard.feed([records[k] for k in chunk])
            spent[threads] += time.perf_counter() - began
    samples += shards[1].samples
    detail = f"{samples / spent[2]:,.0f} samples/s by the wall on two, {samples / spent[1]:,.0f} on one, the same bits"
    return Measured("rank step, two threads against one", spent[1] / spent[2], None, "higher", detail)


def _fifty() -> Settings:
    """Return the standard load with 4 sources and 16 variants: 2 + 4 * 4 + 2 * 16 rankers."""
    sources = [{"name": "coclick"}, *({"name": f"coclick-{k}", "partners": k} for k in (4, 3, 2))]
    return standard.settings(16, preference=sources)


def _with_variants(log: Iterator[tuple[str, bytes]], names: list[str]) -> Iterator[tuple[str, bytes]]:
    """Yield a log in which every variant has the vectors of `good`."""
    for topic, value in log:
        if topic != "representations":
            yield topic, value
            continue
        event = msgspec.json.decode(value)
        if event["variant"] == "good":
            yield from ((topic, msgspec.json.encode(event | {"variant": name})) for name in names)


def _seconds(call: Any) -> float:
    began = time.process_time()
    call()
    return time.process_time() - began


def run(scale: float = 1.0) -> list[Measured]:
    """Return all rows."""
    torch.set_num_threads(1)
    warnings.filterwarnings("ignore", "Sparse invariant checks")
    return [against_bare(scale), many_rankers(scale), two_threads(scale)]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scale", type=float, default=1.0)
    for row in run(parser.parse_args().scale):
        sys.stdout.write(f"{row.name}: {row.ratio:.2f} (goal {row.goal}); {row.detail}\n")
