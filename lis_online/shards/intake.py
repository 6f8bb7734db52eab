"""The rank log's reader: each row of each join shard once, and how far all of them have come."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from lis_online.errors import BlockError
from lis_online.events.batches import PairBatch, SlateBatch, VectorBatch
from lis_online.events.rank_log import Block, Side

PREFERENCES, REPRESENTATIONS = 0, 1
_UNSEEN = -(2**62)


@dataclass(slots=True)
class Sender:
    """What has been applied of one join shard: next sequence numbers and side offsets, its watermark."""

    next_slate: int = 0
    next_pair: int = 0
    next_side: list[int] = field(default_factory=lambda: [0, 0])
    watermark: int = _UNSEEN


@dataclass(slots=True)
class Arrivals:
    """The rows of a block that were not seen before. vectors: variant, rows, names of the versions among them."""

    slates: SlateBatch | None = None
    pairs: list[PairBatch] = field(default_factory=list)
    vectors: list[tuple[int, VectorBatch, list[str]]] = field(default_factory=list)


class Intake:
    """The senders of a rank log. Blocks may come twice and overlap after a sender's restart; rows are taken once."""

    def __init__(self, shards: int) -> None:
        self.senders = [Sender() for _ in range(shards)]

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
        arrivals = Arrivals()
        if block.slates:
            slates = SlateBatch.decode(block.slates)
            new = _unseen(block, "slate", block.first_slate, len(slates), sender.next_slate)
            if new is not None:
                arrivals.slates = slates.take(new) if len(new) < len(slates) else slates
            sender.next_slate = max(sender.next_slate, block.first_slate + len(slates))
        if block.pairs:
            pairs = PairBatch.decode(block.pairs)
            new = _unseen(block, "pair", block.first_pair, len(pairs), sender.next_pair)
            if new is not None:
                arrivals.pairs.append(pairs.take(new))
            sender.next_pair = max(sender.next_pair, block.first_pair + len(pairs))
        self._feed_sides(block.side, sender, arrivals)
        sender.watermark = max(sender.watermark, block.watermark)
        return arrivals

    def _feed_sides(self, sides: list[Side], sender: Sender, arrivals: Arrivals) -> None:
        reached = list(sender.next_side)
        for side in sides:
            topic = PREFERENCES if side.variant < 0 else REPRESENTATIONS
            offsets = np.frombuffer(side.offsets, "<i8")
            new = np.flatnonzero(offsets >= sender.next_side[topic])
            if not len(new):
                continue
            reached[topic] = max(reached[topic], int(offsets[-1]) + 1)
            if topic == PREFERENCES:
                arrivals.pairs.append(PairBatch.decode(side.data).take(new))
            else:
                arrivals.vectors.append((side.variant, VectorBatch.decode(side.data).take(new), side.versions))
        sender.next_side = reached

    def snapshot(self) -> list[list[int]]:
        """Return the senders as plain lists."""
        return [[s.next_slate, s.next_pair, *s.next_side, s.watermark] for s in self.senders]

    def restore(self, state: list[list[int]]) -> None:
        """Replace the senders with those of `snapshot`."""
        self.senders = [Sender(a, b, [c, d], w) for a, b, c, d, w in state]


def _unseen(block: Block, what: str, first: int, count: int, following: int) -> np.ndarray | None:
    """Return the rows with a sequence number from `following` on, or None."""
    if first > following:
        raise BlockError(
            f"join shard {block.shard}: {what} {following} must come next, got {first}: "
            "records of the rank log are missing"
        )
    skipped = following - first
    return np.arange(skipped, count) if skipped < count else None
