"""Sends what a shard returns, in its order, and waits until Kafka has it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from aiokafka.errors import MessageSizeTooLargeError
from faust.exceptions import ProducerSendError

from lis_online.records import Outgoing

DEAD_LETTERS = "dead_letters"
KEPT_OF_A_HUGE_LETTER = 512 * 1024
"""Bytes kept of a refused record that the dead-letter topic is too small for."""


SendRecord = Callable[..., Awaitable[Awaitable[Any]]]
"""Hands topic, key, value, partition, timestamp and headers to the producer (Faust's `Producer.send`);
what it returns is awaited for the acknowledgement."""


class Sender:
    """The way out of a shard.

    Records of one topic are sent together and acknowledged together; before the first record of
    another topic all before it are acknowledged. So who sees a block in the rank log finds the
    report that the shard returned before it in the windows topic.
    """

    def __init__(self, send: SendRecord, names: Mapping[str, str]) -> None:
        self._send = send
        self._names = names

    async def send(self, outgoing: Sequence[Outgoing]) -> None:
        """Send in order; return when the last is acknowledged."""
        start = 0
        for end in range(1, len(outgoing) + 1):
            if end == len(outgoing) or outgoing[end].topic != outgoing[start].topic:
                await self._send_together(outgoing[start:end])
                start = end

    async def _send_together(self, records: Sequence[Outgoing]) -> None:
        try:
            await asyncio.gather(*[await self._one(record) for record in records])
        except (MessageSizeTooLargeError, ProducerSendError) as exc:
            if records[0].topic != DEAD_LETTERS or not _too_large(exc):
                raise
            # A letter that cannot be delivered must not stop the worker: the same record would stop
            # every worker after it. Those that did arrive arrive twice.
            for record in records:
                await (await self._one(_shortened(record)))

    async def _one(self, record: Outgoing) -> Awaitable[Any]:
        partition = 0 if record.partition is None else record.partition
        return await self._send(
            self._names[record.topic], record.key, record.value, partition, None, list(record.headers) or None
        )


def _too_large(exc: BaseException) -> bool:
    return isinstance(exc, MessageSizeTooLargeError) or isinstance(exc.__cause__, MessageSizeTooLargeError)


def _shortened(record: Outgoing) -> Outgoing:
    if len(record.value) <= KEPT_OF_A_HUGE_LETTER:
        return record
    size = str(len(record.value)).encode()
    headers = (*record.headers, ("shortened_from_bytes", size))
    return record._replace(value=record.value[:KEPT_OF_A_HUGE_LETTER], headers=headers)
