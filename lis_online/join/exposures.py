"""Which experiments an impression counts for: those that have begun, and whose trigger it meets."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import repeat

from lis_online.events.hashing import NO_ID, id_hash
from lis_online.events.person_hashes import PersonHashes
from lis_online.join.pending import Pending
from lis_online.settings import Settings
from lis_online.settings.model import TriggerSettings

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Exposures:
    """The experiments' starts and triggers."""

    def __init__(self, settings: Settings) -> None:
        surfaces, experiments = settings.events.surfaces, settings.experiment
        persons = PersonHashes(settings.privacy)
        self._starts = [0 if e.start is None else first_ms(e.start) for e in experiments]
        self._latest = max(self._starts, default=0)
        self._triggers = [None if e.trigger is None else Trigger(e.trigger, surfaces, persons) for e in experiments]
        self._always = None if any(self._triggers) else (True,) * len(experiments)

    def get(self, impression: Pending) -> tuple[tuple[int, ...], tuple[bool, ...]]:
        """Return, for each experiment, the arm carried, -1 for none or before the start, and whether it triggers."""
        arms = impression.arms
        if impression.ts < self._latest:
            arms = tuple(-1 if impression.ts < start else arm for arm, start in zip(arms, self._starts, strict=True))
        if self._always is not None:
            return arms, self._always
        return arms, tuple(one is None or one.is_met(impression) for one in self._triggers)


class Trigger:
    """One trigger: all that it names must hold, what it names of items of one item of the slate."""

    def __init__(self, settings: TriggerSettings, surfaces: list[str], persons: PersonHashes) -> None:
        self._surfaces = {surfaces.index(name) for name in settings.surfaces if name in surfaces}
        self._any_surface = not settings.surfaces
        self._items, self._categories = (frozenset(map(id_hash, ids)) for ids in (settings.items, settings.categories))
        self._authors = frozenset(map(persons.author, settings.authors))
        self._any_item = not (self._items or self._categories or self._authors)

    def is_met(self, impression: Pending) -> bool:
        """Say whether an impression meets it."""
        if not (self._any_surface or impression.surface in self._surfaces):
            return False
        if self._any_item:
            return True
        nothing = repeat(NO_ID)
        slate = zip(impression.items, impression.categories or nothing, impression.authors or nothing, strict=False)
        return any(
            (not self._items or item in self._items)
            and (not self._categories or category in self._categories)
            and (not self._authors or author in self._authors)
            for item, category, author in slate
        )


def first_ms(start: datetime) -> int:
    """Return the first whole millisecond since 1970 that is not before a time.

    >>> first_ms(datetime(1970, 1, 1, 0, 0, 1, 1, tzinfo=UTC))
    1001
    """
    return -((EPOCH - start) // timedelta(milliseconds=1))
