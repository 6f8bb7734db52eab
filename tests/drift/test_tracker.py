"""What a series' tracker tells: one signal for a change, and when it is over."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable

import pytest

from lis_online.drift.detector import PageHinkley
from lis_online.drift.reading import PAIR_ALIGNMENT, VARIANT, Reading, Series
from lis_online.drift.reference import fit
from lis_online.drift.tracker import Signal, Tracker
from lis_online.drift.tuning import Tuning
from tests.drift.feeds import LIS, START, at, noisy, rows_of

WEEK = 168
ALIGNED = Series(VARIANT, "title", PAIR_ALIGNMENT)


def run(tracker: Tracker, readings: Iterable[Reading]) -> tuple[list[Signal], list[tuple[int, int]]]:
    """Feed readings; return the signals and the ends."""
    signals, ends = [], []
    for reading in readings:
        tracker.update(reading)
        signals += [tracker.signal] if tracker.signal else []
        ends += [tracker.ended] if tracker.ended else []
    return signals, ends


def new(series: Series = LIS, tuning: Tuning | None = None) -> Tracker:
    """Return a tracker."""
    return Tracker(series, tuning or Tuning(), PageHinkley)


def step(start: int, to: float = 0.04, end: int = 10_000, level: float = 0.05) -> Callable[[int], float]:
    """Return a level that is another one between two hours."""
    return lambda hour: to if start <= hour < end else level


def test_nothing_is_judged_before_a_week() -> None:
    """Without a reference there is nothing to be off from, whatever the numbers do."""
    tracker = new()
    assert run(tracker, noisy(WEEK - 1, step(60)))[0] == []
    assert tracker.status == "learning"
    assert tracker.shift(START) is None


def test_stable_series_says_nothing_for_two_months() -> None:
    """A detector that is never quiet is switched off."""
    tracker = new()
    assert run(tracker, noisy(8 * WEEK, lambda _: 0.05)) == ([], [])
    assert tracker.status == "watching"


def test_lasting_change_is_one_signal_with_its_time_and_levels() -> None:
    """Before and after are those of the truth, the onset is near, and the new level is normal after a week."""
    tracker = new()
    signals, ends = run(tracker, noisy(6 * WEEK, step(2 * WEEK)))
    (signal,) = signals
    assert abs(signal.onset - at(2 * WEEK)) <= 2 * 3_600_000
    assert signal.shift.before.value == pytest.approx(0.05, abs=0.001)
    assert signal.shift.after.value == pytest.approx(0.04, abs=0.002)
    assert signal.shift.score < -4
    assert ends == []
    assert tracker.status == "watching"


def test_change_that_goes_away_is_over_and_another_is_told_again() -> None:
    """An end with the change's onset; what happened in between is no part of the reference."""
    tracker = new()
    first = step(2 * WEEK, end=2 * WEEK + 30)
    second = step(4 * WEEK, to=0.06)
    signals, ends = run(tracker, noisy(5 * WEEK, lambda hour: first(hour) if hour < 3 * WEEK else second(hour)))
    assert len(signals) == 2
    (onset, until), *others = ends
    assert onset == signals[0].onset
    assert abs(until - at(2 * WEEK + 30)) <= 4 * 3_600_000
    assert others == []
    assert signals[1].shift.before.value == pytest.approx(0.05, abs=0.001)


def test_slow_change_is_not_its_own_reference() -> None:
    """A fall of 20 % over two days is told, once."""

    def level(hour: int) -> float:
        return 0.05 - 0.01 * min(max(hour - 3 * WEEK, 0) / 48, 1)

    signals, _ = run(new(), noisy(5 * WEEK, level))
    assert len(signals) == 1
    assert at(3 * WEEK) <= signals[0].onset <= at(3 * WEEK + 48)


def test_buckets_without_a_number_change_nothing() -> None:
    """No data is no drift, and a gap of three days is none either."""
    gappy = run(new(), noisy(4 * WEEK, lambda h: None if h % 7 == 3 or 300 <= h < 372 else 0.05))
    assert gappy == ([], [])
    tracker = new()
    run(tracker, noisy(2 * WEEK, lambda _: 0.05))
    before = tracker.snapshot()
    tracker.update(Reading.of(LIS, at(2 * WEEK), None, None, 0))
    assert tracker.snapshot() == before


def test_one_bucket_however_far_off_is_no_change() -> None:
    """It counts for as much as the clip lets it."""
    assert run(new(), noisy(3 * WEEK, lambda h: 5.0 if h == 2 * WEEK else 0.05))[0] == []


