"""A finished bucket as records of the windows topic."""

from __future__ import annotations

from typing import Any, Final

from lis_online.events import windows_log
from lis_online.records import Outgoing

PART: Final = 400_000
"""Bytes of a bucket in one record: well under Kafka's default limit of 1 MiB."""


def bucket_records(data: bytes, **fields: Any) -> list[Outgoing]:
    """Return the records of a bucket. data: of its statistics; fields: of `RankBucket`, the same in each."""
    parts = [data[at : at + PART] for at in range(0, len(data), PART)] or [b""]
    records = [
        windows_log.RankBucket(version=windows_log.VERSION, part=part, parts=len(parts), data=piece, **fields)
        for part, piece in enumerate(parts)
    ]
    return [Outgoing("windows", windows_log.encode(record)) for record in records]
