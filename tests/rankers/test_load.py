"""A ranker of one's own by its name, and the sentence where that does not work."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
import torch

from lis_online.errors import SettingsError
from lis_online.rankers.load import network_of, untried_network
from lis_online.rankers.module_network import ModuleNetwork
from lis_online.rankers.network import Shape
from lis_online.rankers.shipped import SHIPPED
from tests.rankers.broken import Coupled

CPU = torch.device("cpu")
SHAPE = Shape(rows=(16, 16, 16, 16), embedding=4, hidden=(8,), dense=9, side=3)


@pytest.mark.parametrize("name", SHIPPED)
def test_a_shipped_name_is_a_network(name: str) -> None:
    """What the settings may name is there, for the features that the settings give."""
    shape = network_of(name, SHAPE, CPU).shape
    assert (shape.rows, shape.dense, shape.side) == (SHAPE.rows, SHAPE.dense, SHAPE.side)


def test_a_module_of_ones_own_is_stacked() -> None:
    """By the place of its factory."""
    assert isinstance(network_of("tests.rankers.broken:Plain", SHAPE, CPU), ModuleNetwork)


def test_a_whole_network_of_ones_own_is_taken_as_it_is() -> None:
    """Whoever writes over the ranker dimension by hand may."""
    assert isinstance(untried_network("tests.rankers.broken:Coupled", SHAPE, CPU), Coupled)


def test_a_module_in_the_working_folder_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file beside the settings is enough; it hides nothing that is installed."""
    (tmp_path / "of_my_own.py").write_text("from tests.rankers.broken import Plain as mine\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    assert isinstance(network_of("of_my_own:mine", SHAPE, CPU), ModuleNetwork)
    assert sys.path[-1] == str(tmp_path)


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("deepfm", "must be one of wide-and-deep, dcn-v2, logistic or package.module:factory, got 'deepfm'"),
        (
            "no_such_package.rank:deepfm",
            "must be a factory that can be imported, got 'no_such_package.rank:deepfm': ModuleNotFoundError: "
            "No module named 'no_such_package'",
        ),
        (
            "tests.rankers.broken:lost",
            "must be a factory that can be imported, got 'tests.rankers.broken:lost': AttributeError: "
            "module 'tests.rankers.broken' has no attribute 'lost'",
        ),
        ("tests.rankers.broken:number", "must be a factory, got 'tests.rankers.broken:number': int"),
        (
            "tests.rankers.broken:nothing",
            "must return a torch.nn.Module, got NoneType of 'tests.rankers.broken:nothing'",
        ),
        (
            "tests.rankers.broken:raising",
            "must make a module from a Shape, got 'tests.rankers.broken:raising': RuntimeError: no room for 9",
        ),
        (
            "tests.rankers.broken:Column",
            "must keep the rule 'forward(embedded, dense, side) gives one finite float32 logit for each sample, under "
            "torch.func.vmap', got 'tests.rankers.broken:Column': logits of 64 samples have shape [64, 1]",
        ),
        (
            "tests.rankers.broken:Unused",
            "must keep the rule 'every parameter has a gradient', got 'tests.rankers.broken:Unused': "
            "module.lost has none",
        ),
    ],
)
def test_what_cannot_be_used_is_refused_in_one_sentence(name: str, sentence: str) -> None:
    """The setting, the rule, the value, and what Python or torch said of it."""
    with pytest.raises(SettingsError) as caught:
        network_of(name, SHAPE, CPU)
    assert str(caught.value) == f"settings: training.ranker: {sentence}"
