"""Events into integers: ids become hashes, names become indices, once, on arrival."""

from __future__ import annotations

from array import array
from collections.abc import Callable
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
        """Note what is known of each item, in the order of the slate, which most often is that of the attributes."""
        if list(attributes) == items:
            known = list(attributes.values())
        else:
            known = [attributes.get(item, _NOTHING) for item in items]
        ts = pending.ts
        pending.authors = _hashes([a.author for a in known], self._persons.author)
        pending.categories = _hashes([a.category for a in known], id_hash)
        created = [a.created_ts for a in known]
        pending.ages = array("q", [UNKNOWN_AGE if c is None or not 0 <= c <= ts else ts - c for c in created])


def _hashes(ids: list[str | None], hash_of: Callable[[str], int]) -> array[int]:
    if all(ids):
        return array("q", map(hash_of, ids))  # type: ignore[arg-type]  # none is None
    return array("q", [hash_of(one) if one else NO_ID for one in ids])


_NOTHING = ItemAttributes()
