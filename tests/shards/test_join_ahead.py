"""A join shard that catches up: one of its topics may be read far ahead of the other."""

from __future__ import annotations

import pytest

from lis_online.shards import join
from lis_online.shards.join import JoinShard
from tests.join.logs import SETTINGS, feedback, impression, records

LATENESS = SETTINGS.events.allowed_lateness


@pytest.fixture(autouse=True)
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ten records are many."""
    monkeypatch.setattr(join, "PILED_UP", 10)


def shard_of(shown: int, acted: int, times: int = LATENESS) -> JoinShard:
    """Return a shard that has read so many records of each topic, so far apart."""
    shard = JoinShard(SETTINGS, 0)
    shard.feed(records("impressions", [impression(f"r{k}", ts=1000 + times * k) for k in range(shown)]))
    shard.feed(records("feedback", [feedback(f"r{k}", ts=1000 + times * k) for k in range(acted)]))
    return shard


@pytest.mark.parametrize(
    ("shown", "acted", "ahead"), [(40, 1, "impressions"), (1, 40, "feedback"), (40, 0, "impressions")]
)
def test_topic_whose_records_pile_up_is_named(shown: int, acted: int, ahead: str) -> None:
    """It is to be read no further, or memory would grow with what there is to catch up."""
    assert shard_of(shown, acted).ahead() == ahead


def test_topics_that_are_close_are_not_held() -> None:
    """Within the lateness records wait anyway, however many they are."""
    assert shard_of(40, 39, times=1).ahead() is None
    assert shard_of(40, 40).ahead() is None


def test_few_records_wait_as_long_as_they_like() -> None:
    """A quiet stream is not held: memory is not at stake."""
    assert shard_of(8, 1).ahead() is None


def test_topic_is_named_no_more_once_the_other_has_come_up() -> None:
    """Holding ends by itself."""
    shard = shard_of(40, 1)
    shard.feed(records("feedback", [feedback(f"r{k}", ts=1000 + LATENESS * k) for k in range(40)]))
    assert shard.ahead() is None
