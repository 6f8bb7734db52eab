"""A rank group's buckets, put together from their parts, each once and in order."""

from __future__ import annotations

from typing import Any

import msgspec

from lis_online.errors import BlockError
from lis_online.events.windows_log import RankBucket


class PartAssembler:
    """The parts of the bucket that is not whole yet. A part that was sent again is passed over."""

    def __init__(self) -> None:
        self._sequence = 0
        self._parts: dict[int, bytes] = {}
        self._expected = 0

    def update(self, part: RankBucket) -> RankBucket | None:
        """Take a part; return the whole bucket (part 0 of 1) where it was the last to come.

        Raises BlockError where a bucket is missing before it.
        """
        if part.sequence < self._sequence:
            return None
        if part.sequence > self._sequence:
            raise BlockError(
                f"rank group {part.group}: bucket {self._sequence} must come before {part.sequence}; "
                f"{len(self._parts)} of its parts came"
            )
        if part.parts != self._expected:
            self._parts.clear()
            self._expected = part.parts
        self._parts[part.part] = part.data
        if len(self._parts) < part.parts:
            return None
        data = b"".join(self._parts[k] for k in range(part.parts))
        self._parts.clear()
        self._sequence += 1
        return msgspec.structs.replace(part, part=0, parts=1, data=data)

    def snapshot(self) -> list[Any]:
        """Return the state as msgpack-able data."""
        return [self._sequence, self._expected, [[k, data] for k, data in sorted(self._parts.items())]]

    def restore(self, state: list[Any]) -> None:
        """Replace the state by that of `snapshot`."""
        self._sequence, self._expected, parts = state
        self._parts = dict(parts)
