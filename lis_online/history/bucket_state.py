"""What is known beside a bucket's statistics: what a reader of any range that ends with it needs to judge them."""

from __future__ import annotations

import msgspec

from lis_online.errors import BlockError
from lis_online.events.windows_log import SlotVersion


class Learning(msgspec.Struct, array_like=True):
    """How far the rankers of a version that came later are: learnt is where the first bucket after it starts, or -1.

    began: as in `SlotVersion`; samples: of the group, that they have learnt from.
    """

    began: int
    samples: int = 0
    learnt: int = -1

    def get(self, start: int) -> int | None:
        """Return the samples they have learnt from, None where a window from `start` on is after their learning.

        >>> Learning(60, 500).get(120), Learning(60, 30_000, 180).get(120), Learning(60, 30_000, 180).get(180)
        (500, 30000, None)
        """
        return None if 0 <= self.learnt <= start else self.samples


class BucketState(msgspec.Struct, array_like=True):
    """As of a bucket's end: when samples began, what the slots hold, which rankers were restarted or set aside.

    first: time of the group's first sample ever, ms: the warm-up counts from there. versions, restarted, set_aside:
    as in `RankBucket`; learning: by slot, of those that came later. learnt: samples that the group has learnt from,
    None where that was not recorded. sources: as in `RankBucket`.
    """

    first: int
    versions: list[SlotVersion]
    restarted: dict[str, int]
    set_aside: dict[str, str]
    learning: dict[str, Learning]
    learnt: int | None = None
    sources: dict[str, int] = {}


_decoder = msgspec.msgpack.Decoder(BucketState)


def encode(state: BucketState) -> bytes:
    """Return the state as msgpack.

    >>> decode(encode(BucketState(0, [], {}, {"twin": "diverged"}, {}))).set_aside
    {'twin': 'diverged'}
    """
    return msgspec.msgpack.encode(state)


def decode(data: bytes) -> BucketState:
    """Return the state of `encode`. Raises BlockError on other bytes."""
    try:
        return _decoder.decode(data)
    except msgspec.MsgspecError as exc:
        raise BlockError(f"a bucket's state cannot be read: {exc}") from exc
