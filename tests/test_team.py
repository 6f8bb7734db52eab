"""Threads that share tasks: results in order, errors once nothing runs any more, and really at once."""

from __future__ import annotations

import threading

import pytest

from lis_online.team import Team, cores


@pytest.mark.parametrize("threads", [1, 2, 5])
@pytest.mark.parametrize("tasks", [0, 1, 2, 9])
def test_results_are_in_the_order_of_the_tasks(threads: int, tasks: int) -> None:
    """Whoever computed them."""
    assert Team(threads).run([lambda k=k: k * k for k in range(tasks)]) == [k * k for k in range(tasks)]


def test_tasks_run_at_once() -> None:
    """Three that wait for each other end: in one thread after the other they would not."""
    meeting = threading.Barrier(3, timeout=30)
    assert sorted(Team(3).run([meeting.wait] * 3)) == [0, 1, 2]


def test_one_thread_is_the_callers_own() -> None:
    """A group on one thread starts none."""
    assert Team(1).run([threading.get_ident] * 3) == [threading.get_ident()] * 3


@pytest.mark.parametrize("failing", [0, 3])
def test_an_error_is_raised_once_nothing_runs_any_more(failing: int) -> None:
    """What tasks write to is the caller's again then; the team is of use as before."""
    team, running = Team(2), threading.Semaphore(0)
    begun, ended = [], []

    def task(k: int) -> None:
        begun.append(k)
        if k == failing:
            running.release()
            raise ValueError(f"task {k}")
        assert failing > k or running.acquire(timeout=30)
        running.release()
        ended.append(k)

    with pytest.raises(ValueError, match=f"task {failing}"):
        team.run([lambda k=k: task(k) for k in range(4)])
    assert sorted(begun) == sorted([*ended, failing])
    assert team.run([lambda: 1, lambda: 2]) == [1, 2]


def test_this_process_may_use_a_core() -> None:
    """Of those that the machine has."""
    assert cores() >= 1
