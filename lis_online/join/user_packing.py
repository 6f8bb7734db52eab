"""A user in one run of 64-bit numbers and back: a tenth of the memory of the objects, and what a checkpoint holds.

engaged items and how wide a total is; items; times
for each set of actions: items, their number before them; times
for each experiment: 0 where the user is not in it; else arm and number of columns; arms seen; columns
running totals, where there are any
"""

from __future__ import annotations

from array import array
from collections.abc import Sequence

from lis_online.experiments.moments import UserTotals
from lis_online.join.user import User

_BITS = 8
"""Of the smaller one of two numbers that share 64 bits: an arm (at most 64) or a width."""

_ARM = 2
"""Added to an arm's index, which may be -1 (crossed): 0 says that there is none."""


class UserPacking:
    """Users of one shape: how many sets of actions, experiments and running totals they have.

    >>> packing, packed = UserPacking(1, 0, 0), array("q")
    >>> user = User(1, 0, 0)
    >>> user.engage(5, 70, 20)
    >>> packing.append(user, packed)
    >>> packed.tolist(), packing.get(packed).items.tolist()
    ([257, 5, 70, 0], [5])
    """

    def __init__(self, sets: int, experiments: int, quantities: int) -> None:
        self.shape = (sets, experiments, quantities)

    def append(self, user: User, into: array[int]) -> None:
        """Append a user's numbers, all but the time of the last activity."""
        start, width = len(into), 1
        while True:
            try:
                return _append(user, into, width)
            except OverflowError:  # a total beyond 64 bits
                del into[start:]
                width += 1

    def get(self, row: array[int]) -> User:
        """Return the user of the numbers of `append`."""
        sets, experiments, quantities = self.shape
        user = User(0, 0)
        count, width = row[0] >> _BITS, row[0] & 255
        at = 1 + 2 * count
        user.items, user.times = row[1 : 1 + count], row[1 + count : at]
        for _ in range(sets):
            middle = at + 1 + row[at]
            end = middle + row[at]
            user.recent.append(dict(zip(row[at + 1 : middle], row[middle:end], strict=True)))
            at = end
        for _ in range(experiments):
            head = row[at]
            if not head:
                user.totals.append(None)
                at += 1
                continue
            end = at + 2 + width * (head >> _BITS)
            user.totals.append(_totals((head & 255) - _ARM, row[at + 1], _whole(row[at + 2 : end], width)))
            at = end
        if quantities:
            user.running = _whole(row[at:], width)
        return user


def _append(user: User, into: array[int], width: int) -> None:
    into.append(len(user.items) << _BITS | width)
    into.extend(user.items)
    into.extend(user.times)
    for recent in user.recent:
        into.append(len(recent))
        into.extend(recent)
        into.extend(recent.values())
    for totals in user.totals:
        if totals is None:
            into.append(0)
        else:
            into.append(len(totals.values) << _BITS | totals.arm + _ARM)
            into.append(_bitmap(totals.seen))
            into.extend(_limbs(totals.values, width))
    if user.running:
        into.extend(_limbs(user.running, width))


def _totals(arm: int, seen: int, values: list[int]) -> UserTotals:
    totals = UserTotals(arm, values)
    if seen != 1 << arm if arm >= 0 else True:
        totals.seen = {bit for bit in range(64) if seen >> bit & 1}
    return totals


def _bitmap(arms: set[int]) -> int:
    """Return arms as bits of a signed number of 64 bits."""
    bits = sum(1 << arm for arm in arms)
    return bits - (bits >> 63 << 64)


def _limbs(values: Sequence[int], width: int) -> Sequence[int]:
    """Return each value as `width` numbers of 64 bits, the least first. Raises OverflowError where it has more."""
    if width == 1:
        return values
    return array("q", b"".join(value.to_bytes(8 * width, "little", signed=True) for value in values))


def _whole(limbs: array[int], width: int) -> list[int]:
    if width == 1:
        return limbs.tolist()
    data, size = limbs.tobytes(), 8 * width
    return [int.from_bytes(data[at : at + size], "little", signed=True) for at in range(0, len(data), size)]
