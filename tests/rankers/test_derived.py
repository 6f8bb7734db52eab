"""Gradients written by hand against torch's automatic differentiation."""

from __future__ import annotations

import pytest
import torch

from lis_online.rankers.network import TABLES, Embedded, Learnt, Shape, derived, ranker_dimension, stack_rankers
from lis_online.rankers.wide_and_deep import StackedWideAndDeep

SAMPLES = 37


def drawn(shape: Shape, rankers: int) -> dict[str, torch.Tensor]:
    """Return parameters of which none is 0, as the side block's and the logit's columns are at first."""
    generator = torch.Generator().manual_seed(3)
    parameters = stack_rankers([StackedWideAndDeep(shape).initial(seed) for seed in range(rankers)])
    return {name: torch.randn(value.shape, generator=generator) * 0.3 for name, value in parameters.items()}


def by_torch(
    network: StackedWideAndDeep, parameters: dict[str, torch.Tensor], rows: torch.Tensor, *features: torch.Tensor
) -> Learnt:
    """Return what `learn` should: logits, and gradients of the sum of squares of the logits."""
    leaves = {name: value.clone().requires_grad_() for name, value in parameters.items() if name not in TABLES}
    embedded = [parameters[name][rows[k]].requires_grad_() for k, name in enumerate(TABLES)]
    logits = network.forward(leaves, Embedded(*embedded), *features)
    inputs = [*leaves.values(), *embedded]
    gradients = torch.autograd.grad((logits**2).sum(), inputs, materialize_grads=True)
    return Learnt(logits.detach(), dict(zip(leaves, gradients, strict=False)), list(gradients[len(leaves) :]))


@pytest.mark.parametrize("hidden", [(), (7,), (16, 5), (9, 8, 3)])
@pytest.mark.parametrize("embedding", [0, 1, 6])
def test_gradients_are_those_of_automatic_differentiation(hidden: tuple[int, ...], embedding: int) -> None:
    """Of every parameter and row, in networks of several depths and odd widths, ids that come again included.

    Some rankers of many are asked for, as a thread asks.
    """
    shape = Shape((5, 6, 3, 2), embedding, hidden, dense=4, side=3)
    rankers, some = 5, slice(1, 4)
    network, parameters = StackedWideAndDeep(shape), drawn(shape, rankers)
    assert derived(network) is network
    generator = torch.Generator().manual_seed(1)
    rows = torch.stack([torch.randint(0, size, (SAMPLES,), generator=generator) for size in shape.rows])
    dense, side = torch.randn(SAMPLES, 4, generator=generator), torch.randn(rankers, SAMPLES, 3, generator=generator)
    got = network.learn(some, parameters, rows, dense, side, lambda logits: 2 * logits)
    own = {name: value.movedim(ranker_dimension(name), 0)[some] for name, value in parameters.items()}
    own = {name: value.movedim(0, ranker_dimension(name)).contiguous() for name, value in own.items()}
    expected = by_torch(network, own, rows, dense, side[some])
    torch.testing.assert_close(got.logits, expected.logits, rtol=1e-4, atol=1e-5)
    assert got.of_weights.keys() == expected.of_weights.keys()
    for name, gradient in expected.of_weights.items():
        torch.testing.assert_close(got.of_weights[name], gradient, rtol=1e-3, atol=1e-3)
    for ours, theirs in zip(got.of_rows, expected.of_rows, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-3, atol=1e-4)


def test_what_is_not_a_number_stays_visible() -> None:
    """A unit that is silent below 0 must not hide a weight that is not a number: the ranker is set aside by it."""
    shape = Shape((5, 6, 3, 2), 2, (7, 4), dense=4, side=3)
    network, parameters = StackedWideAndDeep(shape), drawn(shape, 2)
    parameters["weight0"][1, 0, 0] = float("nan")
    rows, dense, side = torch.zeros(4, SAMPLES, dtype=torch.int64), torch.ones(SAMPLES, 4), torch.ones(2, SAMPLES, 3)
    logits = network.learn(slice(0, 2), parameters, rows, dense, side, lambda logits: logits).logits
    assert torch.isfinite(logits[0]).all()
    assert torch.isnan(logits[1]).all()


def test_another_forward_pass_does_not_learn_by_inherited_gradients() -> None:
    """Who takes the default network and changes what it computes gets torch's gradients of that."""

    class Other(StackedWideAndDeep):
        def forward(
            self, parameters: dict[str, torch.Tensor], embedded: Embedded, dense: torch.Tensor, side: torch.Tensor
        ) -> torch.Tensor:
            return 2 * super().forward(parameters, embedded, dense, side)

    assert derived(Other(Shape((5, 6, 3, 2), 2, (7, 4), dense=4, side=3))) is None
