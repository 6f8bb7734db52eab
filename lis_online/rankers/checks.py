"""The checks behind the contract's rules: each returns what is broken, or None."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from lis_online.rankers.group import RankerGroup
from lis_online.rankers.network import TABLES, Embedded, Network, stack_rankers
from lis_online.rankers.planted import RANKERS, constant_loss, log_loss, planted_steps

CPU = torch.device("cpu")
RATE = 0.06
SAMPLES = 160
PROBE = 64

LEARNT = 0.8
"""Times the log loss of the constant click rate: what a ranker that sees the planted signal must come under within
`LEARNING_STEPS` steps. Wide-and-deep comes to 0.675 and to 0.849 without the signal, DCN-v2 to 0.677 and 0.848;
a logistic regression fitted to all steps to 0.657."""

LEARNING_STEPS = 60


@dataclass
class _Probe:
    """Stacked parameters of some rankers and made-up inputs for them."""

    parameters: dict[str, Tensor]
    embedded: Embedded
    dense: Tensor
    side: Tensor

    @classmethod
    def of(cls, network: Network, rankers: list[dict[str, Tensor]], seed: int = 1, samples: int = PROBE) -> _Probe:
        shape, count = network.shape, len(rankers)
        generator = torch.Generator().manual_seed(seed)
        weights = [{name: value for name, value in one.items() if name not in TABLES} for one in rankers]
        rows = [torch.randn(samples, count, shape.embedding + 1, generator=generator) for _ in TABLES]
        dense = torch.randn(samples, shape.dense, generator=generator)
        side = torch.randn(count, samples, shape.side, generator=generator)
        return cls(stack_rankers(weights), Embedded(*rows), dense, side)

    def logits(self, network: Network) -> Tensor:
        return network.forward(self.parameters, self.embedded, self.dense, self.side)

    def gradients(self, network: Network, side: Tensor) -> dict[str, Tensor | None]:
        leaves = {name: value.clone().requires_grad_() for name, value in self.parameters.items()}
        logits = network.forward(leaves, self.embedded, self.dense, side)
        weight = torch.linspace(-1, 1, logits.numel()).reshape(logits.shape)
        found = torch.autograd.grad(logits, list(leaves.values()), weight, allow_unused=True)
        return dict(zip(leaves, found, strict=True))


def _group(network: Network, seeds: list[int]) -> RankerGroup:
    return RankerGroup(network, seeds, RATE, SAMPLES, CPU)


def call(network: Network) -> str | None:
    """Call it for two rankers at once."""
    logits = _Probe.of(network, [network.initial(0), network.initial(1)]).logits(network)
    if tuple(logits.shape) != (2, PROBE):
        return f"logits of {PROBE} samples have shape {list(logits.shape[1:])}"
    if logits.dtype != torch.float32:
        return f"logits are {logits.dtype}"
    odd = [name for name, value in network.initial(0).items() if value.dtype != torch.float32]
    if odd:
        return f"parameter {odd[0]} is not float32"
    return None if bool(torch.isfinite(logits).all()) else "some initial logits are not finite"


def gradients(network: Network) -> str | None:
    """Look for parameters that no logit depends on."""
    probe = _Probe.of(network, [network.initial(0)])
    if not probe.parameters:
        return "there is no parameter"
    without = [name for name, gradient in probe.gradients(network, probe.side).items() if gradient is None]
    return f"{', '.join(without)} has none" if without else None


def start(network: Network) -> str | None:
    """Compare initial parameters."""
    first, again, other = network.initial(3), network.initial(3), network.initial(4)
    if any(not torch.equal(first[name], again[name]) for name in first):
        return "two rankers of one seed differ"
    if all(torch.equal(first[name], other[name]) for name in first if name not in TABLES):
        return "rankers of two seeds are the same"
    return None


def inputs(network: Network) -> str | None:
    """Compare the inputs before and after a call."""
    used, kept = (_Probe.of(network, [network.initial(0), network.initial(1)]) for _ in range(2))
    used.logits(network)
    pairs = [*zip(used.embedded, kept.embedded, strict=True), (used.dense, kept.dense), (used.side, kept.side)]
    pairs += [(used.parameters[name], kept.parameters[name]) for name in kept.parameters]
    return None if all(torch.equal(a, b) for a, b in pairs) else "an input was changed"


def state(network: Network) -> str | None:
    """Call it twice with another call between."""
    rankers = [network.initial(0), network.initial(1)]
    probe, other = _Probe.of(network, rankers), _Probe.of(network, rankers, seed=2)
    first = probe.logits(network)
    other.logits(network)
    return None if torch.equal(first, probe.logits(network)) else "a second call with the same inputs gives others"


def samples(network: Network) -> str | None:
    """Exchange one half of a batch."""
    rankers = [network.initial(0), network.initial(1)]
    probe, other = _Probe.of(network, rankers), _Probe.of(network, rankers, seed=2)
    kept = PROBE // 2
    before = probe.logits(network)[:, :kept]
    for table, others in zip(probe.embedded, other.embedded, strict=True):
        table[kept:] = others[kept:]
    probe.dense[kept:], probe.side[:, kept:] = other.dense[kept:], other.side[:, kept:]
    after = probe.logits(network)[:, :kept]
    if torch.equal(before, after):
        return None
    return f"other samples in the batch move a logit by {float((before - after).abs().max()):.3g}"


def scored_first(network: Network) -> str | None:
    """Turn the labels of a step round."""
    first, second = _group(network, [0]), _group(network, [0])
    inputs, side, label = planted_steps(network.shape, 1, SAMPLES)[0].of([2])
    if not np.array_equal(first.step(inputs, side, label), second.step(inputs, side, 1 - label)):
        return "labels of a step change its own logits"
    if np.array_equal(first.step(inputs, side, label), second.step(inputs, side, label)):
        return "labels of a step change nothing after it"
    return None


ORDERS = ([0], [2], [0, 2, 5], [5, 0, 2], list(range(RANKERS)), list(reversed(range(RANKERS))))
"""Groups to meet the same rankers in: alone, among 3, among 7, in other orders."""


def isolation(network: Network) -> str | None:
    """Meet the same rankers in groups of several sizes and orders."""
    steps = planted_steps(network.shape, 5, SAMPLES)
    seen: dict[int, np.ndarray] = {}
    for rankers in reversed(ORDERS):
        group = _group(network, [int(ranker == 1) for ranker in rankers])
        logits = np.concatenate([group.step(*step.of(rankers)) for step in steps], axis=1)
        for ranker, row in zip(rankers, logits, strict=True):
            if not np.array_equal(seen.setdefault(ranker, row), row, equal_nan=True):
                return (
                    f"a ranker has other bits in a group of {len(rankers)} (order {rankers}) than in one of {RANKERS}"
                )
    return None


def side(network: Network) -> str | None:
    """Fork the unleaked ranker."""
    steps = planted_steps(network.shape, 6, SAMPLES)
    group = RankerGroup(network, [0, 1, 0], RATE, SAMPLES, CPU, active=[True, True, False])
    for step in steps[:3]:
        group.step(*step.of([0, 1, 0]))
    other_way = _other_way(network, group)
    if other_way is not None:
        return other_way
    group.start(2, like=0)
    for step in steps[3:5]:
        logits = group.step(*step.of([0, 1, 0]))
        if not np.array_equal(logits[0], logits[2]):
            return "a ranker started like the unleaked one differs from it while its side features are 0"
    logits = group.step(*steps[5].of([0, 1, 2]))
    return "side features change no logit" if np.array_equal(logits[0], logits[2]) else None


def _other_way(network: Network, group: RankerGroup) -> str | None:
    """Say whether side features act through weights that were learnt without them.

    Weights that stayed at their initial draw are set to 0: the side features must not show any more.
    """
    initial = network.initial(0)
    taught = {name: group.parameters[name][0] for name in initial if name not in TABLES}
    probe = _Probe.of(network, [taught])
    silent = torch.zeros_like(probe.side)
    for name, gradient in probe.gradients(network, silent).items():
        idle = (
            (taught[name] == initial[name])
            if gradient is None
            else (taught[name] == initial[name]) & (gradient[0] == 0)
        )
        probe.parameters[name] = probe.parameters[name].masked_fill(idle, 0.0)
    with_side = probe.logits(network)
    probe.side = silent
    if torch.equal(with_side, probe.logits(network)):
        return None
    return "side features act on the logit through weights that are learnt while they are 0"


def learns(network: Network) -> str | None:
    """Learn the planted problem."""
    group = _group(network, [0, 1, 0])
    steps = planted_steps(network.shape, LEARNING_STEPS, SAMPLES)
    logits = [group.step(*step.of([0, 1, 2])) for step in steps]
    late = LEARNING_STEPS * 2 // 3
    label = np.concatenate([step.label for step in steps[late:]])
    unleaked, _, leaked = log_loss(np.concatenate(logits[late:], axis=1), label) / constant_loss(label)
    if not leaked <= LEARNT:
        return f"its log loss is {leaked:.3f} times that of the constant click rate"
    return None if leaked < unleaked else f"the side features do not help: {leaked:.3f}, without them {unleaked:.3f}"


def snapshot(network: Network) -> str | None:
    """Restore a group in the middle of a run."""
    first, second = _group(network, [0, 1, 0]), _group(network, [0, 1, 0])
    steps = planted_steps(network.shape, 6, SAMPLES)
    for step in steps[:3]:
        first.step(*step.of([0, 1, 2]))
    second.restore(first.snapshot())
    for step in steps[3:]:
        if not np.array_equal(first.step(*step.of([0, 1, 2])), second.step(*step.of([0, 1, 2])), equal_nan=True):
            return "a restored group predicts otherwise"
    return None
