from __future__ import annotations

import logging

from streams.logs import RateLimit


def line(number: int) -> logging.LogRecord:
    """One record of a logging call."""
    return logging.LogRecord("aiokafka", logging.ERROR, "client.py", 10, "no broker %d", (number,), None)


def test_storm_of_one_call_is_cut_and_counted() -> None:
    """Without a broker aiokafka logs 8,000 lines a second: a few pass, the rest is a number."""
    now = [0.0]
    limit = RateLimit(per_minute=3, clock=lambda: now[0])
    assert [limit.filter(line(number)) for number in range(10)] == [True] * 3 + [False] * 7
    now[0] = 61.0
    first = line(11)
    assert limit.filter(first)
    assert first.getMessage() == "no broker 11 (7 more like this were kept back)"


def test_other_calls_are_not_held_back() -> None:
    """What is said elsewhere passes while one call storms."""
    limit = RateLimit(per_minute=1, clock=lambda: 0.0)
    other = logging.LogRecord("aiokafka", logging.ERROR, "client.py", 11, "something else", (), None)
    assert limit.filter(line(0))
    assert not limit.filter(line(1))
    assert limit.filter(other)
