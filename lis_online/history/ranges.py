"""Numbers over any range of time, from the statistics that are stored: those of an uninterrupted run over it.

Buckets are merged into at most 31 blocks of time, as `metrics.whole_run.WholeRun` does while they come, so value and
interval are those that a run over exactly these buckets would have published at its end. Where the sum of some of them
is stored (`spans.py`), it is read in their place: whole numbers add up to the same in any order.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Final

from sqlalchemy import Connection, Engine

from lis_online.errors import UsageError
from lis_online.history import spans, stored
from lis_online.history.bucket_state import BucketState
from lis_online.history.engine import transaction
from lis_online.history.spans import Span
from lis_online.history.stored import Group, Piece
from lis_online.history.stored_settings import settings_of
from lis_online.history.times import iso
from lis_online.metrics.alignment import PairAlignment
from lis_online.metrics.alignment_windows import AlignmentWindows
from lis_online.metrics.blocks import Block
from lis_online.metrics.diagnosis import Diagnosis, diagnose
from lis_online.metrics.layout import Layout
from lis_online.metrics.numbers import numbers
from lis_online.metrics.presence import Presence
from lis_online.metrics.results import SliceNumbers
from lis_online.metrics.statistics import Statistics
from lis_online.metrics.version_keys import version_key
from lis_online.metrics.whole_run import MOST_BLOCKS
from lis_online.metrics.windows import Window
from lis_online.settings import Settings

LONG_GAP: Final = 3_600_000
"""From this length on, ms, a stretch without buckets is named; of shorter ones their sum is given."""


@dataclass(frozen=True, slots=True)
class RangeNumbers:
    """The numbers over a range and what they rest on. Times in ms since 1970, ends exclusive.

    start, end: as asked; covered: what the numbers are of: the range rounded outward to whole buckets, without the
    warm-up. longest: length of the longest bucket in it, to which its edges are exact. warm_up_buckets: those of
    the range from before the end of the warm-up, which are in no number. gaps: stretches of an hour or more without a
    bucket, short_gaps: the sum of the shorter ones, ms. left_out: samples beyond their user's cap.
    slices, diagnoses: by slice, the latter by key of the variants too; alignment: of the pairs made in the range.
    state: versions and rankers as of the range's last bucket; None where a release that kept none wrote it.
    """

    configuration: int
    start: int
    end: int
    covered: tuple[int, int]
    longest: int
    buckets: int
    warm_from: int | None
    warm_up_buckets: int
    gaps: tuple[tuple[int, int], ...]
    short_gaps: int
    left_out: int
    slices: dict[str, SliceNumbers]
    diagnoses: dict[str, dict[str, Diagnosis]]
    alignment: dict[str, PairAlignment]
    state: BucketState | None


def range_numbers(
    engine: Engine, group: Group, start: int, end: int, slices: Sequence[str] | None = None
) -> RangeNumbers:
    """Return the numbers of a rank group over [start, end), ms since 1970. slices: their names; None for all.

    A version that began within the range has no number there, and the reason; so has a ranker that was restarted.
    Raises UsageError on an empty range or an unknown slice, HistoryError, BlockError on bytes that cannot be read.
    """
    if not start < end:
        raise UsageError(f"--from must be before --to, got {iso(start)} and {iso(end)}")
    snapshot = engine.execution_options(isolation_level="REPEATABLE READ")  # a roll-up must not come in between
    with transaction(snapshot) as connection:
        settings = settings_of(connection, group.configuration)
        layout = Layout.of(settings)
        unknown = [name for name in slices or () if name not in layout.slices]
        if unknown:
            raise UsageError(f"--slice must be one of {list(layout.slices)}, got {unknown[0]!r}")
        return _Reader(connection, group, settings, layout).get(start, end, slices or layout.slices)


class _Reader:
    def __init__(self, connection: Connection, group: Group, settings: Settings, layout: Layout) -> None:
        self._connection, self._group, self._settings, self._layout = connection, group, settings, layout

    def get(self, start: int, end: int, slices: Sequence[str]) -> RangeNumbers:
        found = stored.pieces(self._connection, self._group, start, end, self._settings.metrics.bucket)
        state = stored.state(self._connection, self._group, found[-1]) if found else None
        warm_from = self._warm_from(state)
        warm = [piece for piece in found if warm_from is None or piece.start >= warm_from]
        kept = warm or found  # before the warm-up ends there is nothing else: shown, and not judged
        covered = self._covered(start, end, found, kept)
        window = self._window(covered, kept)
        presence = _presence(state, self._layout)
        of_slices = numbers(window, self._layout, self._settings.metrics.metric, presence=presence)
        shown = {name: of_slices[name] for name in slices}
        early = warm_from if kept and not warm else None
        gaps = _gaps(covered, kept)
        return RangeNumbers(
            configuration=self._group.configuration,
            start=start,
            end=end,
            covered=covered,
            longest=max((piece.length for piece in kept), default=self._settings.metrics.bucket),
            buckets=len(kept),
            warm_from=warm_from,
            warm_up_buckets=len(found) - len(kept),
            gaps=tuple(gap for gap in gaps if gap[1] - gap[0] >= LONG_GAP),
            short_gaps=sum(until - since for since, until in gaps if until - since < LONG_GAP),
            left_out=int(window.total.left_out[0]),
            slices=shown,
            diagnoses=self._diagnoses(shown, presence, state, early),
            alignment=self._alignment(covered, presence),
            state=state,
        )

    def _warm_from(self, state: BucketState | None) -> int | None:
        return None if state is None else state.first + self._settings.warm_up

    def _covered(self, start: int, end: int, found: list[Piece], kept: list[Piece]) -> tuple[int, int]:
        """Return the range, rounded outward to the buckets that overlap it, from the end of the warm-up on."""
        bucket = self._settings.metrics.bucket
        first, last = start // bucket * bucket, -(-end // bucket) * bucket
        if kept:
            first = kept[0].start if len(kept) < len(found) else min(first, kept[0].start)
            last = max(last, max(piece.end for piece in kept))
        return first, last

    def _window(self, covered: tuple[int, int], kept: Sequence[Piece]) -> Window:
        """Return the sum of some pieces, and by blocks of time: the same blocks as `WholeRun` ends with.

        One statistics at a time is added up, a block's: a block of time is a tenth of its size.
        """
        total, blocks = Statistics(self._layout), []
        for chosen, rest in reads(self._connection, self._group, kept, self._settings.metrics.bucket):
            of_spans = spans.data(self._connection, self._group, chosen)
            of_pieces = stored.data(self._connection, self._group, rest)
            block = Statistics.sum_of(self._layout, chain(of_spans, of_pieces))
            total.merge(block)
            blocks.append(Block.of(block))
        return Window(kept[0].start if kept else covered[0], covered[1], total, blocks)

    def _diagnoses(
        self, found: dict[str, SliceNumbers], presence: Presence, state: BucketState | None, early: int | None
    ) -> dict[str, dict[str, Diagnosis]]:
        learning, of_group = ({}, None) if state is None else (state.learning, state.learnt)
        judged: dict[str, dict[str, Diagnosis]] = {}
        for name, one in found.items():
            judged[name] = {}
            for key, held in zip(presence.keys(), presence.versions, strict=True):
                known = learning.get(held.slot) if held.began else None
                learnt = None if known is None else known.get(one.start)
                of_source = presence.warm_from(one.variants[key].source, one.start, self._settings.warm_up)
                until = of_source if early is None else early
                judged[name][key] = diagnose(one, key, self._settings.metrics, until, learnt, of_group)
        return judged

    def _alignment(self, covered: tuple[int, int], presence: Presence) -> dict[str, PairAlignment]:
        """Return the alignment of the versions that are measured at the range's end, over the pairs made in it."""
        tallies = AlignmentWindows(self._settings.metrics.bucket, [], kept=0)
        tallies.update(stored.alignment(self._connection, self._group, *covered), covered[1])
        found = {version_key(*key, newest=False): one for key, one in tallies.whole().items()}
        shown = {}
        for key, held in zip(presence.keys(), presence.versions, strict=True):
            variant = self._layout.variant_of[self._layout.variants.index(held.slot)]
            one = found.get(version_key(variant, held.version, newest=False))
            if one is not None:
                shown[key] = one
        return shown


