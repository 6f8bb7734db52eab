"""One event for a change, however many numbers it moves."""

from __future__ import annotations

import json
from functools import cache

import pytest

from lis_online.drift.event import DriftEvent
from lis_online.drift.monitor import Monitor
from lis_online.drift.reading import ADJUSTED_LIS, COVERAGE, SOURCE, TRAFFIC, VARIANT, Series
from lis_online.drift.tuning import DAY
from studies.drift_changes import CASES, Case
from studies.drift_feed import START, Course, Feed
from tests.drift.feeds import noisy

DAYS = 16
BEFORE = 14


@cache
def calm() -> str:
    """Return the state after two weeks of a feed in which nothing happens, as JSON."""
    monitor = Monitor()
    for at in range(BEFORE * 24):
        assert monitor.update(course().get(at)) == []
    return json.dumps(monitor.snapshot())


@cache
def course() -> Course:
    """Return a feed of one source and two variants."""
    return Course(Feed.small(100_000), DAYS * 24, seed=5)


def told(case: Case) -> list[DriftEvent]:
    """Return the events of two days with a change, as they stand at the end."""
    monitor, found = Monitor(), {}
    monitor.restore(json.loads(calm()))
    for at in range(BEFORE * 24, DAYS * 24):
        found |= {(e.series, e.time): e for e in monitor.update(course().get(at, case.change(BEFORE * 24)))}
    return list(found.values())


@pytest.mark.parametrize("case", [case for case in CASES if case.size not in (0.1,)], ids=lambda case: case.name)
def test_change_is_one_event_with_its_cause(case: Case) -> None:
    """A dead source moves four numbers of two variants; a reader is told once, and where to look."""
    (event,) = told(case)
    assert event.cause == case.cause
    if case.about:
        assert event.about == case.about
    assert event.time <= event.detected_at
    assert abs(event.time - (START + BEFORE * DAY)) < 2 * DAY
    assert event.sentence


def test_missing_vectors_of_a_quiet_day_are_no_drift_of_the_alignment() -> None:
    """They are told as what they are, and are over with the day."""
    (event,) = told(next(case for case in CASES if case.cause == "data"))
    assert event.series.number in (COVERAGE, TRAFFIC)
    assert event.cause == "data"
    assert event.until is not None


def test_restored_monitor_goes_on_as_if_nothing_had_been() -> None:
    """In the middle of an event, from JSON."""
    case = next(case for case in CASES if case.kind == "die")
    change = case.change(BEFORE * 24)
    one = Monitor()
    one.restore(json.loads(calm()))
    assert json.dumps(one.snapshot()) == calm()
    events: list[DriftEvent] = []
    for at in range(BEFORE * 24, BEFORE * 24 + 8):
        events += one.update(course().get(at, change))
    assert events
    other = Monitor()
    other.restore(json.loads(json.dumps(one.snapshot())))
    for at in range(BEFORE * 24 + 8, DAYS * 24):
        assert one.update(course().get(at, change)) == other.update(course().get(at, change))
    assert one.snapshot() == other.snapshot()


def test_no_readings_are_no_event() -> None:
    """A silent stream is the watermark's business."""
    assert Monitor().update([]) == []


def test_tracker_of_a_series_can_be_asked() -> None:
    """None for what was never read."""
    monitor = Monitor()
    monitor.update(list(noisy(1, lambda _: 0.05)))
    tracker = monitor.get(Series(SOURCE, "coclick", ADJUSTED_LIS))
    assert tracker is not None
    assert tracker.status == "learning"
    assert monitor.get(Series(VARIANT, "title", COVERAGE)) is None


def test_set_aside_ranker_is_named_as_the_cause() -> None:
    """The rankers' state reaches the decision."""
    monitor, found = Monitor(), []
    for reading in noisy(400, lambda hour: 0.05 if hour < 350 else 0.03):
        found += monitor.update(
            [reading], {"leaked:coclick": "restarted"} if reading.time > START + 349 * 3_600_000 else {}
        )
    assert [event.cause for event in found] == ["ranker"]


def test_event_is_told_again_when_it_is_back() -> None:
    """The same event, by series and time, with `until`."""
    monitor, found = Monitor(), list[DriftEvent]()
    for reading in noisy(500, lambda hour: 0.03 if 350 <= hour < 380 else 0.05):
        found += monitor.update([reading])
    first, last = found
    assert (first.series, first.time, first.until) == (last.series, last.time, None)
    assert last.until is not None
    assert "It is back since" in last.sentence


def test_what_a_ranker_event_moves_besides_is_part_of_it() -> None:
    """The unleaked ranker is behind every source's number; what no ranker has a part in is told by itself."""
    other, cover = Series(SOURCE, "colike", ADJUSTED_LIS), Series(VARIANT, "title", COVERAGE)

    def late(hour: int) -> float:
        return 0.05 if hour < 350 else 0.04

    rows = zip(
        noisy(400, lambda hour: 0.05 if hour < 350 else 0.03),
        noisy(400, late, seed=1, series=other),
        noisy(400, late, seed=2, series=cover),
        strict=True,
    )
    monitor, found = Monitor(), dict[tuple[Series, int], DriftEvent]()
    for readings in rows:
        notes = {"leaked:coclick": "restarted"} if readings[0].time >= START + 350 * 3_600_000 else {}
        found |= {(e.series, e.time): e for e in monitor.update(readings, notes)}
    assert sorted((e.cause, e.about, e.also) for e in found.values()) == [
        ("data", "title", ()),
        ("ranker", "", (other,)),
    ]
