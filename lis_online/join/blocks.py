"""Blocks of the rank log: what a feed finished, in records of bounded size, with the watermark."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from lis_online.events.batches import PairBatch, SlateBatch
from lis_online.events.names import Names
from lis_online.events.rank_log import VERSION, Block, Side
from lis_online.join.clock import BEFORE_ALL
from lis_online.join.columns import MAX_BYTES
from lis_online.records import MAX_TIME, Outgoing

STEP = 1000
"""ms of watermark that are worth a block without rows."""


@dataclass(slots=True)
class _Draft:
    """A block being filled."""

    slates: SlateBatch | None = None
    pairs: PairBatch | None = None
    side: list[Side] = field(default_factory=list)
    size: int = 0


Piece = SlateBatch | PairBatch | list[Side]


class Blocks:
    """The outgoing blocks of one join shard: counts slates and pairs since it began."""

    def __init__(self, shard: int, names: Names) -> None:
        """names: behind the indices of what is sent."""
        self._shard = shard
        self._names = names.encode()
        self._slates = 0
        self._pairs = 0
        self._watermark = BEFORE_ALL

    def get(self, pieces: Iterable[Piece], watermark: int) -> list[Outgoing]:
        """Return the blocks of these pieces; none where nothing is new.

        All but the last block carry the watermark that was sent before: it is true of them.
        """
        drafts = list(_drafts(pieces))
        moved = watermark - self._watermark >= STEP or (watermark == MAX_TIME != self._watermark)
        if not drafts and not moved:
            return []
        *firsts, last = drafts or [_Draft()]
        out = [self._block(draft, self._watermark) for draft in firsts]
        self._watermark = watermark
        return [*out, self._block(last, watermark)]

    def snapshot(self) -> list[int]:
        """Copy the state."""
        return [self._slates, self._pairs, self._watermark]

    def restore(self, state: list[int]) -> None:
        """Replace the state."""
        self._slates, self._pairs, self._watermark = state

    def _block(self, draft: _Draft, watermark: int) -> Outgoing:
        slates = b"" if draft.slates is None else draft.slates.encode()
        pairs = b"" if draft.pairs is None else draft.pairs.encode()
        names = self._names if slates or pairs or draft.side else b""
        block = Block(VERSION, self._shard, self._slates, slates, self._pairs, pairs, draft.side, watermark, names)
        self._slates += 0 if draft.slates is None else len(draft.slates)
        self._pairs += 0 if draft.pairs is None else len(draft.pairs)
        return Outgoing("samples", block.encode())


def _drafts(pieces: Iterable[Piece]) -> Iterator[_Draft]:
    """Fill blocks in order; a block holds one piece of slates and one of pairs at most."""
    draft = _Draft()
    for piece in pieces:
        size = _size(piece)
        taken = (isinstance(piece, SlateBatch) and draft.slates) or (isinstance(piece, PairBatch) and draft.pairs)
        if draft.size and (draft.size + size > MAX_BYTES or taken):
            yield draft
            draft = _Draft()
        draft.size += size
        if isinstance(piece, SlateBatch):
            draft.slates = piece
        elif isinstance(piece, PairBatch):
            draft.pairs = piece
        else:
            draft.side += piece
    if draft.size:
        yield draft


def _size(piece: Piece) -> int:
    if isinstance(piece, list):
        return sum(len(side.offsets) + len(side.data) for side in piece)
    return sum(column.nbytes for column in piece.columns().values())
