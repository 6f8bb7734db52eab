from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from lis_online.events.hashing import id_hash, plain_hash
from lis_online.events.kept_hashes import KeptHashes
from lis_online.events.person_hashes import PersonHashes
from lis_online.settings.model import PrivacySettings

IDS = st.lists(st.text("abc", max_size=2), max_size=60)


@given(ids=IDS, most=st.integers(1, 6))
def test_kept_hash_is_the_function_s_and_memory_is_bounded(ids: list[str], most: int) -> None:
    """Whatever is pushed out, and however often an id comes back."""
    kept = KeptHashes(plain_hash, most)
    for one in ids:
        assert kept[one] == plain_hash(one)
        assert len(kept) <= most
        assert len(kept._before) <= most


@given(ids=IDS, most=st.integers(1, 6))
def test_id_is_hashed_again_only_after_that_many_others(ids: list[str], most: int) -> None:
    """Of the last `most` different ids none is hashed twice: users and items of one day are not hashed all day."""
    asked: list[str] = []

    def hash_of(text: str) -> int:
        asked.append(text)
        return 1

    kept = KeptHashes(hash_of, most)
    seen: list[str] = []
    for one in ids:
        recent = set(list(dict.fromkeys(reversed(seen)))[:most])
        asked.clear()
        assert kept[one] == 1
        assert not (asked and one in recent)
        seen.append(one)


def test_ids_are_hashed_the_same_with_and_without_memory() -> None:
    """Plain ids and those under a key."""
    keyed = PersonHashes(PrivacySettings(user_key="sixteen bytes ..."))  # type: ignore[arg-type]
    other = PersonHashes(PrivacySettings(user_key="seventeen bytes ..."))  # type: ignore[arg-type]
    for one in ("u7", "", "ä" * 300, "u7"):
        assert id_hash(one) == plain_hash(one)
        assert len({id_hash(one), keyed.user(one), keyed.author(one), other.user(one)}) == 4
        assert keyed.user(one) == keyed.user(one)
