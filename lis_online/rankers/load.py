"""The network that the setting `training.ranker` names."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from lis_online.errors import SettingsError
from lis_online.rankers.contract import QUICK, findings
from lis_online.rankers.module_network import ModuleNetwork, seeded
from lis_online.rankers.network import Network, Shape
from lis_online.rankers.shipped import SHIPPED, is_ranker

SETTING = "training.ranker"

SMALL = (64, 64, 64, 64)
"""Rows of tables for trying a network: how many there are is no business of its."""


def untried_network(name: str, shape: Shape, device: torch.device) -> Network:
    """Return the network of a shipped name or of "package.module:factory".

    factory(shape) returns a torch module for one ranker, or a whole `Network`. Raises SettingsError when there is no
    such factory or it returns something else.
    """
    factory = _factory(name)
    try:
        made = seeded(0, lambda: factory(shape))
    except Exception as exc:  # whatever a user's code raises
        raise _refused(f"must make a module from a Shape, got {name!r}: {type(exc).__name__}: {exc}") from exc
    if isinstance(made, torch.nn.Module):
        return ModuleNetwork(factory, shape, device)
    if isinstance(made, Network):
        return made
    raise _refused(f"must return a torch.nn.Module, got {type(made).__name__} of {name!r}")


def network_of(name: str, shape: Shape, device: torch.device) -> Network:
    """Return the network that `untried_network` does; one of your own has passed the rules that cost milliseconds.

    `lis-online rankers check` tries all of them. Raises SettingsError with the first that is broken.
    """
    if name not in SHIPPED:
        for finding in findings(untried_network(name, replace(shape, rows=SMALL), torch.device("cpu")), QUICK):
            if finding.broken is not None:
                raise _refused(f"must keep the rule {finding.rule.sentence!r}, got {name!r}: {finding.broken}")
    return untried_network(name, shape, device)


def _factory(name: str) -> Callable[[Shape], Any]:
    if not is_ranker(name):
        raise _refused(f"must be one of {', '.join(SHIPPED)} or package.module:factory, got {name!r}")
    module, _, attribute = SHIPPED.get(name, name).partition(":")
    here = str(Path.cwd())
    if here not in sys.path:
        sys.path.append(here)  # last, so that nothing there hides an installed module
    try:
        found = getattr(importlib.import_module(module), attribute)
    except Exception as exc:  # whatever a user's module raises
        raise _refused(f"must be a factory that can be imported, got {name!r}: {type(exc).__name__}: {exc}") from exc
    if not callable(found):
        raise _refused(f"must be a factory, got {name!r}: {type(found).__name__}")
    factory: Callable[[Shape], Any] = found
    return factory


def _refused(sentence: str) -> SettingsError:
    return SettingsError([(SETTING, sentence)])
