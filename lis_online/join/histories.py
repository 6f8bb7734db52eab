"""What is known of all users: those active of late as objects, the others packed."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from typing import Final

import numpy as np

from lis_online.join.resting_users import Kept, RestingUsers
from lis_online.join.user import User
from lis_online.join.user_packing import UserPacking
from lis_online.join.user_page import MOST_USERS, PageDraft, UserPage
from lis_online.snapshots.contract import Snapshot
from lis_online.snapshots.steps import Steps

_LONG_AGO: Final = -(2**62)


class Histories:
    """Users by id hash; those idle for too long (event time) are forgotten.

    A forgotten user who comes back is a new one, to the history and to the experiments' arms.

    Users are *awake*, objects in the order of last activity, or they *rest*, packed in pages that do not change
    (`join/resting_users.py`). A snapshot sends all who are awake to rest, a page at a time, and shares the pages: what
    it costs goes by the users that were active since the last one, not by all. Who is active in between wakes up; the
    user as of the snapshot's beginning is packed into a page of the snapshot's own first.
    """

    def __init__(self, idle_limit: int, sets: int, experiments: int, quantities: int = 0) -> None:
        self._idle_limit = idle_limit
        self._packing = UserPacking(sets, experiments, quantities)
        self._clear()

    def _clear(self) -> None:
        self._awake: OrderedDict[int, User] = OrderedDict()
        self._falling_asleep: OrderedDict[int, User] = OrderedDict()
        self._resting = RestingUsers()
        self._aside = PageDraft()
        self._oldest = _LONG_AGO  # nobody's last activity is before it

    def update(self, user: int, now: int) -> User:
        """Note a user's activity at an event time, which never decreases; return the user."""
        oldest = now - self._idle_limit
        if oldest > self._oldest:
            self._forget(oldest)
        awake = self._awake
        known = awake.get(user)
        if known is None:
            known = awake[user] = self._wake(user)
        else:
            awake.move_to_end(user)
        known.last = now
        return known

    def get(self, user: int) -> User | None:
        """Return what is known of a user, to be read."""
        known = self._awake.get(user) or self._falling_asleep.get(user)
        if known is not None:
            return known
        found = self._resting.get(user)
        if found is None:
            return None
        known = self._packing.get(found[0])
        known.last = found[1]
        return known

    def remove(self, users: Sequence[int]) -> None:
        """Forget users now; no later snapshot holds a trace."""
        for user in users:
            self._awake.pop(user, None)
            self._wake(user)
        self._resting.scrub(users)

    def __len__(self) -> int:
        return len(self._awake) + len(self._falling_asleep) + len(self._resting)

    def begin_snapshot(self) -> Steps[Snapshot]:
        """Begin to copy the state; what was begun before and is not complete is given up."""
        if self._falling_asleep:
            self._falling_asleep.update(self._awake)  # in the order of last activity
        else:
            self._falling_asleep = self._awake
        self._awake = OrderedDict()
        self._aside = PageDraft()
        return self._snapshot(self._resting.kept(), self._aside)

    def restore(self, snapshot: Snapshot) -> None:
        """Replace the state; the snapshot's arrays become part of it."""
        self._clear()
        living, at = snapshot.arrays["living"], 0
        for number in range(snapshot.meta["pages"]):
            page = UserPage(snapshot.arrays[f"page.{number}"])
            self._resting.add(page, living[at : at + len(page)].tobytes())
            at += len(page)

    def _snapshot(self, kept: list[Kept], aside: PageDraft) -> Steps[Snapshot]:
        pages: list[UserPage] = []
        living: list[bytes] = []
        yield
        for page, alive in self._resting.merge(kept):
            pages.append(page)
            living.append(alive)
            yield
        while self._falling_asleep:
            pages.append(self._put_to_rest())
            living.append(b"\1" * len(pages[-1]))
            yield
        if len(aside):
            pages.append(UserPage.of(aside))
            living.append(b"\1" * len(aside))
        arrays = {f"page.{number}": page.whole for number, page in enumerate(pages)}
        return Snapshot({"pages": len(pages)}, arrays | {"living": np.frombuffer(b"".join(living), np.uint8)})

    def _put_to_rest(self) -> UserPage:
        """Pack the least recently active users of those who are to rest."""
        draft = PageDraft()
        for _ in range(min(MOST_USERS, len(self._falling_asleep))):
            key, user = self._falling_asleep.popitem(last=False)
            self._pack(key, user, draft)
        page = UserPage.of(draft)
        self._resting.add(page)
        return page

    def _pack(self, key: int, user: User, into: PageDraft) -> None:
        self._packing.append(user, into.numbers)
        into.update(key, user.last)

    def _wake(self, key: int) -> User:
        """Return a user who is not awake, new where unknown."""
        known = self._falling_asleep.pop(key, None)
        if known is not None:
            self._pack(key, known, self._aside)
            return known
        row = self._resting.pop(key)
        return User(*self._packing.shape) if row is None else self._packing.get(row)

    def _forget(self, oldest: int) -> None:
        """Forget those whose last activity is before a time."""
        firsts = [first for first in (self._resting.forget(oldest),) if first is not None]
        for users in (self._falling_asleep, self._awake):
            while users:
                key = next(iter(users))
                if users[key].last >= oldest:
                    firsts.append(users[key].last)
                    break
                user = users.pop(key)
                if users is self._falling_asleep:
                    self._pack(key, user, self._aside)
        self._oldest = min(firsts, default=oldest)
