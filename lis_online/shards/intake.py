"""The rank log's reader: each row of each join shard once, and how far all of them have come."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from lis_online.errors import BlockError
from lis_online.events.batches import PairBatch, SlateBatch, VectorBatch
from lis_online.events.names import GONE, Names, Renumbering
from lis_online.events.rank_log import Block, Side

logger = logging.getLogger(__name__)

_UNSEEN = -(2**62)


@dataclass(slots=True)
class Sender:
    """What has been applied of one join shard: next sequence numbers and side offsets, its watermark.

    next_vector: of each variant, by name, the next offset of `representations`: a variant that was added is read from
    the topic's beginning when the others are far into it. current: whether a block has come under the reader's own
    names; before, names that it does not have are those of a past configuration.
    """

    next_slate: int = 0
    next_pair: int = 0
    next_preference: int = 0
    next_vector: dict[str, int] = field(default_factory=dict)
    watermark: int = _UNSEEN
    current: bool = False


@dataclass(slots=True)
class Arrivals:
    """The rows of a block that were not seen before. vectors: variant, rows, names of the versions among them."""

    slates: SlateBatch | None = None
    pairs: list[PairBatch] = field(default_factory=list)
    vectors: list[tuple[int, VectorBatch, list[str]]] = field(default_factory=list)


class Intake:
    """The senders of a rank log. Blocks may come twice and overlap after a sender's restart; rows are taken once.

    A block's indices are those of its own names, and come out as those of the reader's: what has left the settings is
    left out. Once a sender has written under the reader's names, a name that the reader does not have is refused: the
    sender's settings are newer, and what is left out then would be missing for good.
    """

    def __init__(self, shards: int, names: Names) -> None:
        """names: the reader's."""
        self.senders = [Sender() for _ in range(shards)]
        self._names = names
        self._same = Renumbering(names, names)
        self._known: dict[bytes, _Other] = {}

    @property
    def watermark(self) -> int:
        """The time that every join shard has passed, ms; very early while one has not spoken."""
        return min(sender.watermark for sender in self.senders)

    def feed(self, block: Block) -> Arrivals:
        """Return the new rows of a block. Raises BlockError on a gap or an unknown shard."""
        if not 0 <= block.shard < len(self.senders):
            raise BlockError(
                f"block's join shard must be < {len(self.senders)} (partitions of the settings), got {block.shard}: "
                "a changed number of partitions moves users between shards and needs a fresh start"
            )
        sender = self.senders[block.shard]
        numbers = self._numbering(block, sender)
        arrivals = Arrivals()
        if block.slates:
            slates = numbers.slates(SlateBatch.decode(block.slates))
            new = _unseen(block, "slate", block.first_slate, len(slates), sender.next_slate)
            if new is not None:
                arrivals.slates = slates.take(new) if len(new) < len(slates) else slates
            sender.next_slate = max(sender.next_slate, block.first_slate + len(slates))
        if block.pairs:
            pairs = PairBatch.decode(block.pairs)
            new = _unseen(block, "pair", block.first_pair, len(pairs), sender.next_pair)
            if new is not None:
                arrivals.pairs.append(numbers.pairs(pairs.take(new)))
            sender.next_pair = max(sender.next_pair, block.first_pair + len(pairs))
        for side in block.side:
            self._feed_side(side, sender, numbers, arrivals)
        sender.watermark = max(sender.watermark, block.watermark)
        return arrivals

    def _feed_side(self, side: Side, sender: Sender, numbers: Renumbering, arrivals: Arrivals) -> None:
        offsets = np.frombuffer(side.offsets, "<i8")
        if side.variant < 0:
            new = np.flatnonzero(offsets >= sender.next_preference)
            if len(new):
                sender.next_preference = int(offsets[-1]) + 1
                arrivals.pairs.append(numbers.pairs(PairBatch.decode(side.data).take(new)))
            return
        variant = numbers.variants[side.variant]
        if variant == GONE:
            return
        name = self._names.variants[variant]
        new = np.flatnonzero(offsets >= sender.next_vector.get(name, 0))
        if len(new):
            sender.next_vector[name] = int(offsets[-1]) + 1
            arrivals.vectors.append((variant, VectorBatch.decode(side.data).take(new), side.versions))

    def _numbering(self, block: Block, sender: Sender) -> Renumbering:
        """Return how the indices of a block are read; note whether its names are the reader's."""
        if not block.names:
            return self._same
        if block.names not in self._known:
            names = Names.decode(block.names)
            self._known[block.names] = _Other(names, self._names)
            if self._known[block.names].foreign:
                logger.warning("the rank log has what the settings have not: %s", self._known[block.names].foreign)
        other = self._known[block.names]
        if other.foreign and sender.current:
            raise BlockError(
                f"join shard {block.shard} sends {other.foreign[0]}, which these settings do not have: the join "
                "workers run under newer settings; start this worker under them too (a name that has left them again "
                "can leave these once the log is read)"
            )
        sender.current |= other.is_own
        return other.numbers

    def snapshot(self) -> list[Any]:
        """Return the senders as plain lists."""
        return [
            [s.next_slate, s.next_pair, s.next_preference, sorted(s.next_vector.items()), s.watermark, s.current]
            for s in self.senders
        ]

    def restore(self, state: list[Any], *, renamed: bool = False) -> None:
        """Replace the senders with those of `snapshot`. renamed: the reader had other names then."""
        self.senders = [
            Sender(
                slate,
                pair,
                preference,
                {name: offset for name, offset in vectors if name in self._names.variants},
                watermark,
                current and not renamed,
            )
            for slate, pair, preference, vectors, watermark, current in state
        ]


class _Other:
    """The names of some blocks against the reader's. foreign: those that the reader does not have."""

    def __init__(self, names: Names, own: Names) -> None:
        self.numbers = Renumbering(names, own)
        self.foreign = sorted(names.said() - own.said())
        self.is_own = names.said() == own.said()


def _unseen(block: Block, what: str, first: int, count: int, following: int) -> np.ndarray | None:
    """Return the rows with a sequence number from `following` on, or None."""
    if first > following:
        raise BlockError(
            f"join shard {block.shard}: {what} {following} must come next, got {first}: "
            "records of the rank log are missing"
        )
    skipped = following - first
    return np.arange(skipped, count) if skipped < count else None