def test_scale_of_the_numbers_does_not_matter() -> None:
    """The same series in percent gives the same signals."""
    readings = list(noisy(3 * WEEK, step(2 * WEEK)))
    hundred = [
        Reading.of(r.series, r.time, 100 * r.parts[0], 100 * r.parts[2] ** 0.5, 1_000) for r in readings if r.parts
    ]
    (one,), _ = run(new(), readings)
    (other,), _ = run(new(), hundred)
    assert (one.onset, round(one.shift.score, 6)) == (other.onset, round(other.shift.score, 6))
    assert other.shift.after.value == pytest.approx(100 * (one.shift.after.value or 0))


def test_new_version_is_compared_with_the_one_before_it() -> None:
    """From its first bucket on, and the signal says which two; a week later it stands for itself."""
    old = list(noisy(2 * WEEK, lambda _: 0.8, series=ALIGNED, version="1"))
    broken = noisy(4 * WEEK, lambda h: 0.79 if h >= 2 * WEEK else 0.8, series=ALIGNED, version="2")
    (signal,), _ = run(new(ALIGNED), [*old, *list(broken)[2 * WEEK :]])
    assert signal.versions == ("1", "2")
    assert signal.onset == at(2 * WEEK)
    later = noisy(5 * WEEK, lambda h: 0.79 if h >= 4 * WEEK else 0.8, series=ALIGNED, version="2")
    (signal,), _ = run(new(ALIGNED), [*old, *list(later)[2 * WEEK :]])
    assert signal.versions is None


def test_new_version_ends_what_was_wrong_with_the_one_before() -> None:
    """The open change was the older version's."""
    tracker = new(ALIGNED)
    bad = [*noisy(2 * WEEK + 40, lambda h: 0.7 if h >= 2 * WEEK else 0.8, series=ALIGNED, version="1")]
    good = list(noisy(3 * WEEK, lambda _: 0.8, series=ALIGNED, version="2"))[2 * WEEK + 40 :]
    signals, ends = run(tracker, [*bad, *good])
    assert len(signals) == 1
    assert ends == [(signals[0].onset, at(2 * WEEK + 40))]


@pytest.mark.parametrize("cut", [10, WEEK, 2 * WEEK + 3, 2 * WEEK + 20, 4 * WEEK])
def test_restored_tracker_goes_on_as_if_nothing_had_been(cut: int) -> None:
    """Learning, watching, in the middle of a detection, held and settled; from JSON, to the last bit."""
    readings = list(noisy(5 * WEEK, step(2 * WEEK)))
    one, other = new(), new()
    run(one, readings[:cut])
    other.restore(json.loads(json.dumps(one.snapshot())))
    assert run(one, readings[cut:]) == run(other, readings[cut:])
    assert one.snapshot() == other.snapshot()


def test_state_is_bounded() -> None:
    """Four weeks and the gap, however long it runs."""
    tracker = new()
    run(tracker, noisy(10 * WEEK, lambda _: 0.05))
    assert len(tracker.snapshot()[1]) <= Tuning().kept


def times(tracker: Tracker) -> list[float]:
    """Return the times of the rows that are kept."""
    return [row[0] for row in tracker.snapshot()[1]]


def test_what_was_off_is_not_kept_once_it_is_over() -> None:
    """Else the next weeks' reference would be wider for it."""
    tracker = new()
    _, ((onset, until),) = run(tracker, noisy(3 * WEEK, step(2 * WEEK, end=2 * WEEK + 30)))
    assert not [time for time in times(tracker) if onset <= time < until]
    assert until in times(tracker)


def test_new_level_has_a_reference_of_its_own_alone() -> None:
    """A number that died has not the cycles that it had."""
    tracker = new()
    (signal,), _ = run(tracker, noisy(4 * WEEK, step(2 * WEEK)))
    assert min(times(tracker)) > signal.onset
    found = tracker.shift(at(4 * WEEK - 48))
    assert found is not None
    assert found.before.value == pytest.approx(0.04, abs=0.001)


def test_reference_of_a_day_is_that_of_what_is_older_than_the_gap() -> None:
    """Computed anew from the whole series, as of the day's first reading."""
    readings, tuning = list(noisy(3 * WEEK + 5, lambda _: 0.05)), Tuning()
    tracker = new()
    run(tracker, readings)
    day = at(3 * WEEK)
    expected = fit(rows_of([r for r in readings if r.time < day - tuning.gap]), tuning.bucket, tuning.learning)
    assert expected is not None
    assert tracker.snapshot()[2] == expected.snapshot()
