"""The rank step on a GPU: `make bench-gpu`, or `python -m bench.gpu`. Without CUDA it says so and exits with 2.

Fifty rankers, batches of 65,536 samples, the network of the standard load: against the same step on one thread of this
machine's processor. Beside it: the share of the memory bandwidth that is reached, `torch.compile` and CUDA graphs, how
often the host waits for the device within a step (once, for its logits), whether two runs have the same bits, how far
CPU and GPU differ. Writes bench/results/gpu.json.
"""

from __future__ import annotations

import argparse
import copy
import sys
import time
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from torch import Tensor

from bench import page
from bench.measured import Measured
from lis_online.rankers.group import RankerGroup
from lis_online.rankers.inputs import Inputs, dense_width
from lis_online.rankers.network import TABLES, Network, Shape
from lis_online.rankers.wide_and_deep import StackedWideAndDeep
from lis_online.shards.rank_features import SIDE

RESULTS: Final = Path("bench/results/gpu.json")
SHAPE: Final = Shape(
    rows=(1 << 16, 1 << 16, 1 << 14, 1 << 10), embedding=8, hidden=(64, 32), dense=dense_width(2, 15), side=SIDE
)

TOLERANCE: Final = 1e-3
"""Largest difference of a logit between CPU and GPU after AGREEING steps: sums in another order, and what was learnt
from them. The rolling AUC has bins of 1/256 of a logit."""

AGREEING: Final = 20
"""Steps that CPU and GPU are compared over."""

MODES: Final[dict[str, dict[str, Any] | None]] = {
    "as it is": None,
    "torch.compile": {},
    "torch.compile with CUDA graphs": {"mode": "reduce-overhead"},
}
"""Ways to run the network's forward pass: arguments of `torch.compile`, None for without."""

COPIED: Final = 1 << 30
"""Bytes of the copy that the memory bandwidth is measured with."""


@dataclass(frozen=True)
class Step:
    """What `RankerGroup.step` takes. side: float32 [rankers, samples, SIDE] on the device."""

    inputs: Inputs
    side: Tensor
    label: np.ndarray


@dataclass(frozen=True)
class Sizes:
    """rankers of a group, samples of a batch, steps of a measurement, bytes of the copy."""

    rankers: int = 50
    samples: int = 65_536
    steps: int = 5
    copied: int = COPIED


