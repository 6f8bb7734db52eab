"""Requests to forget users, as bytes."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lis_online.errors import EventRefused
from lis_online.events.forget_request import MOST_USERS, decode, encode, is_request

KEY = "0123456789abcdef" * 2
HASH = st.integers(-(2**63), 2**63 - 1)


@given(st.lists(HASH, min_size=1, max_size=MOST_USERS), st.sampled_from([None, KEY]))
def test_users_come_back_from_a_request(users: list[int], key: str | None) -> None:
    """Under the key that it was made with, and under no other."""
    value = encode(users, key)
    assert is_request(value)
    assert decode(value, key) == users
    with pytest.raises(EventRefused, match=r"^invalid: .* must be made with the workers' privacy\.user_key"):
        decode(value, "another")


BEGINNING = '{"schema_version":1,"control":"forget",'


@pytest.mark.parametrize(
    "rest",
    [
        "",
        '"users":[1]}',
        '"key":null,"users":[]}',
        '"key":null,"users":["u7"]}',
        '"key":null,"users":[9223372036854775808]}',
        '"key":null,"users":[1.5]}',
        '"key":5,"users":[1]}',
        '"key":null,"users":' + "[" * 20_000,
        f'"key":null,"users":{[1] * (MOST_USERS + 1)}}}',
        '"key":null,"users":[1]}\ud800',
    ],
)
def test_what_begins_like_a_request_and_is_none_is_refused(rest: str) -> None:
    """With the reason of any other record that cannot be read; no user stands in the sentence."""
    value = (BEGINNING + rest).encode(errors="surrogatepass")
    assert is_request(value)
    with pytest.raises(EventRefused, match=r"^malformed: a request to forget users cannot be read") as refused:
        decode(value, None)
    assert "u7" not in str(refused.value) and len(str(refused.value)) < 250


def test_an_impression_is_no_request() -> None:
    """Only the exact bytes begin one."""
    assert not is_request(msgspec.json.encode({"schema_version": 1, "request_id": "forget"}))
    assert not is_request(b'{"schema_version":1,"tick":"end"}')
    assert not is_request(b"")
