"""The delay line: order and count features are functions of the slates."""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from lis_online.events.batches import SlateBatch
from lis_online.rankers.counts import DecayedCounts
from lis_online.shards.delay_line import DelayLine
from tests.shards.made_slates import START, made_slates, same

TICK = 500
SPAN = 16 * TICK


def line() -> DelayLine:
    """Return an empty line with small counters."""
    return DelayLine(DecayedCounts(6, [2_000, 60_000], TICK), experiments=1)


def served(slates: SlateBatch) -> np.ndarray:
    """Return the count features of all slates at once."""
    return DecayedCounts(6, [2_000, 60_000], TICK).update(slates)


def restarted(old: DelayLine) -> DelayLine:
    """Return a line restored from the bytes of another's snapshot."""
    meta, arrays = old.snapshot()
    saved: dict[str, Any] = msgspec.msgpack.decode(msgspec.msgpack.encode(meta))
    new = line()
    new.restore(saved, {name: np.frombuffer(a.tobytes(), a.dtype).reshape(a.shape) for name, a in arrays.items()})
    return new


@given(st.integers(0, 2**32), st.integers(1, 40), st.data())
def test_pieces_and_restarts_change_nothing(seed: int, count: int, data: st.DataObject) -> None:
    """Slates leave in the order (time, request) with the counts of all at once, however they come and are taken."""
    rng = np.random.default_rng(seed)
    slates = made_slates(rng, count, SPAN)
    early = rng.integers(0, SPAN // 2, count)  # how much before its time at the latest each slate is given
    delayed, taken, arrived = line(), [], np.zeros(count, bool)
    for edge in sorted({*data.draw(st.lists(st.integers(0, SPAN), max_size=6)), SPAN + 2 * TICK}):
        now = ~arrived & (slates.ts - START - early < edge)
        arrived |= now
        delayed.update(slates.take(rng.permutation(np.flatnonzero(now))))
        delayed.serve(START + edge)
        taken += delayed.take(START + edge - data.draw(st.integers(0, SPAN // 4)))
        if data.draw(st.booleans()):
            delayed = restarted(delayed)
    taken += delayed.take(START + 2 * SPAN)
    assert same(SlateBatch.concatenate([batch for batch, _ in taken]), slates)
    assert np.array_equal(np.concatenate([features for _, features in taken]), served(slates))
    assert delayed.late == 0


def test_slates_leave_when_asked_for_and_no_earlier() -> None:
    """A slate at the edge stays: `until` is excluded, and what was taken is gone."""
    slates = made_slates(np.random.default_rng(1), 30, SPAN)
    delayed = line()
    delayed.update(slates)
    delayed.serve(START + SPAN + TICK)
    edge = int(slates.ts[10])
    [(first, features)] = delayed.take(edge)
    assert len(features) == first.n_items.sum()
    assert first.ts.max() < edge
    [(rest, _)] = delayed.take(START + SPAN)
    assert same(SlateBatch.concatenate([first, rest]), slates)
    assert delayed.take(START + SPAN) == []


def test_counts_wait_for_their_whole_tick() -> None:
    """A slate of a tick that is not complete yet is not served: a later one of the same tick may still come."""
    slates = made_slates(np.random.default_rng(2), 30, SPAN)
    delayed = line()
    delayed.update(slates)
    edge = START + 3 * TICK
    delayed.serve(edge + TICK - 1)
    taken = SlateBatch.concatenate([batch for batch, _ in delayed.take(START + SPAN)])
    assert taken.ts.tolist() == [ts for ts in slates.ts.tolist() if ts < edge]
    assert 0 < len(taken) < len(slates)


def test_a_slate_of_a_tick_that_was_read_is_dropped_and_counted() -> None:
    """It cannot be put in its place any more; the rest of its batch is kept."""
    slates = made_slates(np.random.default_rng(3), 30, SPAN)
    delayed = line()
    delayed.serve(START + 4 * TICK)
    delayed.update(slates)
    behind = int((slates.ts < START + 4 * TICK).sum())
    assert delayed.late == behind > 0
    delayed.serve(START + SPAN + TICK)
    assert sum(len(batch) for batch, _ in delayed.take(START + SPAN)) == len(slates) - behind