def made_steps(rankers: int, samples: int, count: int, device: torch.device, seed: int = 0) -> list[Step]:
    """Return random steps, the same on every device: ids over whole tables, one click in a hundred samples.

    Half of the samples have no author: a row that many share, as real ones do.
    """
    rng = np.random.default_rng(seed)
    steps = []
    for _ in range(count):
        ids = np.stack([rng.integers(0, rows, samples) for rows in SHAPE.rows])
        ids[TABLES.index("author"), : samples // 2] = 0
        dense = rng.standard_normal((samples, SHAPE.dense), np.float32)
        side = rng.standard_normal((rankers, samples, SHAPE.side), np.float32)
        side[:2] = 0  # the unleaked ranker and its twin see none
        label = (rng.random(samples) < 0.01).astype(np.uint8)
        steps.append(Step(Inputs(ids, dense), torch.from_numpy(side).to(device), label))
    return steps


def new_group(network: Network, rankers: int, samples: int, device: torch.device) -> RankerGroup:
    """Return a fresh group, the same on every device."""
    return RankerGroup(network, [0, 1, *[0] * (rankers - 2)], 0.06, samples, device)


def take(group: RankerGroup, steps: Sequence[Step]) -> list[np.ndarray]:
    """Return the logits of each step, in order."""
    return [group.step(step.inputs, step.side, step.label) for step in steps]


def seconds(run: Callable[[], object], device: torch.device) -> float:
    """Return the wall time of a call, the device's work included."""
    wait = torch.cuda.synchronize if device.type == "cuda" else lambda: None
    wait()
    began = time.perf_counter()
    run()
    wait()
    return time.perf_counter() - began


def step_seconds(group: RankerGroup, steps: Sequence[Step]) -> float:
    """Return the seconds of a step: the least of several, the first left out, for it sets things up."""
    times = [seconds(lambda step=step: take(group, [step]), group.device) for step in steps]
    return min(times[1:])


def bytes_moved(shape: Shape, rankers: int, samples: int) -> int:
    """Return the bytes that a step moves at least, as a model.

    Each ranker and sample: its inputs are written, read by the first layer and for its gradient, and so is their
    gradient (5 passes); each hidden layer alike (5); the tables' rows are read, and their gradients added up and
    applied to rows and sums of squares (8). Each float32. Weights are too small to count.
    """
    hidden = sum(shape.hidden)
    floats = 5 * (shape.width + hidden) + 8 * len(TABLES) * (shape.embedding + 1)
    return 4 * floats * rankers * samples


def copy_bandwidth(size: int, device: torch.device) -> float:
    """Return the bytes a second of a copy within the device's memory, each read and written."""
    source = torch.zeros(size, dtype=torch.uint8, device=device)
    target = torch.empty_like(source)
    return 2 * size / min(seconds(lambda: target.copy_(source), device) for _ in range(5))


def waits_of(run: Callable[[], object], device: torch.device) -> dict[str, int] | None:
    """Return how often the host waits for the device in a call, by line of code; None on a CPU.

    The count is torch's own (`torch.cuda.set_sync_debug_mode`): it knows of transfers and of sizes that are asked for.
    """
    if device.type != "cuda":
        run()
        return None
    torch.cuda.set_sync_debug_mode("warn")
    try:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            run()
    finally:
        torch.cuda.set_sync_debug_mode("default")
    return counted(caught)


def counted(caught: Sequence[warnings.WarningMessage]) -> dict[str, int]:
    """Return how many of the warnings are of a wait, by file and line."""
    found: dict[str, int] = {}
    for one in caught:
        if "synchronizing" in str(one.message):
            place = f"{Path(one.filename).name}:{one.lineno}"
            found[place] = found.get(place, 0) + 1
    return found


def state_bits(group: RankerGroup, logits: Sequence[np.ndarray]) -> list[bytes]:
    """Return every bit that a run left behind: logits, parameters, sums of squares."""
    return [array.tobytes() for array in (*logits, *group.snapshot().values())]


def same_twice(sizes: Sizes, device: torch.device) -> bool:
    """Return whether two runs of the same steps leave the same bits."""
    steps = made_steps(sizes.rankers, sizes.samples, sizes.steps, device)
    found = []
    for _ in range(2):
        group = new_group(StackedWideAndDeep(SHAPE), sizes.rankers, sizes.samples, device)
        found.append(state_bits(group, take(group, steps)))
    return found[0] == found[1]


def largest_difference(rankers: int, samples: int, device: torch.device, count: int = AGREEING) -> float:
    """Return the largest difference of a logit between the CPU and a device, over steps that learn."""
    found = []
    for place in (torch.device("cpu"), device):
        group = new_group(StackedWideAndDeep(SHAPE), rankers, samples, place)
        found.append(np.concatenate(take(group, made_steps(rankers, samples, count, place)), axis=1))
    return float(np.abs(found[0] - found[1]).max())


def compiled(network: Network, arguments: dict[str, Any] | None) -> Network:
    """Return a network whose forward pass is compiled; itself for None."""
    if arguments is None:
        return network
    made = copy.copy(network)
    made.forward = torch.compile(network.forward, **arguments)  # type: ignore[method-assign]
    return made


def mode_seconds(
    sizes: Sizes, steps: Sequence[Step], device: torch.device, modes: dict[str, dict[str, Any] | None]
) -> dict[str, float]:
    """Return the seconds of a step in each way to run it."""
    found = {}
    for name, arguments in modes.items():
        network = compiled(StackedWideAndDeep(SHAPE), arguments)
        found[name] = step_seconds(new_group(network, sizes.rankers, sizes.samples, device), steps)
    return found


def run(sizes: Sizes, device: torch.device, modes: dict[str, dict[str, Any] | None] = MODES) -> list[Measured]:
    """Return every row of the comparison. Any device will do: a CPU is held against itself."""
    cpu = torch.device("cpu")
    rows = [_against_cpu(sizes, device, cpu)]
    steps = made_steps(sizes.rankers, sizes.samples, sizes.steps, device)
    times = mode_seconds(sizes, steps, device, modes)
    plain = times["as it is"]
    moved, bandwidth = bytes_moved(SHAPE, sizes.rankers, sizes.samples), copy_bandwidth(sizes.copied, device)
    rows.append(
        Measured(
            "rank step on a GPU: share of its memory bandwidth",
            moved / plain / bandwidth,
            None,
            "higher",
            f"{moved / 1e9:.2f} GB moved at least in {1e3 * plain:.2f} ms, of {bandwidth / 1e9:,.0f} GB/s of a copy",
        )
    )
    rows += [
        Measured(
            f"rank step on a GPU: {name}",
            plain / took,
            None,
            "higher",
            f"{1e3 * took:.2f} ms a step, without {1e3 * plain:.2f} ms",
        )
        for name, took in times.items()
        if name != "as it is"
    ]
    return rows + _held(sizes, steps, device)


def _against_cpu(sizes: Sizes, device: torch.device, cpu: torch.device) -> Measured:
    took = [
        step_seconds(
            new_group(StackedWideAndDeep(SHAPE), sizes.rankers, sizes.samples, place),
            made_steps(sizes.rankers, sizes.samples, min(3, sizes.steps) if place is cpu else sizes.steps, place),
        )
        for place in (cpu, device)
    ]
    detail = f"{sizes.rankers} rankers, {sizes.samples:,} samples: {took[0]:.3f} s on a thread, {1e3 * took[1]:.2f} ms"
    return Measured("rank step on a GPU", took[0] / took[1], 20.0, "higher", detail)


def _held(sizes: Sizes, steps: Sequence[Step], device: torch.device) -> list[Measured]:
    """Return what must hold, beside speed: each is 0 where it does."""
    group = new_group(StackedWideAndDeep(SHAPE), sizes.rankers, sizes.samples, device)
    take(group, steps[:1])
    waits = waits_of(lambda: take(group, steps[1:]), device)
    each = 0.0 if waits is None else sum(waits.values()) / len(steps[1:])
    where = "not a GPU" if waits is None else ", ".join(f"{place} {count}" for place, count in waits.items()) or "none"
    difference = largest_difference(min(sizes.rankers, 12), min(sizes.samples, 4_096), device)
    differs = float(not same_twice(sizes, device))
    return [
        Measured(
            "rank step on a GPU: waits of the host in a step", each, 1.0, "lower", f"of {len(steps) - 1}: {where}"
        ),
        Measured("rank step on a GPU: runs that differ by a bit", differs, 0.0, "lower", "of two, weights included"),
        Measured(
            "rank step on a GPU: difference from the CPU, of what is allowed",
            difference / TOLERANCE,
            1.0,
            "lower",
            f"{difference:.2g} of a logit at most after {AGREEING} steps, {TOLERANCE:g} allowed",
        ),
    ]


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and write, where there is a GPU."""
    parser = argparse.ArgumentParser(prog="python -m bench.gpu", description=__doc__)
    parser.add_argument("--rankers", type=int, default=Sizes.rankers)
    parser.add_argument("--samples", type=int, default=Sizes.samples)
    chosen = parser.parse_args(arguments)
    if not torch.cuda.is_available():
        sys.stderr.write("bench.gpu needs a GPU, and torch sees no CUDA here.\n")
        return 2
    torch.set_num_threads(1)
    rows = run(Sizes(chosen.rankers, chosen.samples), torch.device("cuda"))
    write(rows)
    sys.stdout.write(f"{torch.cuda.get_device_name()}\n{page.encode(rows)}")
    return 0


def write(rows: Sequence[Measured]) -> None:
    """Write the results."""
    RESULTS.parent.mkdir(parents=True, exist_ok=True)
    RESULTS.write_text(page.encode(rows), encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
