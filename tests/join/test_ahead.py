"""Clocks that run ahead are told from gaps in the log."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from lis_online.join.ahead import FEW, NEXT, PAST, AheadJudge

YEAR = 365 * 86_400_000


def verdicts(times: list[int], max_ahead: int = 100) -> list[tuple[int, bool]]:
    """Return (time, ahead) for a whole partition."""
    judge = AheadJudge[int](max_ahead)
    out = [verdict for ts in times for verdict in judge.update(ts, ts)]
    return [*out, *judge.flush()]


@given(st.lists(st.integers(0, 10**7), max_size=100), st.integers(1, 10**6))
def test_no_record_of_an_ordered_log_is_refused(times: list[int], max_ahead: int) -> None:
    """However sparse a log is, and whatever its gaps, what is in order is not ahead of what follows it."""
    ordered = sorted(times)
    out = verdicts(ordered, max_ahead)
    assert [ts for ts, _ in out] == ordered
    assert not any(ahead for _, ahead in out[:-FEW])


@given(st.lists(st.integers(1, 1000), min_size=NEXT, max_size=100), st.integers(0, 2**40))
def test_the_last_record_may_take_no_step_larger_than_the_log(steps: list[int], step: int) -> None:
    """Nothing follows that could confirm it: a gap as long as the log is the most that is believed."""
    times = [sum(steps[:k]) for k in range(len(steps))]
    *_, (last, ahead) = verdicts([*times, times[-1] + step], max_ahead=500)
    assert last == times[-1] + step and ahead == (step > max(500, times[-1]))


@given(st.lists(st.integers(0, 300), min_size=NEXT + 1, max_size=80), st.data())
def test_one_broken_clock_is_refused_wherever_it_stands(steps: list[int], data: st.DataObject) -> None:
    """A year ahead is refused at any place with enough records around it, and nothing else is."""
    times = [sum(steps[: k + 1]) for k in range(len(steps))]
    place = data.draw(st.integers(0, len(times)))
    out = verdicts([*times[:place], YEAR, *times[place:]], max_ahead=10_000)
    assert [ts for ts, ahead in out if ahead] == [YEAR] and [ts for ts, ahead in out if not ahead] == times


def test_a_creeping_clock_cannot_pull_the_others_along() -> None:
    """A third of the records, each a little ahead of the last of its kind: judged by the crowd, not by each other."""
    times = [value for k in range(300) for value in (1000 + k, 1000 + k, 1000 + 90 * (k + 1))]
    accepted = [ts for ts, ahead in verdicts(times) if not ahead]
    assert 600 < len(accepted) < 620 and max(accepted) <= 1000 + 300 + 100


def test_a_gap_is_accepted_once_others_confirm_it() -> None:
    """After a night without traffic the log goes on; the first record waits for those that follow."""
    judge = AheadJudge[int](100)
    early = [v for ts in range(2 * NEXT + 1) for v in judge.update(ts, ts)]
    assert len(early) == 2 * NEXT + 1 and judge.held() == []
    held = [v for ts in range(YEAR, YEAR + NEXT) for v in judge.update(ts, ts)]
    assert held == [] and len(judge.held()) == NEXT
    assert list(judge.update(YEAR + NEXT, YEAR + NEXT)) == [(YEAR, False)]


def test_a_short_log_is_not_judged_by_nothing() -> None:
    """With hardly any records around it none is refused: a log of two lines an hour apart is a log."""
    assert verdicts([5, 10**9]) == [(5, False), (10**9, False)]


@given(st.lists(st.integers(0, 1000), min_size=1, max_size=120), st.integers(0, 120))
def test_snapshot_and_restore_continue_the_same(times: list[int], cut: int) -> None:
    """The accepted times and what is held are the whole state."""
    judge, other = AheadJudge[int](50), AheadJudge[int](50)
    for ts in times[:cut]:
        list(judge.update(ts, ts))
    other.restore(judge.snapshot(), [(ts, ts) for ts in judge.held()])
    rest: list[Any] = [[[*j.update(ts, ts)] for ts in times[cut:]] + [[*j.flush()]] for j in (judge, other)]
    assert rest[0] == rest[1]


def test_memory_is_bounded() -> None:
    """However long the log, the judge keeps the last thousand times."""
    count, judge = PAST + 500, AheadJudge[int](PAST)
    for ts in range(count):
        list(judge.update(ts, ts))
    assert judge.snapshot() == list(range(count - PAST, count)) and judge.held() == []
