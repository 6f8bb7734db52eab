"""The kinds of worlds, and the events of one."""

from __future__ import annotations

from collections.abc import Iterator

from lis_online.errors import UsageError
from lis_online.simulate.outbox import Event
from lis_online.simulate.parameters import CommonParameters, WorldParameters
from lis_online.simulate.shop import Shop
from lis_online.simulate.shop_parameters import ShopParameters
from lis_online.simulate.simulation import Simulation
from lis_online.simulate.world import World


def build(parameters: CommonParameters, seed: int, start: int, catalogue: int | None = None) -> Simulation:
    """Return the world of some parameters, its clock at `start`, ms. Raises UsageError for arms or versions amiss.

    catalogue: a seed of its own for items and vectors, so that worlds of other seeds have the same ones.
    """
    if isinstance(parameters, WorldParameters):
        return World(parameters, seed, start, catalogue)
    if isinstance(parameters, ShopParameters):
        return Shop(parameters, seed, start, catalogue)
    raise UsageError(f"parameters must be those of a world or a shop, got {type(parameters).__name__}")


def events_of(world: Simulation, slates: int) -> Iterator[Event]:
    """Yield a world's events in order of arrival until `slates` impressions are out, and what follows from them.

    Memory does not grow with `slates`. Raises UsageError where slates is below 1.
    """
    if slates < 1:
        raise UsageError(f"slates must be >= 1, got {slates}")
    while world.impressions < slates:
        yield from world.step(most=slates - world.impressions)
    yield from world.drain()


def endless(parameters: CommonParameters, seed: int, start: int) -> Iterator[Event]:
    """Yield a world's events in order of arrival, for ever; the caller paces them."""
    world = build(parameters, seed, start)
    while True:
        yield from world.step()
