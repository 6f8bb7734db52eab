"""Hashes of ids that lead to a person, under a secret key: of users, authors and requests.

Whoever knows an id can repeat a plain hash of it, and try every id there may be. Under a key (BLAKE2b's own keyed mode,
Aumasson et al., ACNS 2013) only those who have the key can.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from hashlib import blake2b

from lis_online.events.hashing import id_hash, plain_hash
from lis_online.events.kept_hashes import KeptHashes
from lis_online.settings.model import PrivacySettings

CACHED = 1 << 17
"""Ids of users, and of authors, whose hashes a process keeps at hand, and as many before them; in memory alone."""

UNKEYED = (
    "privacy.user_key is not set: whoever knows the id of a user can find the user in logs and checkpoints; "
    "LIS_PRIVACY__USER_KEY takes one, of 16 random bytes or more"
)
"""What a person is told where there is no key."""


class PersonHashes:
    """The functions from ids to signed 64-bit integers, never 0, of one key.

    user, author: of an id; each is a function of its own, so that an author who is a user as well has two names.
    request: of a request's id, which is seen once or twice and not kept at hand. Without a key all three are `id_hash`.

    >>> plain, keyed = (PersonHashes(PrivacySettings(user_key=key)) for key in (None, "sixteen bytes ..."))
    >>> plain.user("u7") == id_hash("u7"), keyed.user("u7") == id_hash("u7"), keyed.user("u7") == keyed.author("u7")
    (True, False, False)
    """

    def __init__(self, privacy: PrivacySettings) -> None:
        self.user: Callable[[str], int] = id_hash
        self.author: Callable[[str], int] = id_hash
        self.request: Callable[[str], int] = plain_hash
        if privacy.user_key is not None:
            key = privacy.user_key.get_secret_value().encode()
            self.user, self.author = _kept_at_hand(key, b"user"), _kept_at_hand(key, b"author")
            self.request = _keyed(key, b"request")


def key_digest(privacy: PrivacySettings) -> str | None:
    """Return 32 hexadecimal digits that tell one key from another and do not give it away; None without a key.

    >>> key_digest(PrivacySettings()), len(key_digest(PrivacySettings(user_key="sixteen bytes ...")))
    (None, 32)
    """
    if privacy.user_key is None:
        return None
    return blake2b(key=_derived(privacy.user_key.get_secret_value().encode(), b"digest"), digest_size=16).hexdigest()


@lru_cache(maxsize=8)
def _kept_at_hand(key: bytes, use: bytes) -> Callable[[str], int]:
    """Return `_keyed` with a memory that all shards of a process share."""
    return KeptHashes(_keyed(key, use), CACHED).__getitem__


def _keyed(key: bytes, use: bytes) -> Callable[[str], int]:
    """Return the hash of one use of a key. The key is taken in once: a copy of that state costs less than doing so."""
    begun = blake2b(key=_derived(key, use), digest_size=8)

    def hash_of(text: str) -> int:
        state = begun.copy()
        state.update(text.encode())
        return int.from_bytes(state.digest(), "little", signed=True) or 1

    return hash_of


def _derived(key: bytes, use: bytes) -> bytes:
    """Return the key of one use, of a length that BLAKE2b takes, whatever the secret's."""
    return blake2b(key, digest_size=32, person=b"lis-" + use).digest()
