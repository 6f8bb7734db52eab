from __future__ import annotations

import pytest

from lis_online.errors import UsageError
from lis_online.replay.pacing import Pace, parse_speed


class Time:
    """A clock that sleeping moves."""

    def __init__(self) -> None:
        self.now = 50.0

    def clock(self) -> float:
        """Return seconds."""
        return self.now

    def sleep(self, seconds: float) -> None:
        """Move on."""
        self.now += seconds


@pytest.mark.parametrize(("speed", "wanted"), [(1.0, [50, 52, 52, 60]), (4.0, [50, 50.5, 50.5, 52.5])])
def test_records_are_due_by_their_event_time(speed: float, wanted: list[float]) -> None:
    """A log is as long as it was, divided by the speed; one out of order holds nobody up."""
    time = Time()
    pace = Pace(speed, time.clock, time.sleep)
    moments = []
    for ts in (7_000, 9_000, 8_000, 17_000):
        pace.wait(ts)
        moments.append(time.now)
    assert moments == wanted


def test_replay_that_cannot_keep_up_says_by_how_much() -> None:
    """Sending takes time too: it shows, and nothing is skipped."""
    time = Time()
    pace = Pace(1.0, time.clock, time.sleep)
    pace.wait(0)
    time.now += 5
    assert pace.wait(2_000) == 3.0


def test_records_without_a_time_and_full_speed_never_wait() -> None:
    """A malformed line has no event time; "max" needs none."""
    time = Time()
    Pace(1.0, time.clock, time.sleep).wait(None)
    full = Pace(None, time.clock, time.sleep)
    assert [full.wait(ts) for ts in (0, 10**9)] == [0.0, 0.0]
    assert time.now == 50.0


@pytest.mark.parametrize("text", ["fast", "0x", "-1x", "", "infx", "nanx"])
def test_other_speeds_are_refused(text: str) -> None:
    """The rule and the value."""
    with pytest.raises(UsageError, match=r'speed must be a number of times such as 100x, or "max", got '):
        parse_speed(text)
