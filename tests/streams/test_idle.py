from __future__ import annotations

from streams.idle import IdleWatch


class Clock:
    """A clock that is moved by hand."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        """Return seconds."""
        return self.now


def offsets(impressions: int, feedback: int) -> dict[str, int]:
    """Offsets of both main topics."""
    return {"impressions": impressions, "feedback": feedback}


def test_partition_is_passed_over_only_while_the_other_moves() -> None:
    """At night nothing moves, and nothing is passed over: a tick is for a shard that has something to do."""
    clock = Clock()
    watch = IdleWatch(30, clock)
    assert watch.update(offsets(5, 2), offsets(5, 2)) is None
    for clock.now in (31.0, 62.0, 93.0):
        assert watch.update(offsets(5, 2), offsets(5, 2)) is None
    assert watch.update(offsets(9, 2), offsets(9, 2)) == "feedback"


def test_partition_that_is_not_read_to_its_end_is_not_idle() -> None:
    """A worker that is behind must not call late what it has not read yet."""
    clock = Clock()
    watch = IdleWatch(30, clock)
    watch.update(offsets(5, 9), offsets(5, 2))
    clock.now = 100.0
    assert watch.update(offsets(50, 9), offsets(50, 2)) is None
    clock.now = 101.0  # now it is at its end, and has to be there for as long
    assert watch.update(offsets(60, 9), offsets(60, 9)) is None
    clock.now = 129.0
    assert watch.update(offsets(70, 9), offsets(70, 9)) is None
    clock.now = 130.0
    assert watch.update(offsets(80, 9), offsets(80, 9)) == "feedback"


def test_new_record_starts_the_wait_anew() -> None:
    """One record now and then is not idleness."""
    clock = Clock()
    watch = IdleWatch(30, clock)
    watch.update(offsets(5, 2), offsets(5, 2))
    clock.now = 29.0
    assert watch.update(offsets(6, 3), offsets(6, 3)) is None
    clock.now = 58.0
    assert watch.update(offsets(9, 3), offsets(9, 3)) is None
    clock.now = 59.0
    assert watch.update(offsets(9, 3), offsets(9, 3)) == "feedback"


def test_idle_partition_is_passed_over_again_after_as_long() -> None:
    """A pass reaches as far as the other partition was: while that moves on, another follows, at the same pace."""
    clock = Clock()
    watch = IdleWatch(30, clock)
    watch.update(offsets(0, 0), offsets(0, 0))
    passed = []
    for second in range(1, 121):
        clock.now = float(second)
        if watch.update(offsets(second, 0), offsets(second, 0)) == "feedback":
            passed.append(second)
    assert passed == [30, 60, 90, 120]


def test_silence_is_when_every_partition_stands_still_for_long() -> None:
    """Both read to their ends, and nothing new at either: the shard is to follow the others' time."""
    clock = Clock()
    watch = IdleWatch(30, clock)
    assert not watch.silent
    watch.update(offsets(5, 2), offsets(5, 1))
    clock.now = 40.0
    watch.update(offsets(5, 2), offsets(5, 1))
    assert not watch.silent  # it has not read what there is
    watch.update(offsets(5, 2), offsets(5, 2))
    clock.now = 69.0
    watch.update(offsets(5, 2), offsets(5, 2))
    assert not watch.silent
    clock.now = 70.0
    watch.update(offsets(5, 2), offsets(5, 2))
    assert watch.silent
    watch.update(offsets(6, 2), offsets(6, 2))
    assert not watch.silent


def test_silence_that_was_passed_comes_again_after_as_long() -> None:
    """The others go on meanwhile; asking them at every look would cost a connection each."""
    clock = Clock()
    watch = IdleWatch(30, clock)
    watch.update(offsets(5, 2), offsets(5, 2))
    clock.now = 30.0
    watch.update(offsets(5, 2), offsets(5, 2))
    watch.wait(passed=True)
    assert not watch.silent
    assert watch.passed == 1
    clock.now = 60.0
    assert watch.silent
    watch.update(offsets(6, 2), offsets(6, 2))
    assert watch.passed == 0


def test_outage_is_no_silence() -> None:
    """While the brokers were away nobody could send: what is there then has as long as ever to come."""
    clock = Clock()
    watch = IdleWatch(30, clock)
    watch.update(offsets(5, 2), offsets(5, 2))
    watch.restart()
    clock.now = 100.0
    assert watch.update(offsets(9, 2), offsets(9, 2)) is None
    assert not watch.silent


def test_role_without_main_partitions_is_never_silent() -> None:
    """Rank and publish have no time of their own to follow."""
    clock = Clock()
    watch = IdleWatch(30, clock)
    watch.update({}, {})
    clock.now = 100.0
    watch.update({}, {})
    assert not watch.silent
