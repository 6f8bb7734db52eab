"""Answers from the history."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from lis_online.api.answers import ArmLifts, Arms, Experiment, Lis
from lis_online.api.errors import NotFoundError
from lis_online.api.limits import Slots, check_length
from lis_online.experiments.analysis import Plan
from lis_online.history.configuration import find_configuration, list_configurations
from lis_online.history.engine import transaction
from lis_online.history.experiments import moments_at, moments_over_time
from lis_online.history.range_json import range_json
from lis_online.history.ranges import range_numbers
from lis_online.history.stored import Group
from lis_online.history.stored_settings import settings_of
from lis_online.history.times import iso
from lis_online.review.arms import Arms as ReviewArms
from lis_online.review.document import Review
from lis_online.review.gather import review
from lis_online.review.request import ReviewRequest
from lis_online.settings import Settings
from lis_online.settings.model import ExperimentSettings

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine

Times = tuple[int | None, int | None]
"""Begin and end of a range, ms since 1970; None: open."""


@dataclass(frozen=True, slots=True)
class Under:
    """A configuration of the history and the settings that its numbers are read by."""

    configuration: int
    settings: Settings

    def experiment(self, name: str) -> ExperimentSettings:
        """Return an experiment. Raises NotFoundError naming those that there are."""
        found = {one.name: one for one in self.settings.experiment}
        if name not in found:
            raise NotFoundError(f"experiment must be one of {sorted(found)}, got {name!r}")
        return found[name]


@dataclass(frozen=True)
class Reader:
    """The history, as questions are asked of it. clock: ms since 1970, for when a review was made."""

    engine: Engine
    settings: Settings
    clock: Callable[[], int]
    slots: Slots

    def review(
        self, name: str, times: Times, slice_: str, zone: ZoneInfo | None, wanted: int | None, against: int | None
    ) -> Review:
        """Return an experiment's review."""
        with self.slots.taken():
            with transaction(self.engine) as connection:
                under = self._under(connection, wanted)
                if against is not None:
                    self._under(connection, against, "against")
            under.experiment(name)
            made_at = self.clock()
            request = ReviewRequest(name, *times, slice_, zone, under.configuration, against, made_at)
            start, end = times
            if start is not None:
                until = made_at if end is None else end
                for one in filter(None, (under.configuration, against)):
                    check_length(self.engine, one, start, until)
            return review(self.engine, self.settings, request)

    def lis(self, start: int, end: int, slices: Sequence[str], zone: ZoneInfo | None, wanted: int | None) -> Lis:
        """Return the numbers of a range."""
        with self.slots.taken():
            with transaction(self.engine) as connection:
                under = self._under(connection, wanted)
            check_length(self.engine, under.configuration, start, end)
            found = range_numbers(self.engine, Group(under.configuration), start, end, list(dict.fromkeys(slices)))
            return Lis.model_validate(range_json(found, zone))

    def arms(self, name: str | None, at: int | None, zone: ZoneInfo | None, wanted: int | None) -> list[Arms]:
        """Return the arms of one experiment or of all, as of a time."""
        with transaction(self.engine) as connection:
            under = self._under(connection, wanted)
            chosen = under.settings.experiment if name is None else [under.experiment(name)]
            return [_arms(connection, under, one, at, zone) for one in chosen]

    def experiments(self, zone: ZoneInfo | None, wanted: int | None) -> list[Experiment]:
        """Return what is declared, and since when the history knows it."""
        with transaction(self.engine) as connection:
            under = self._under(connection, wanted)
            return [_experiment(connection, under, one, zone) for one in under.settings.experiment]

    def check(self) -> None:
        """Raise HistoryError where the history cannot be reached or has another schema."""
        with transaction(self.engine) as connection:
            list_configurations(connection)

    def _under(self, connection: Connection, wanted: int | None, argument: str = "configuration") -> Under:
        """Return the configuration that was asked for, else that of the settings. Raises NotFoundError."""
        found = list_configurations(connection)
        own = find_configuration(connection, self.settings)
        if wanted is not None and wanted not in found:
            raise NotFoundError(f"{argument} must be one of {found}, got {wanted}")
        if wanted is not None and wanted != own:
            return Under(wanted, settings_of(connection, wanted))
        if own is not None:
            return Under(own, self.settings)
        if not found:
            raise NotFoundError("the history is empty: numbers come with the first bucket")
        raise NotFoundError(f"nothing was written under these settings: configuration must be one of {found}")


def _arms(connection: Connection, under: Under, one: ExperimentSettings, at: int | None, zone: ZoneInfo | None) -> Arms:
    stored = moments_at(connection, under.configuration, one.name, at)
    if stored is None:
        when = "yet" if at is None else f"by {iso(at, zone)}"
        return Arms(experiment=one.name, configuration=under.configuration, control=one.control, time=None,
                    sample_ratio=None, guardrails=(), arms=(),
                    reason=f"the history knows no user of {one.name} {when}")  # fmt: skip
    found = ReviewArms.of(Plan.of(one), stored)
    shown = found.get({arm.name: "" for arm in one.arm})
    fields = tuple(ArmLifts.model_fields)
    return Arms(
        experiment=one.name,
        configuration=under.configuration,
        control=one.control,
        time=iso(stored.time, zone),
        sample_ratio=found.sample_ratio(None),
        guardrails=found.guardrails(),
        arms=tuple(ArmLifts(**{field: getattr(arm, field) for field in fields}) for arm in shown),
    )


def _experiment(connection: Connection, under: Under, one: ExperimentSettings, zone: ZoneInfo | None) -> Experiment:
    times = [
        iso(found.time, zone) for found in moments_over_time(connection, under.configuration, one.name, None, None, 2)
    ]
    return Experiment.model_validate(
        {
            "experiment": one.name,
            "configuration": under.configuration,
            "control": one.control,
            "arms": [{"arm": arm.name, "share": arm.share, "variant": arm.variant} for arm in one.arm],
            "metrics": [metric.name for metric in one.metric],
            "first": times[0] if times else None,
            "last": times[-1] if times else None,
            "reason": None if times else "the history knows no user yet",
        }
    )
