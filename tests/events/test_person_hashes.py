"""Hashes of persons' ids: plain ones without a key, and with one nothing that an id alone can tell."""

from __future__ import annotations

from hashlib import blake2b

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lis_online.errors import SettingsError
from lis_online.events.hashing import NO_ID, id_hash
from lis_online.events.person_hashes import PersonHashes, key_digest
from lis_online.settings import Settings
from lis_online.settings.model import PrivacySettings

KEY = "a key of twenty-four byt"


def hashes(key: str | None) -> PersonHashes:
    """Return the hashes of a key."""
    return PersonHashes(PrivacySettings.model_validate({"user_key": key}))


def slow(key: str, use: bytes, text: str) -> int:
    """Return a hash by BLAKE2b's own arguments, in one piece."""
    derived = blake2b(key.encode(), digest_size=32, person=b"lis-" + use).digest()
    return int.from_bytes(blake2b(text.encode(), key=derived, digest_size=8).digest(), "little", signed=True)


@given(st.text(), st.text(min_size=16))
def test_a_keyed_hash_is_blake2bs_own(text: str, key: str) -> None:
    """Whatever the length of the key; each use is a function of its own, and no id is NO_ID."""
    made = hashes(key)
    for use, function in ((b"user", made.user), (b"author", made.author), (b"request", made.request)):
        assert function(text) == function(text) == (slow(key, use, text) or 1) != NO_ID


@given(st.text())
def test_without_a_key_every_id_has_the_hash_it_always_had(text: str) -> None:
    """Logs and checkpoints that were made before there were keys hold them."""
    made = hashes(None)
    assert made.user(text) == made.author(text) == made.request(text) == id_hash(text)


def test_a_keyed_hash_is_the_same_for_ever() -> None:
    """A new version must know the users of the one before."""
    made = hashes(KEY)
    assert (made.user("u7"), made.author("u7"), made.request("u7")) == GOLDEN
    assert key_digest(PrivacySettings.model_validate({"user_key": KEY})) == GOLDEN_DIGEST


GOLDEN = (-6921050488298489627, -94286452095518252, 6990204579338566723)
GOLDEN_DIGEST = "48bf2a1e600226e5d36c8b4f605a7ab7"


def test_another_key_makes_every_user_another_one() -> None:
    """And its digest says that it is another one, and is neither the key nor a hash of it alone."""
    one, two = hashes(KEY), hashes(KEY + "!")
    ids = [f"u{n}" for n in range(100)]
    assert not {one.user(user) for user in ids} & {two.user(user) for user in ids}
    digests = [key_digest(PrivacySettings.model_validate({"user_key": key})) for key in (KEY, KEY + "!", None)]
    assert len(set(digests)) == 3 and digests[2] is None
    assert digests[0] != blake2b(KEY.encode(), digest_size=16).hexdigest()


@pytest.mark.parametrize("key", ["", "short", "fifteen bytes.."])
def test_a_short_key_is_refused_without_being_shown(key: str) -> None:
    """It could be guessed; the sentence goes into logs."""
    with pytest.raises(SettingsError) as refused:
        Settings.of({"privacy": {"user_key": key}})
    assert str(refused.value) == f"settings: privacy.user_key: must have at least 16 bytes, got {len(key)}"


def test_a_key_of_another_type_is_not_shown_either() -> None:
    """A number in place of a text is a mistake that is made."""
    with pytest.raises(SettingsError) as refused:
        Settings.of({"privacy": {"user_key": 1234567890123456789}})
    assert "1234567890" not in str(refused.value)
