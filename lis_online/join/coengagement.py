"""Built-in preference sources: an action pairs its item with the user's last engaged items."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import blake2b
from struct import pack

from lis_online.events.hashing import salt_of
from lis_online.join.columns import PairColumns
from lis_online.join.user import User
from lis_online.settings import Settings


@dataclass(frozen=True, slots=True)
class Source:
    """One co-engagement source. index: in the settings' order; salt: of its name; number: of its actions; gap in ms."""

    index: int
    salt: int
    number: int
    gap: int
    partners: int


class CoEngagement:
    """The co-engagement sources, by action. Sources on the same actions share the users' lists."""

    def __init__(self, settings: Settings) -> None:
        actions = settings.events.actions
        sets: dict[frozenset[str], int] = {}
        self._by_action: list[list[Source]] = [[] for _ in actions]
        kept: dict[int, int] = {}
        for index, given in enumerate(settings.preference):
            if given.kind != "co_engagement":
                continue
            number = sets.setdefault(frozenset(given.actions), len(sets))
            kept[number] = max(given.partners + 1, kept.get(number, 0))  # one more: the item itself
            source = Source(index, salt_of(given.name), number, given.gap, given.partners)
            for action in set(given.actions):
                self._by_action[actions.index(action)].append(source)
        self._kept = [kept[number] for number in range(len(kept))]
        self._actions = [sorted(actions) for actions in sets]
        self._sets_of = [sorted({source.number for source in sources}) for sources in self._by_action]

    @property
    def sets(self) -> int:
        """How many lists of items a user has."""
        return len(self._kept)

    @property
    def actions(self) -> list[list[str]]:
        """The actions behind each list of items."""
        return self._actions

    def pair(self, user_id: int, user: User, item: int, action: int, ts: int, pairs: PairColumns) -> None:
        """Append the pairs of an action at ts: with each of the last distinct items, the latest first."""
        for source in self._by_action[action]:
            left, click = source.partners, 0
            for other, time in reversed(user.recent[source.number].items()):
                if ts - time > source.gap or not left:
                    break
                if other != item:
                    click = click or click_hash(user_id, item, ts, source.salt)
                    pairs.update(ts, source.index, other, item, user_id, click)
                    left -= 1

    def update(self, user: User, item: int, action: int, now: int) -> None:
        """Note the action in the user's lists."""
        for number in self._sets_of[action]:
            user.touch(number, item, now, self._kept[number])


def click_hash(*parts: int) -> int:
    """Return what pairs of one action share: a hash of 64-bit numbers, never 0.

    >>> click_hash(1, 2, 3, 0) == click_hash(1, 2, 3, 0), click_hash(1, 2, 3, 0) == click_hash(1, 2, 3, 1)
    (True, False)
    """
    return int.from_bytes(blake2b(pack(f"<{len(parts)}q", *parts), digest_size=8).digest(), "little", signed=True) or 1
