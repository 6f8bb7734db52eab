"""Places of a group: filled, emptied and filled again, without moving a bit of any other ranker."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import torch

from lis_online.errors import CheckpointError
from lis_online.rankers.group import RankerGroup
from lis_online.rankers.load import network_of
from lis_online.rankers.network import TABLES, Network, Shape
from lis_online.rankers.planted import RANKERS, Step, planted_steps

CPU = torch.device("cpu")
SHAPE = Shape(rows=(64, 64, 64, 64), embedding=8, hidden=(16, 8), dense=21, side=3)
STEPS = planted_steps(SHAPE, 9, 96)
EVERYBODY = list(range(RANKERS))
SEEDS = [0, 1, 0, 0, 0, 0, 0]
FIRST_THREE = [True, True, True, False, False, False, False]

Change = Callable[[RankerGroup], None]


@pytest.fixture(params=["wide-and-deep", "dcn-v2"])
def network(request: pytest.FixtureRequest) -> Network:
    """Each shipped network."""
    return network_of(request.param, SHAPE, CPU)


def group(network: Network, active: list[bool] | None = None) -> RankerGroup:
    """Return a group of seven places."""
    return RankerGroup(network, SEEDS, 0.06, 96, CPU, active)


def run(group: RankerGroup, steps: list[Step]) -> np.ndarray:
    """Return the logits of some steps, [places, samples]."""
    return np.concatenate([group.step(*step.of(EVERYBODY)) for step in steps], axis=1)


def same(first: np.ndarray, second: np.ndarray) -> bool:
    """Whether two arrays agree bit for bit, NaN where NaN is."""
    return np.array_equal(first, second, equal_nan=True)


def test_an_empty_place_is_nan_and_moves_no_bit(network: Network) -> None:
    """A place that nobody holds has no logits, and the others have those of a full group."""
    full, part = run(group(network), STEPS), run(group(network, FIRST_THREE), STEPS)
    assert same(part[:3], full[:3])
    assert np.isnan(part[3:]).all()


def test_an_empty_place_costs_no_memory(network: Network) -> None:
    """Only those that run are stacked."""
    part = group(network, FIRST_THREE)
    assert {value.shape[1 if name in TABLES else 0] for name, value in part.parameters.items()} == {3}
    assert part.active.tolist() == FIRST_THREE


CHANGES: dict[str, Change] = {
    "start": lambda g: g.start(5, like=0),
    "start like a leaked one": lambda g: g.start(3, like=2),
    "stop": lambda g: g.stop(2),
    "stop an empty place": lambda g: g.stop(6),
    "restart": lambda g: g.restart(2),
    "restart an empty place": lambda g: g.restart(4),
    "set aside": lambda g: g.parameters["user"][:, 2].fill_(float("nan")),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_in_the_middle_of_a_run_moves_no_bit_of_the_others(network: Network, change: str) -> None:
    """Filling, emptying and setting aside concern one place."""
    calm, changed = group(network, FIRST_THREE), group(network, FIRST_THREE)
    assert same(run(calm, STEPS[:4]), run(changed, STEPS[:4]))
    CHANGES[change](changed)
    expected, found = run(calm, STEPS[4:]), run(changed, STEPS[4:])
    assert same(expected[:2], found[:2]) and np.isfinite(found[:2]).all()
    touched = {k for k in EVERYBODY if not same(expected[k], found[k])}
    assert (
        touched
        == {
            "start": {5},
            "start like a leaked one": {3},
            "stop": {2},
            "stop an empty place": set(),
            "restart": {2},
            "restart an empty place": {4},
            "set aside": {2},
        }[change]
    )


def test_a_started_ranker_goes_on_as_the_other_would(network: Network) -> None:
    """It takes over parameters and optimiser: shown the same, it predicts the same, bit for bit, while both learn."""
    forked = group(network, FIRST_THREE)
    run(forked, STEPS[:4])
    forked.start(6, like=2)
    for step in STEPS[4:]:
        logits = forked.step(*step.of([0, 1, 2, 3, 4, 5, 2]))
        assert same(logits[6], logits[2])
    forked.start(3, like=0)
    silent = forked.step(*STEPS[0].of([0, 1, 2, 0, 4, 5, 2]))
    assert same(silent[3], silent[0]) and not same(silent[0], silent[2])


def test_a_restarted_ranker_is_the_unleaked_one_again(network: Network) -> None:
    """Whatever it had learnt is gone; its next logits are those of a fork of the unleaked ranker."""
    restarted, forked = group(network), group(network, [True, True, False, True, True, True, True])
    for one in (restarted, forked):
        run(one, STEPS[:4])
    restarted.restart(2)
    forked.start(2, like=0)
    assert same(run(restarted, STEPS[4:]), run(forked, STEPS[4:]))


@pytest.mark.parametrize("place", [0, 1])
def test_unleaked_and_twin_restart_from_their_seed(network: Network, place: int) -> None:
    """There is nobody they could start like."""
    fresh, restarted = group(network), group(network)
    run(restarted, STEPS[:4])
    restarted.restart(place)
    expected, found = run(fresh, STEPS[4:]), run(restarted, STEPS[4:])
    assert same(expected[place], found[place])
    assert not same(expected[1 - place], found[1 - place])


def test_a_ranker_restarts_from_its_seed_while_the_unleaked_is_set_aside(network: Network) -> None:
    """A fork of a ranker that is ill would be ill."""
    ill = group(network)
    ill.parameters["user"][:, 0].fill_(float("nan"))
    run(ill, STEPS[:1])
    assert ill.set_aside == {0: "diverged"}
    ill.restart(2)
    assert same(run(ill, STEPS[4:])[2], run(group(network), STEPS[4:])[2])


@pytest.mark.parametrize(
    ("other", "sentence"),
    [
        ("dcn-v2", r"parameter \S+ of the rankers must have shape (\[[\d, ]+\], got None|None, got \[[\d, ]+\])"),
        ("wide-and-deep", r"parameter \S+ of the rankers must have shape \[[\d, ]+\], got \[[\d, ]+\]"),
    ],
)
def test_a_snapshot_of_another_network_is_refused(other: str, sentence: str) -> None:
    """A network whose code has changed keeps its name: the parameter, its shape now, its shape then."""
    before = group(network_of("wide-and-deep", SHAPE, CPU)).snapshot()
    changed = group(network_of(other, replace(SHAPE, hidden=(16, 9)), CPU))
    with pytest.raises(CheckpointError, match=sentence):
        changed.restore(before)


def test_a_place_that_runs_is_not_overwritten(network: Network) -> None:
    """Starting is for empty and set-aside places, and from a ranker that runs."""
    part = group(network, FIRST_THREE)
    with pytest.raises(ValueError, match=r"place must not run and like must, got 2 and 0 of those running \[0, 1, 2\]"):
        part.start(2, like=0)
    with pytest.raises(ValueError, match="got 3 and 4"):
        part.start(3, like=4)


def test_a_set_aside_ranker_keeps_its_place_until_it_is_restarted(network: Network) -> None:
    """It stays active, named with its reason and NaN; restarting it takes the reason away."""
    part = group(network, FIRST_THREE)
    part.parameters["item"][:, 2].fill_(float("inf"))
    first = part.step(*STEPS[0].of(EVERYBODY))
    assert part.set_aside == {2: "diverged"} and part.active.tolist() == FIRST_THREE
    assert np.isnan(first[2]).all()
    assert np.isnan(part.step(*STEPS[1].of(EVERYBODY))[2]).all()
    part.restart(2)
    assert part.set_aside == {} and np.isfinite(part.step(*STEPS[2].of(EVERYBODY))[2]).all()


def test_a_group_goes_on_when_every_ranker_is_set_aside(network: Network) -> None:
    """Nothing but NaN, no error, and a restart brings it back."""
    part = group(network, FIRST_THREE)
    part.parameters["item"].fill_(float("nan"))
    assert np.isnan(run(part, STEPS[:2])).all() and len(part.set_aside) == 3
    for place in (0, 1, 2):
        part.restart(place)
    assert same(run(part, STEPS[2:]), run(group(network, FIRST_THREE), STEPS[2:]))


@pytest.mark.parametrize("change", CHANGES)
def test_a_group_in_any_state_is_restored_bit_for_bit(network: Network, change: str) -> None:
    """Who holds a place, who is set aside and why, and how each fares come back with the parameters."""
    first, second = group(network, FIRST_THREE), group(network)
    run(first, STEPS[:3])
    CHANGES[change](first)
    run(first, STEPS[3:4])
    arrays = {
        name: np.frombuffer(bytearray(a.tobytes()), a.dtype).reshape(a.shape) for name, a in first.snapshot().items()
    }
    second.restore(arrays)
    assert second.active.tolist() == first.active.tolist() and second.set_aside == first.set_aside
    assert same(run(first, STEPS[4:]), run(second, STEPS[4:]))
    for one in (first, second):
        one.restart(2)
    assert same(run(first, STEPS[:2]), run(second, STEPS[:2]))
    assert all(same(a, b) for a, b in zip(first.snapshot().values(), second.snapshot().values(), strict=True))
