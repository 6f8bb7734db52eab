"""How long a step of a group takes, network against network."""

from __future__ import annotations

import statistics
from collections.abc import Callable

import torch

from lis_online.rankers.group import RankerGroup
from lis_online.rankers.network import Network
from lis_online.rankers.planted import Step, planted_steps

WARM_UP = 2


def step_times(
    networks: list[Network], clock: Callable[[], float], rankers: int = 10, samples: int = 512, steps: int = 20
) -> list[float]:
    """Return the median seconds of a step of each network on the CPU, their steps taken in turns."""
    device = torch.device("cpu")
    groups = [RankerGroup(network, [0] * rankers, 0.06, samples, device) for network in networks]
    times: list[list[float]] = [[] for _ in networks]
    for number, step in enumerate(planted_steps(networks[0].shape, WARM_UP + steps, samples)):
        for group, seen in zip(groups, times, strict=True):
            took = _time(group, step, rankers, clock)
            if number >= WARM_UP:
                seen.append(took)
    return [statistics.median(seen) for seen in times]


def _time(group: RankerGroup, step: Step, rankers: int, clock: Callable[[], float]) -> float:
    inputs, side, label = step.of([min(ranker, 2) for ranker in range(rankers)])
    begin = clock()
    group.step(inputs, side, label)
    return clock() - begin
