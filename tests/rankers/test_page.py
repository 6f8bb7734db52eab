"""docs/rankers.md: its example works, its lists are whole."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

from lis_online.rankers.checks import CPU
from lis_online.rankers.contract import RULES, findings
from lis_online.rankers.health import BLOCK, BLOCKS, EVERY, LOGIT_BOUND, MARGIN, PATIENCE, REASONS, WEIGHT_BOUND
from lis_online.rankers.module_network import ModuleNetwork
from lis_online.rankers.network import Shape
from lis_online.rankers.shipped import SHIPPED
from tests.documents import ROOT, blocks

PAGE = (ROOT / "docs" / "rankers.md").read_text(encoding="utf-8")
SHAPE = Shape(rows=(64, 64, 64, 64), embedding=8, hidden=(64, 32), dense=21, side=3)


def test_the_example_keeps_the_contract() -> None:
    """Whoever copies it starts from a ranker that passes every rule."""
    (code,) = [block.text for block in blocks("python") if block.where == "docs/rankers.md"]
    space: dict[str, Any] = {}
    exec(compile(code, "docs/rankers.md", "exec"), space)
    for shape in (SHAPE, replace(SHAPE, hidden=(8,), side=1)):
        found = findings(ModuleNetwork(space["Small"], shape, CPU))
        assert [(one.rule.name, one.broken) for one in found if one.broken is not None] == []


def test_every_rule_reason_and_network_is_on_the_page() -> None:
    """A rule that is broken is looked up here."""
    for name in (*[rule.name for rule in RULES], *SHIPPED, *filter(None, REASONS)):
        assert f"`{name}`" in PAGE, name


def test_the_bounds_on_the_page_are_those_of_the_code() -> None:
    """A number that has moved on in the code must move on in the text."""
    health = PAGE[PAGE.index("## Health") :]
    numbers = re.findall(r"\d[\d,.]*\d|\d", health[: health.index("What is there")])
    wanted = (EVERY, WEIGHT_BOUND, LOGIT_BOUND, PATIENCE, PATIENCE, BLOCKS, BLOCK, MARGIN)
    assert [float(number.replace(",", "")) for number in numbers] == [float(value) for value in wanted]
