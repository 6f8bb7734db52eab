"""The pair features on a device that shows no data: tables move and samples are read without a wait of the host."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch

from lis_online.preference import pair_tensors
from lis_online.preference.leak import PAST_ONLY
from lis_online.preference.sketch import Sketch
from lis_online.preference.sketch_counts import Counts
from lis_online.preference.sketch_features import PairSketches
from lis_online.preference.tables import Tables, move
from tests.no_data import DEVICE, NoData
from tests.preference.test_pair_loop import LEAK, SOURCES, lookups, pairs

COUNTED = "sketch.py _used: aten._to_copy.default"
"""The whole table is counted for the occupancy, once in an eighth of the memory."""


def fed(
    device: torch.device, rng: np.random.Generator, start: int, sketches: PairSketches | None = None
) -> PairSketches:
    """Return sketches that were given 100 ms of pairs of every source."""
    sketches = PairSketches(LEAK, 8, SOURCES, device) if sketches is None else sketches
    for source in range(SOURCES):
        sketches.update(source, *pairs(rng, start, start + 100, 30), *pairs(rng, start, start + 100, 30))
    return sketches


def test_features_are_read_without_a_wait() -> None:
    """Pairs that come, pass and are forgotten between and within steps; the occupancy alone is read back, seldom."""
    rng = np.random.default_rng(0)
    inside, counts = [], 0
    with NoData() as device:
        sketches = PairSketches(LEAK, 8, SOURCES, DEVICE)
        for start in range(0, 800, 100):
            fed(DEVICE, rng, start, sketches)
            for at in lookups(rng, start - 60, start + 40):
                found = sketches.get(at)
                assert found.leaked.device == found.past.device == found.covered.device == DEVICE
                waits = device.taken()
                assert set(waits) <= {COUNTED}
                counts += len(waits)
                inside.append(sketches.pairs.span(int(at.t[-1])))
    assert 0 < counts <= 900 // (LEAK.memory // 8) + 1
    for kind in ("everywhere", "own", "past"):
        assert any(getattr(span, kind) is not None for span in inside), kind


def test_a_restored_sketch_moves_without_a_wait() -> None:
    """Nor does its copy need one: the events and what ages of them never left the host."""
    rng = np.random.default_rng(1)
    with NoData() as device:
        first, second = (fed(DEVICE, rng, 0).pairs for _ in range(2))
        first.advance(90)
        second.restore(*first.snapshot())
        second.advance(90 + LEAK.ageing)
        second.advance(90 + LEAK.memory + LEAK.ageing)
        second.compact()
        assert device.taken() == []


def test_without_its_span_a_look_up_asks_the_device_for_its_last_time() -> None:
    """So a reader of a step finds the span once, from the times that it has on the host."""
    at = torch.zeros(3, dtype=torch.int64, device=DEVICE)
    with NoData() as device:
        sketch = fed(DEVICE, np.random.default_rng(2), 0).pairs
        sketch.advance(20)
        sketch.preceding(at, at, sketch.span(30))
        assert device.taken() == []
        sketch.preceding(at, at)
        assert device.taken() == ["sketch.py _span_to: aten._local_scalar_dense.default"]


def test_a_wait_of_the_reader_would_be_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    """A mask and a number that the device is asked for: the tests above can fail."""
    rng = np.random.default_rng(3)
    (at, *_) = lookups(rng, 20, 40)
    with NoData() as device:
        sketches = fed(DEVICE, rng, 0)
        sketches.get(at)
        device.taken()
        slot = pair_tensors.item_slot
        monkeypatch.setattr(pair_tensors, "item_slot", lambda items, bits: slot(items, bits) * int(items.max() > 0))
        sketches.get(at)
        assert len(device.taken()) == 2
        monkeypatch.setattr(pair_tensors, "item_slot", lambda items, bits: slot(items[items != 0], bits))
        with pytest.raises(NotImplementedError):
            sketches.get(at)


@pytest.mark.parametrize("seed", range(6))
def test_events_at_once_leave_the_counts_that_they_leave_one_by_one(seed: int) -> None:
    """Tables are moved by tensors and by the loop, and forget, over the same times: to the last count."""
    rng = np.random.default_rng(seed)
    folds, lanes, past_lanes, cells, count = LEAK.folds, 3, 2, 16, 200
    events = np.stack(
        [
            np.sort(rng.integers(0, 300, count)),
            rng.integers(0, cells * lanes, count),
            rng.integers(PAST_ONLY, folds + 1, count),
            rng.integers(1, 4, count),
        ]
    )
    one, other = (Counts.empty(cells, folds, lanes, past_lanes, torch.device("cpu")) for _ in range(2))
    tables = Tables(
        one.seen.numpy(), one.past.numpy(), one.total.numpy(), np.zeros(cells // 8, np.uint8), events, folds
    )
    entered = passed = 0
    for t in itertools.accumulate(rng.integers(1, 60, 8).tolist()):
        before = entered, passed
        entered, passed = move(tables, entered, passed, LEAK.future_end(t), LEAK.past_end(t))
        other.move(LEAK, events[:, before[0] : entered], events[:, before[1] : passed])
        for name in ("seen", "past", "total"):
            assert torch.equal(getattr(one, name), getattr(other, name)), name
    assert one.seen.any() and passed
    for counts in (one, other):
        counts.age(events[1, :passed], -events[3, :passed])
    assert torch.equal(one.seen, other.seen)
    assert not other.past.any()


def test_sums_of_a_span_are_of_each_lane_and_time() -> None:
    """An event counts from its own millisecond on, in its own lane and cell alone."""
    sketch = Sketch(LEAK, 4, torch.device("cpu"), lanes=2, past_lanes=2)
    sketch.update(*(torch.tensor(column) for column in ([50, 51, 53, 53], [6, 6, 7, 8], [0, 0, 0, 1], [1, 2, 4, 8])))
    sketch.advance(50)
    span = sketch.span(60)
    assert span.past is not None
    cell, since = torch.tensor([3, 3, 3, 3, 4, 4]), torch.tensor([0, 1, 2, 4, 3, 4])
    assert span.past.until(cell, since).tolist() == [[0, 0], [1, 0], [3, 0], [3, 4], [0, 0], [8, 0]]
    assert sketch.span(50).past is None
