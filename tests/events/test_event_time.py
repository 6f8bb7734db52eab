"""The time of a record that nothing has decoded yet."""

from __future__ import annotations

import json

import pytest

from lis_online.events.event_time import event_time
from lis_online.events.wire import END_TICK


@pytest.mark.parametrize("topic", ["impressions", "feedback", "preferences", "representations"])
def test_every_topic_has_its_time(topic: str) -> None:
    """The same field in all four."""
    assert (
        event_time(json.dumps({"schema_version": 1, "topic": topic, "ts": 1_573_516_800_000}).encode())
        == 1_573_516_800_000
    )


@pytest.mark.parametrize(
    "value", [None, b"", b"{", b"[]", b"\xff\xfe", b'{"ts": 1.5}', b'{"ts": "1"}', END_TICK, b"[" * 10_000]
)
def test_what_has_no_time_has_none(value: bytes | None) -> None:
    """A malformed record is the join shard's to refuse."""
    assert event_time(value) is None
