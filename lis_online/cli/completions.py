"""Values that the shell completes: names of the settings file that -c gives, and words that there are few of.

A settings file that is missing or wrong completes nothing: what is wrong with it is said when the command runs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

import typer

from lis_online.errors import LisError
from lis_online.settings import Settings, load

if TYPE_CHECKING:
    from pathlib import Path

Complete = Callable[[typer.Context, str], list[str]]


def words(found: Callable[[], Iterable[str]]) -> Complete:
    """Return a completion of words that are always the same."""

    def complete(ctx: typer.Context, incomplete: str) -> list[str]:
        return [word for word in found() if word.startswith(incomplete)]

    return complete


def names(of: Callable[[Settings], Iterable[str]]) -> Complete:
    """Return a completion of names in the settings."""

    def complete(ctx: typer.Context, incomplete: str) -> list[str]:
        config: Path | None = ctx.params.get("config")
        try:
            return [name for name in of(load(config)) if name.startswith(incomplete)]
        except LisError:
            return []

    return complete


def _slices(settings: Settings) -> list[str]:
    arms = [f"arm:{one.name}/{arm.name}" for one in settings.experiment for arm in one.arm]
    return ["all", *(f"surface:{name}" for name in settings.events.surfaces), *arms]


def _windows(settings: Settings) -> list[str]:
    from lis_online.history.windows import NAMES, window_name

    return [*(window_name(length) for length in settings.metrics.windows), *NAMES.values()]


def _rankers(settings: Settings) -> list[str]:
    from lis_online.metrics.layout import SLOT, Layout

    return [name for name in Layout.of(settings).rankers if SLOT not in name]


def _scenarios() -> list[str]:
    from lis_online.simulate.scenarios import SCENARIOS

    return sorted(SCENARIOS)


def _reasons() -> Iterable[str]:
    from lis_online.events.reasons import REFUSED

    return REFUSED


def _networks() -> Iterable[str]:
    from lis_online.rankers.shipped import SHIPPED

    return SHIPPED


def _zones() -> list[str]:
    from zoneinfo import available_timezones

    return sorted(available_timezones())


variants = names(lambda settings: (one.name for one in settings.variant))
experiments = names(lambda settings: (one.name for one in settings.experiment))
slices = names(_slices)
windows = names(_windows)
rankers = names(_rankers)
scenarios = words(_scenarios)
reasons = words(_reasons)
networks = words(_networks)
zones = words(_zones)
