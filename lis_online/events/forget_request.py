"""A request to forget users: a control value among impressions and feedback, in which a user is a hash.

It takes effect in the order of its partition, as every record does, so whoever reads the topic again
forgets the same users at the same place.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Final, Literal

import msgspec

from lis_online.errors import EventRefused
from lis_online.events import reasons

MOST_USERS: Final = 100
"""Of one request, which is applied in one turn; and each looks through all that is pending once."""

_BEGINNING: Final = b'{"schema_version":1,"control":"forget",'

UserHash = Annotated[int, msgspec.Meta(ge=-(2**63), le=2**63 - 1)]


class ForgetRequest(msgspec.Struct):
    """Users to forget, by the hash that the join shards give their ids under a key.

    key: `person_hashes.key_digest` of it. A request under another key would forget nobody, or somebody else.
    """

    schema_version: Literal[1]
    control: Literal["forget"]
    key: str | None
    users: Annotated[list[UserHash], msgspec.Meta(min_length=1, max_length=MOST_USERS)]


_decoder = msgspec.json.Decoder(ForgetRequest)


def encode(users: Sequence[int], key: str | None) -> bytes:
    """Return the value of a request, 1 to MOST_USERS users.

    >>> encode([7, -8], None)
    b'{"schema_version":1,"control":"forget","key":null,"users":[7,-8]}'
    """
    return msgspec.json.encode(ForgetRequest(1, "forget", key, list(users)))


def is_request(value: bytes) -> bool:
    """Say whether a value is meant as a request: it begins with the bytes of one, exactly."""
    return value.startswith(_BEGINNING)


def decode(value: bytes, key: str | None) -> list[int]:
    """Return the users of a request that was made under a key. Raises EventRefused."""
    try:
        request = _decoder.decode(value)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as exc:
        raise EventRefused(reasons.MALFORMED, f"a request to forget users cannot be read: {exc}"[:200]) from exc
    if request.key != key:
        raise EventRefused(reasons.INVALID, "a request to forget users must be made with the workers' privacy.user_key")
    return request.users
