"""Threads that share the work of a step.

Each task works on a part of its own, so that how many threads there are changes no bit of the result. It pays where
tasks leave Python's lock for most of their time: compiled loops, torch's and numpy's operations on large arrays.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from typing import TypeVar

T = TypeVar("T")


def cores() -> int:
    """Return how many cores this process may use, at least 1."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


class Team:
    """Some threads, the caller's among them. The others start with the first work that there is for them.

    >>> Team(2).run([lambda: 1, lambda: 2, lambda: 3])
    [1, 2, 3]
    """

    def __init__(self, threads: int) -> None:
        self.threads = threads
        self._others = ThreadPoolExecutor(threads - 1, thread_name_prefix="team") if threads > 1 else None

    def run(self, tasks: Sequence[Callable[[], T]]) -> list[T]:
        """Run every task, and return what each returned.

        Raises what one of the tasks raised, once none of them runs any more.
        """
        if self._others is None or len(tasks) < 2:
            return [task() for task in tasks]
        waiting, found = deque(enumerate(tasks)), dict[int, T]()
        helping = [self._others.submit(_work, waiting, found) for _ in range(min(self.threads, len(tasks)) - 1)]
        try:
            _work(waiting, found)
        finally:
            waiting.clear()
            wait(helping)
        for one in helping:
            one.result()
        return [found[k] for k in range(len(tasks))]


def _work(waiting: deque[tuple[int, Callable[[], T]]], found: dict[int, T]) -> None:
    while True:
        try:
            k, task = waiting.popleft()
        except IndexError:
            return
        found[k] = task()