def reads(
    connection: Connection, group: Group, pieces: Sequence[Piece], bucket: int
) -> Iterator[tuple[list[Span], list[Piece]]]:
    """Yield what is read of some pieces, in order: for each block of time, spans, and the pieces that are in none.

    A row of either takes 6 to 30 ms: how many there are says how long the pieces take.
    """
    if not pieces:
        return
    known = spans.within(connection, group, pieces[0].start, pieces[-1].end, bucket)
    for block in by_block(pieces):
        yield spans.cover(block, known)


def rows_read(connection: Connection, group: Group, start: int, end: int, bucket: int) -> int:
    """Return how many rows the numbers over [start, end), ms, are read from: what they cost, in units of `reads`."""
    found = stored.pieces(connection, group, start, end, bucket)
    return sum(len(whole) + len(single) for whole, single in reads(connection, group, found, bucket))


def by_block(pieces: Sequence[Piece]) -> list[list[Piece]]:
    """Return pieces in order by block of time: fewer than 32 blocks, of the least length that is enough.

    That length is that of the longest piece, doubled as often as needed: what `WholeRun` comes to, whose doubling
    depends on no order.

    >>> [len(block) for block in by_block([Piece(k, k + 1, False) for k in range(34)])]
    [2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2]
    """
    width = max((piece.length for piece in pieces), default=1)
    while len({piece.start // width for piece in pieces}) >= MOST_BLOCKS:
        width *= 2
    blocks: dict[int, list[Piece]] = {}
    for piece in pieces:
        blocks.setdefault(piece.start // width, []).append(piece)
    return [blocks[key] for key in sorted(blocks)]


def _presence(state: BucketState | None, layout: Layout) -> Presence:
    if state is None:
        return Presence.of(layout)
    return Presence(state.versions, state.restarted, state.set_aside, state.sources)


def _gaps(covered: tuple[int, int], kept: Sequence[Piece]) -> list[tuple[int, int]]:
    """Return the stretches of the covered range that no piece is in."""
    found, reached = [], covered[0]
    for piece in kept:
        if piece.start > reached:
            found.append((reached, piece.start))
        reached = max(reached, piece.end)
    if reached < covered[1]:
        found.append((reached, covered[1]))
    return found
