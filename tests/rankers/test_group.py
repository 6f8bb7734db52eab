"""The stacked step: isolation, prequential order, padding, divergence."""

import numpy as np
import pytest
import torch

from lis_online.rankers.group import TOGETHER, RankerGroup
from lis_online.rankers.inputs import Inputs
from lis_online.rankers.load import untried_network
from lis_online.rankers.network import TABLES, Embedded, Shape, stack_rankers
from lis_online.rankers.wide_and_deep import StackedWideAndDeep
from lis_online.team import Team

CPU = torch.device("cpu")
SHAPE = Shape(rows=(256, 256, 64, 64), embedding=8, hidden=(64, 32), dense=21, side=3)
NETWORK = StackedWideAndDeep(SHAPE)
ALL = 11


def batches(steps: int, rankers: list[int]) -> list[tuple[Inputs, torch.Tensor, np.ndarray]]:
    """Return the same random steps whichever rankers are asked for."""
    rng = np.random.default_rng(1)
    made = []
    for step in range(steps):
        n = 90 - step
        ids = rng.integers(0, 64, (4, n))
        dense = rng.normal(size=(n, SHAPE.dense)).astype(np.float32)
        side = rng.normal(size=(ALL, n, SHAPE.side)).astype(np.float32)
        side[:2] = 0
        label = (rng.random(n) < 0.2).astype(np.uint8)
        made.append((Inputs(ids, dense), torch.from_numpy(side[rankers]), label))
    return made


def run(rankers: list[int], steps: int = 12) -> list[np.ndarray]:
    """Return the logits of every step."""
    seeds = [int(ranker == 1) for ranker in rankers]
    group = RankerGroup(NETWORK, seeds, rate=0.06, batch=64, device=CPU)
    return [group.step(*batch) for batch in batches(steps, rankers)]


@pytest.mark.parametrize("others", [[], [5], [2, 3, 4, 9], [10, 2]])
def test_other_rankers_move_no_bit_of_a_ranker(others: list[int]) -> None:
    """Adding, removing or reordering leaked rankers leaves every other prediction bit for bit the same."""
    chosen = [0, 1, *others]
    for every, some in zip(run(list(range(ALL))), run(chosen), strict=True):
        assert np.array_equal(every[chosen], some)


@pytest.mark.parametrize("place", ["wide-and-deep", "dcn-v2", "logistic"])
@pytest.mark.parametrize("threads", [2, 3, 16])
def test_threads_move_no_bit(place: str, threads: int) -> None:
    """Logits, weights, sums of squares and health are those of one thread, over a check-up."""
    found = []
    for team in (None, Team(threads)):
        group = RankerGroup(untried_network(place, SHAPE, CPU), [0, 1, *[0] * 9], 0.06, 64, CPU, team=team)
        logits = [group.step(*batch) for batch in batches(10, list(range(ALL)))]
        found.append([array.tobytes() for array in (*logits, *group.snapshot().values())])
    assert found[0] == found[1]


@pytest.mark.parametrize("rankers", [1, 2, 11, 50])
@pytest.mark.parametrize("threads", [1, 2, 3, 16])
def test_every_ranker_is_in_one_part(rankers: int, threads: int) -> None:
    """No more at once than fit in a core's cache; as many parts for each thread, while there are rankers for them."""
    small = Shape(rows=(16, 16, 16, 16), embedding=1, hidden=(2,), dense=2, side=3)
    group = RankerGroup(StackedWideAndDeep(small), [0] * rankers, 0.06, 64, CPU, team=Team(threads))
    parts = group._parts()
    assert [k for part in parts for k in range(rankers)[part]] == list(range(rankers))
    sizes = [part.stop - part.start for part in parts]
    assert min(sizes) >= 1 and max(sizes) <= min(TOGETHER, min(sizes) + 1)
    assert len(parts) % threads == 0 or len(parts) == rankers


def test_two_runs_agree_exactly() -> None:
    """Same seed, same result."""
    for first, second in zip(run([0, 1, 2]), run([0, 1, 2]), strict=True):
        assert np.array_equal(first, second)


def test_the_twin_differs_in_its_seed_alone() -> None:
    """A group whose seeds agree has equal rankers where their features agree: the twin is an A/A test."""
    group = RankerGroup(NETWORK, [0, 0, 1], rate=0.06, batch=64, device=CPU)
    inputs, side, label = batches(1, [0, 0, 0])[0]
    logits = group.step(inputs, side, label)
    assert np.array_equal(logits[0], logits[1])
    assert not np.array_equal(logits[0], logits[2])


def test_a_step_is_scored_before_it_is_learnt() -> None:
    """Prequential: the labels of a step change no logit of that step, and do change the next one's."""
    first, second = (RankerGroup(NETWORK, [0], rate=0.06, batch=64, device=CPU) for _ in range(2))
    inputs, side, label = batches(1, [0])[0]
    assert np.array_equal(first.step(inputs, side, label), second.step(inputs, side, 1 - label))
    assert not np.array_equal(first.step(inputs, side, label), second.step(inputs, side, label))


def test_the_step_is_adagrad_on_the_mean_log_loss() -> None:
    """The oracle is torch's own dense Adagrad with autograd through the loss, one ranker, no stacking tricks."""
    from lis_online.rankers.adagrad import EPSILON, INITIAL

    group = RankerGroup(NETWORK, [4], rate=0.06, batch=100, device=CPU)
    parameters = {n: v.clone().requires_grad_() for n, v in stack_rankers([NETWORK.initial(4)]).items()}
    optimiser = torch.optim.Adagrad(
        parameters.values(), lr=0.06, initial_accumulator_value=INITIAL, eps=EPSILON, foreach=False
    )
    for inputs, side, label in batches(5, [0]):
        embedded = [parameters[name][torch.from_numpy(inputs.ids[k])] for k, name in enumerate(TABLES)]
        logits = NETWORK.forward(parameters, Embedded(*embedded), torch.from_numpy(inputs.dense), side)
        target = torch.from_numpy(label.astype(np.float32)).expand_as(logits)
        loss = torch.nn.functional.binary_cross_entropy_with_logits(logits, target, reduction="sum") / 100
        optimiser.zero_grad()
        loss.backward()
        assert np.allclose(group.step(inputs, side, label), logits.detach().numpy(), atol=2e-4)
        optimiser.step()


def test_a_diverged_ranker_is_named_and_touches_no_other() -> None:
    """A ranker whose weights stop being finite is set aside; the others' bits do not move."""
    calm, broken = (RankerGroup(NETWORK, [0, 0, 0], rate=0.06, batch=64, device=CPU) for _ in range(2))
    broken.parameters["weight0"][1, 0, 0] = float("nan")
    for inputs, side, label in batches(6, [0, 1, 2]):
        expected, got = calm.step(inputs, side, label), broken.step(inputs, side, label)
        assert np.array_equal(expected[[0, 2]], got[[0, 2]])
    assert broken.set_aside == {1: "diverged"}
    assert calm.set_aside == {}


def test_a_restored_group_goes_on_bit_for_bit() -> None:
    """Snapshot and restore change nothing."""
    steps = batches(8, [0, 1, 2])
    first, second = (RankerGroup(NETWORK, [0, 1, 0], rate=0.06, batch=64, device=CPU) for _ in range(2))
    for step in steps[:4]:
        first.step(*step)
    second.restore(first.snapshot())
    for step in steps[4:]:
        assert np.array_equal(first.step(*step), second.step(*step))
