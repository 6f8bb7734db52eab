"""The rank step on a device that shows no data: what a GPU does of it, the host never waits for, but for the logits."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor

from lis_online.rankers.adagrad import Adagrad
from lis_online.rankers.group import RankerGroup
from lis_online.rankers.health import EVERY
from lis_online.rankers.inputs import Inputs
from lis_online.rankers.load import untried_network
from lis_online.rankers.network import TABLES, Network, Shape
from tests.no_data import DEVICE, NoData

SHAPE = Shape(rows=(64, 64, 16, 8), embedding=4, hidden=(8, 4), dense=6, side=3)
PLACES = 5
SAMPLES = 40
READ_BACK = "group.py step: aten._to_copy.default"
NETWORKS = ("wide-and-deep", "dcn-v2", "logistic", "lis_online.rankers.wide_and_deep:WideAndDeep")
"""Those that are shipped, and one that a user would bring: a module for one ranker."""


def take(group: RankerGroup, count: int) -> None:
    """Let a group take steps whose samples share rows."""
    rng = np.random.default_rng(0)
    for _ in range(count):
        ids = np.stack([rng.integers(0, rows, SAMPLES) for rows in SHAPE.rows])
        dense = rng.standard_normal((SAMPLES, SHAPE.dense), np.float32)
        side = torch.zeros(PLACES, SAMPLES, SHAPE.side, device=DEVICE)
        group.step(Inputs(ids, dense), side, np.zeros(SAMPLES, np.uint8))


def group_of(network: Network) -> RankerGroup:
    """Return a group on the device, one of its places empty: the side features of the others are picked out."""
    return RankerGroup(network, [0, 1, 0, 0, 0], 0.06, 64, DEVICE, [True, True, False, True, True])


@pytest.mark.parametrize("ranker", NETWORKS)
def test_a_step_waits_for_its_logits_alone(ranker: str) -> None:
    """Once a step, at a check-up of the rankers' health too; what a step needs is sent from pinned memory."""
    with NoData() as device:
        group = group_of(untried_network(ranker, SHAPE, DEVICE))
        device.taken()
        before = device.sent
        take(group, EVERY + 1)
        assert device.taken() == [READ_BACK] * (EVERY + 1)
        assert device.sent - before == 3 * (EVERY + 1)


def unique(optimiser: Adagrad, name: str, rows: Tensor, gradient: Tensor) -> None:
    """Ask how many rows differ."""
    torch.unique(rows, return_inverse=True)


def scalar(optimiser: Adagrad, name: str, rows: Tensor, gradient: Tensor) -> None:
    """Look at a number."""
    optimiser.rate *= float(gradient.isfinite().all())


def accumulated(optimiser: Adagrad, name: str, rows: Tensor, gradient: Tensor) -> None:
    """Add up by indices."""
    optimiser.sums[name].index_put_((rows,), gradient, accumulate=True)


def pageable(optimiser: Adagrad, name: str, rows: Tensor, gradient: Tensor) -> None:
    """Send from memory that is not pinned."""
    optimiser.parameters[name].add_(torch.ones(1).to(gradient.device, non_blocking=True))


def numbers(optimiser: Adagrad, name: str, rows: Tensor, gradient: Tensor) -> None:
    """Make a tensor of numbers."""
    optimiser.parameters[name].mul_(torch.tensor([0.5], device=gradient.device))


def on_the_host(optimiser: Adagrad, name: str, rows: Tensor, gradient: Tensor) -> None:
    """Take rows by indices that lie on the host."""
    optimiser.sums[name][torch.arange(3)].sum()


def mixed(optimiser: Adagrad, name: str, rows: Tensor, gradient: Tensor) -> None:
    """Add what lies on the host."""
    optimiser.parameters[name].add_(torch.ones(gradient.shape[-1]))


@pytest.mark.parametrize("update", [scalar, accumulated, pageable, numbers, on_the_host])
def test_a_wait_would_be_noted(monkeypatch: pytest.MonkeyPatch, update: Callable[..., None]) -> None:
    """Each way to make the host wait in the step of a table: the test above can fail."""
    monkeypatch.setattr(Adagrad, "_update_rows_at_once", update)
    with NoData() as device:
        group = group_of(untried_network("wide-and-deep", SHAPE, DEVICE))
        device.taken()
        take(group, 1)
        assert len(device.taken()) == 1 + len(TABLES)


@pytest.mark.parametrize(("update", "error"), [(unique, NotImplementedError), (mixed, AssertionError)])
def test_a_size_that_depends_on_data_and_a_second_device_are_errors(
    monkeypatch: pytest.MonkeyPatch, update: Callable[..., None], error: type[Exception]
) -> None:
    """Neither can run on a device without data."""
    monkeypatch.setattr(Adagrad, "_update_rows_at_once", update)
    with NoData():
        group = group_of(untried_network("wide-and-deep", SHAPE, DEVICE))
        with pytest.raises(error):
            take(group, 1)


@pytest.mark.parametrize("rows", [[3], [3, 3, 3, 3], [5, 0, 5, 2, 2, 5, 0], list(range(16))])
def test_rows_stepped_at_once_are_those_of_the_loop(rows: list[int]) -> None:
    """To a float's last bits, rows that several samples share too; what no sample has stays bit for bit."""
    generator = torch.Generator().manual_seed(len(rows))
    table = torch.randn(16, 3, 5, generator=generator)
    loop, tensors = (Adagrad({"user": table.clone()}, 0.06) for _ in range(2))
    for _ in range(4):
        gradient = torch.randn(len(rows), 3, 5, generator=generator)
        kept = gradient.clone()
        loop.update_rows("user", slice(0, 3), loop.touch("user", torch.tensor(rows)), gradient)
        tensors._update_rows_at_once("user", torch.tensor(rows), gradient)
        assert torch.equal(gradient, kept)
    untouched = [row for row in range(16) if row not in rows]
    for one, other, first in zip(
        (loop.parameters, loop.sums),
        (tensors.parameters, tensors.sums),
        (table, torch.full_like(table, 1e-2)),
        strict=True,
    ):
        torch.testing.assert_close(one["user"], other["user"], rtol=1e-5, atol=1e-6)
        assert torch.equal(other["user"][untouched], first[untouched])
        assert not torch.equal(other["user"][rows], first[rows])


def test_rows_are_stepped_to_the_same_bits_where_torch_must_be_deterministic() -> None:
    """Torch refuses what it has no deterministic way for; here it has one for all."""
    found = []
    for strict in (False, True):
        generator = torch.Generator().manual_seed(1)
        optimiser = Adagrad({"user": torch.randn(8, 2, 3, generator=generator)}, 0.06)
        torch.use_deterministic_algorithms(strict)
        try:
            optimiser._update_rows_at_once(
                "user", torch.tensor([1, 4, 1, 1, 4]), torch.randn(5, 2, 3, generator=generator)
            )
        finally:
            torch.use_deterministic_algorithms(False)
        found.append(optimiser.parameters["user"])
    assert torch.equal(*found)
