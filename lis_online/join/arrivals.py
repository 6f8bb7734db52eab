"""Events into integers: ids become hashes, names become indices, once, on arrival."""

from __future__ import annotations

from array import array
from typing import NamedTuple

from lis_online.events.hashing import NO_ID, id_hash
from lis_online.events.person_hashes import PersonHashes
from lis_online.events.wire import Feedback, Impression, ItemAttributes
from lis_online.join.pending import Pending
from lis_online.settings import Settings

UNKNOWN_AGE = -1


class Action(NamedTuple):
    """One feedback record in integers. action: index in the settings' order; late: behind its partition's watermark."""

    ts: int
    request: int
    user: int
    item: int
    action: int
    value: float
    late: bool


class Arrivals:
    """The settings' names, by which impressions and feedback become integers."""

    def __init__(self, settings: Settings) -> None:
        events = settings.events
        self._persons = PersonHashes(settings.privacy)
        self._surfaces = {name: index for index, name in enumerate(events.surfaces)}
        self._actions = {name: index for index, name in enumerate(events.actions)}
        self._length = events.history_length
        self._experiments = {e.name: index for index, e in enumerate(settings.experiment)}
        self._arms = [{arm.name: index for index, arm in enumerate(e.arm)} for e in settings.experiment]
        self._no_arms = (-1,) * len(settings.experiment)

    def impression(self, event: Impression) -> Pending:
        """Return a decoded impression in integers."""
        surface = self._surfaces.get(event.surface, len(self._surfaces))
        items = array("q", map(id_hash, event.items))
        persons = self._persons
        pending = Pending(event.ts, persons.request(event.request_id), persons.user(event.user_id), surface, items)
        pending.odd_surface = surface == len(self._surfaces)
        pending.arms = pending.counted = self._no_arms
        if event.experiments:
            self._set_arms(pending, event.experiments)
        if event.positions is not None:
            pending.positions = array("h", event.positions)
        if event.history:
            pending.history = array("q", map(id_hash, event.history[-self._length :]))
        if event.item_attributes:
            self._set_attributes(pending, event.items, event.item_attributes)
        return pending

    def action(self, event: Feedback, late: bool) -> Action | None:
        """Return decoded feedback in integers, None for an unknown action."""
        action = self._actions.get(event.action)
        if action is None:
            return None
        request, user = self._persons.request(event.request_id), self._persons.user(event.user_id)
        return Action(event.ts, request, user, id_hash(event.item_id), action, event.value, late)

    def _set_arms(self, pending: Pending, experiments: dict[str, str]) -> None:
        arms = list(self._no_arms)
        for name, arm in experiments.items():
            index = self._experiments.get(name)
            known = None if index is None else self._arms[index].get(arm)
            if index is None or known is None:
                pending.odd_arm = True
            else:
                arms[index] = known
        pending.arms = tuple(arms)

    def _set_attributes(self, pending: Pending, items: list[str], attributes: dict[str, ItemAttributes]) -> None:
        author = self._persons.author
        known = [attributes.get(item, _NOTHING) for item in items]
        pending.authors = array("q", [author(a.author) if a.author else NO_ID for a in known])
        pending.categories = array("q", [id_hash(a.category) if a.category else NO_ID for a in known])
        pending.ages = array("q", [_age(a.created_ts, pending.ts) for a in known])


def _age(created: int | None, ts: int) -> int:
    return ts - created if created is not None and 0 <= created <= ts else UNKNOWN_AGE


_NOTHING = ItemAttributes()
