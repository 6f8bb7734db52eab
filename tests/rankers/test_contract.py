"""The contract: every network of ours keeps every rule, and each rule can be broken."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from typing import Any

import numpy as np
import pytest
import torch

from lis_online import rankers
from lis_online.rankers.checks import CPU
from lis_online.rankers.contract import RULES, findings
from lis_online.rankers.group import RankerGroup
from lis_online.rankers.load import untried_network
from lis_online.rankers.module_network import PREFIX
from lis_online.rankers.network import Network, Shape
from lis_online.rankers.planted import planted_steps
from lis_online.rankers.shipped import SHIPPED
from lis_online.rankers.wide_and_deep import StackedWideAndDeep, WideAndDeep
from tests.rankers import broken

SHAPE = Shape(rows=(64, 64, 64, 64), embedding=8, hidden=(64, 32), dense=21, side=3)
GOOD = [f"tests.rankers.broken:{name}" for name in ("Plain", "Tower", "FewIds")]
THIN = Shape(rows=(64, 64, 64, 64), embedding=3, hidden=(5,), dense=4, side=1)


def written_here() -> list[str]:
    """Return the place of every module and network class in the package, found by looking."""
    found = []
    for info in pkgutil.iter_modules(rankers.__path__, f"{rankers.__name__}."):
        for name, one in inspect.getmembers(importlib.import_module(info.name), inspect.isclass):
            is_network = issubclass(one, torch.nn.Module) or {"initial", "forward"} <= set(dir(one))
            if one.__module__ == info.name and is_network and name not in ("Network", "Derived", "ModuleNetwork"):
                found.append(f"{info.name}:{name}")
    return found


def network(place: str, shape: Shape = SHAPE) -> Network:
    """Return the network of a place."""
    return untried_network(place, shape, CPU)


def test_what_is_shipped_is_found_by_looking() -> None:
    """A network that nobody named would escape the suite below."""
    assert set(SHIPPED.values()) < set(written_here())
    assert len(written_here()) == len(SHIPPED) + 1  # and the default as a module


@pytest.mark.parametrize("place", [*written_here(), *GOOD])
@pytest.mark.parametrize("rule", [rule.name for rule in RULES])
def test_every_network_keeps_every_rule(place: str, rule: str) -> None:
    """Whoever ships a network ships one that LIS can be measured with."""
    (finding,) = findings(network(place), (rule,))
    assert finding.broken is None, f"{finding.rule.sentence}: {finding.broken}"


@pytest.mark.parametrize("place", written_here())
@pytest.mark.parametrize("rule", ["call", "gradients", "isolation", "side", "snapshot"])
def test_other_sizes_keep_the_rules_too(place: str, rule: str) -> None:
    """One hidden layer, one side feature, odd widths: the rules are about the network, not about its sizes."""
    (finding,) = findings(network(place, THIN), (rule,))
    assert finding.broken is None, f"{finding.rule.sentence}: {finding.broken}"


@pytest.mark.parametrize(("factory", "rule", "said"), broken.BROKEN)
def test_each_rule_can_be_broken(factory: type, rule: str, said: str) -> None:
    """A rule that nothing breaks checks nothing; what is found is said in words."""
    (finding,) = findings(network(f"tests.rankers.broken:{factory.__name__}"), (rule,))
    assert finding.broken is not None and said in finding.broken
    assert finding.rule.advice


def test_every_rule_is_broken_by_somebody() -> None:
    """The list of offenders covers the contract."""
    assert {rule for _, rule, _ in broken.BROKEN} == {rule.name for rule in RULES}


def test_nothing_is_tried_on_what_cannot_be_called() -> None:
    """Five broken rules that follow from the first would hide it."""
    assert [finding.rule.name for finding in findings(network("tests.rankers.broken:Column"))] == ["call"]


def test_the_default_as_a_module_gives_the_bits_of_the_stacked_one() -> None:
    """What is written by hand over the ranker dimension is what `torch.func` makes of the module for one ranker."""

    class ByHand(StackedWideAndDeep):
        def forward(self, *arguments: Any) -> torch.Tensor:  # its own, so that torch derives it
            return super().forward(*arguments)

    by_hand, by_transform = ByHand(SHAPE), network(f"{WideAndDeep.__module__}:WideAndDeep")
    first, second = (RankerGroup(one, [0, 1, 0], 0.06, 160, CPU) for one in (by_hand, by_transform))
    renamed = {name: f"{PREFIX}weights.{name}" for name in first.parameters}
    for name, value in first.parameters.items():
        second.parameters[renamed[name] if renamed[name] in second.parameters else name].copy_(value)
    for step in planted_steps(SHAPE, 8, 160):
        assert np.array_equal(first.step(*step.of([0, 1, 2])), second.step(*step.of([0, 1, 2])))


def test_seeding_a_module_leaves_torchs_own_random_state_alone() -> None:
    """Somebody else's draws do not depend on whether a ranker was made between them."""
    torch.manual_seed(3)
    expected = torch.rand(2)
    torch.manual_seed(3)
    network("dcn-v2").initial(7)
    assert torch.equal(torch.rand(2), expected)
