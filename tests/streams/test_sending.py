from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import Any

import pytest
from aiokafka.errors import MessageSizeTooLargeError

from lis_online.records import Outgoing
from streams.sending import KEPT_OF_A_HUGE_LETTER, Sender

NAMES = {"samples": "lis.samples", "windows": "lis.windows", "dead_letters": "lis.dead-letters"}


class Producer:
    """Records what is handed over and, apart from it, what is acknowledged; `limit` is the broker's, in bytes."""

    def __init__(self, limit: int = 10**9) -> None:
        self.log: list[tuple[str, str, bytes]] = []
        self.headers: list[Any] = []
        self._limit = limit

    async def send(
        self, topic: str, key: bytes | None, value: bytes, partition: int, timestamp: None, headers: Any
    ) -> Awaitable[None]:
        """Hand over; the acknowledgement comes later."""
        self.log.append(("handed over", topic, value))
        self.headers.append(headers)
        return asyncio.ensure_future(self._acknowledge(topic, value))

    async def _acknowledge(self, topic: str, value: bytes) -> None:
        await asyncio.sleep(0.01)
        if len(value) > self._limit:
            raise MessageSizeTooLargeError
        self.log.append(("acknowledged", topic, value))


def test_topic_is_acknowledged_before_the_next_is_begun() -> None:
    """Who sees a block in the rank log finds the report returned before it: reports are acknowledged first."""
    producer = Producer()
    outgoing = [
        Outgoing("windows", b"report 1"),
        Outgoing("windows", b"report 2"),
        Outgoing("samples", b"block"),
        Outgoing("windows", b"report 3"),
    ]
    asyncio.run(Sender(producer.send, NAMES).send(outgoing))
    assert [(what, value) for what, _, value in producer.log] == [
        ("handed over", b"report 1"),
        ("handed over", b"report 2"),
        ("acknowledged", b"report 1"),
        ("acknowledged", b"report 2"),
        ("handed over", b"block"),
        ("acknowledged", b"block"),
        ("handed over", b"report 3"),
        ("acknowledged", b"report 3"),
    ]
    assert {topic for _, topic, _ in producer.log} == {"lis.windows", "lis.samples"}


def test_nothing_to_send_is_sent_at_once() -> None:
    """A turn that returns nothing costs no round trip."""
    producer = Producer()
    asyncio.run(Sender(producer.send, NAMES).send([]))
    assert producer.log == []


def test_dead_letter_too_large_for_its_topic_is_shortened() -> None:
    """One huge refused record must not stop this worker and every worker after it; its reason is kept."""
    producer = Producer(limit=KEPT_OF_A_HUGE_LETTER)
    letter = Outgoing("dead_letters", b"x" * (KEPT_OF_A_HUGE_LETTER + 5), headers=(("reason", b"too_large"),))
    asyncio.run(Sender(producer.send, NAMES).send([letter]))
    assert producer.log[-1] == ("acknowledged", "lis.dead-letters", b"x" * KEPT_OF_A_HUGE_LETTER)
    assert producer.headers[-1] == [("reason", b"too_large"), ("shortened_from_bytes", b"524293")]


def test_block_too_large_for_its_topic_is_an_error() -> None:
    """A block cannot be shortened: the numbers would be wrong."""
    producer = Producer(limit=3)
    with pytest.raises(MessageSizeTooLargeError):
        asyncio.run(Sender(producer.send, NAMES).send([Outgoing("samples", b"block")]))
