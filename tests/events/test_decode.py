"""What arrives from outside is typed and checked, or refused with a reason and a sentence."""

from __future__ import annotations

from base64 import b64encode
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lis_online.errors import EventRefused
from lis_online.events import decode
from lis_online.events.wire import Representation
from tests.join.logs import feedback, impression

PREFERENCE = {"schema_version": 1, "source": "s", "item_a": "a", "item_b": "b", "ts": 5}
REPRESENTATION = {"schema_version": 1, "variant": "v", "version": "1", "item_id": "i", "ts": 5, "vector": [1, 2]}


def refusal(read: Any, event: Any) -> tuple[str, str]:
    """Return reason and detail of a record that must be refused."""
    value = event if isinstance(event, bytes) else msgspec.json.encode(event)
    with pytest.raises(EventRefused) as caught:
        read(value)
    return caught.value.reason, caught.value.detail


@pytest.mark.parametrize(
    ("change", "detail"),
    [
        ({"items": []}, "items must be 1 to 1000, got 0"),
        ({"items": [f"i{k}" for k in range(1001)]}, "items must be 1 to 1000, got 1001"),
        ({"items": ["a", "b", "a"]}, "items must differ within a slate, got 1 again"),
        ({"items": ["a", ""]}, "items must not hold an empty id, got ''"),
        ({"history": [""]}, "history must not hold an empty id, got ''"),
        ({"items": ["a", "b" * 257]}, "each of items must be at most 256 characters, got 257"),
        ({"history": ["b" * 10**6]}, "each of history must be at most 256 characters, got 1000000"),
        ({"request_id": "r" * 257}, "request_id must be at most 256 characters, got 257"),
        ({"user_id": "u" * 257}, "user_id must be at most 256 characters, got 257"),
        ({"item_attributes": {"x": {"author": "a" * 257}}}, "author must be at most 256 characters, got 257"),
        ({"item_attributes": {"x": {"category": "a" * 257}}}, "category must be at most 256 characters, got 257"),
        ({"request_id": ""}, "request_id must not be empty, got ''"),
        ({"user_id": ""}, "user_id must not be empty, got ''"),
        ({"ts": -1}, "ts must be >= 0 and < 2**53 ms, got -1"),
        ({"ts": 2**53}, f"ts must be >= 0 and < 2**53 ms, got {2**53}"),
        ({"positions": [0]}, "positions must be as many as items, 2, got 1"),
        ({"positions": [0, 2**15]}, "positions must be >= 0 and < 32768, got [0, 32768]"),
    ],
)
def test_an_impression_that_breaks_a_rule_is_invalid(change: dict[str, Any], detail: str) -> None:
    """The sentence names the field, the rule and the value."""
    assert refusal(decode.decode_impression, {**impression(), **change}) == ("invalid", detail)


@pytest.mark.parametrize(
    "value",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b"\xff\xfe",
        b'{"x":' + b"[" * 100_000,
        msgspec.json.encode({**impression(), "ts": "5"}),
        msgspec.json.encode({**impression(), "ts": 5.5}),
        msgspec.json.encode({**impression(), "items": [1]}),
        msgspec.json.encode({k: v for k, v in impression().items() if k != "user_id"}),
        msgspec.json.encode(impression()).replace(b'"u1"', b'"\xff"'),
        msgspec.json.encode(impression()).replace(b'"u1"', b'"\\ud800"'),
    ],
)
def test_what_is_not_typed_json_is_malformed(value: bytes) -> None:
    """Broken JSON, broken text, endless nesting, a missing or ill-typed field: one reason, never another exception."""
    assert refusal(decode.decode_impression, value)[0] == "malformed"


@given(st.binary(max_size=200))
def test_any_bytes_are_decoded_or_refused(value: bytes) -> None:
    """No bytes make a decoder raise anything but EventRefused."""
    for read in (decode.decode_impression, decode.decode_feedback, decode.decode_preference):
        with pytest.raises(EventRefused):
            read(value)


def nested(depth: int) -> bytes:
    """Return an impression with an unknown field, so that it is nested this deep."""
    return msgspec.json.encode(impression())[:-1] + b',"new":' + b"[" * (depth - 1) + b"]" * (depth - 1) + b"}"


def test_the_depth_of_nesting_is_judged_by_a_rule_and_not_by_the_stack() -> None:
    """A record is refused live and in a replay alike, however deep in calls the decoder stands."""
    assert decode.decode_impression(nested(100)).items == ["i1", "i2"]
    for depth in (101, 900, 100_000):
        detail = f"nesting must be at most 100 deep, got {depth}"
        assert refusal(decode.decode_impression, nested(depth)) == ("malformed", detail)
    many = {f"i{k}": {"author": "a"} for k in range(1000)}
    wide = msgspec.json.encode({**impression(), "item_attributes": many})
    assert len(decode.decode_impression(wide).item_attributes) == 1000


def test_unknown_fields_are_ignored() -> None:
    """A newer producer may add fields."""
    value = msgspec.json.encode({**impression(), "new": {"deep": [1]}})
    assert decode.decode_impression(value).items == ["i1", "i2"]


def test_another_schema_version_is_named_even_where_its_fields_are_not_ours() -> None:
    """The operator reads "schema version 2", not "expected str"."""
    detail = "schema_version must be 1, got 2"
    assert refusal(decode.decode_feedback, {"schema_version": 2, "request_id": 5}) == ("schema_version", detail)
    assert refusal(decode.decode_feedback, {**feedback(), "schema_version": 2}) == ("schema_version", detail)
    assert refusal(decode.decode_feedback, {"schema_version": 1, "request_id": 5})[0] == "malformed"


def test_a_record_over_one_mebibyte_is_too_large() -> None:
    """Size is judged before anything is parsed."""
    assert refusal(decode.decode_impression, b"x" * (2**20 + 1))[0] == "too_large"
    assert refusal(decode.decode_impression, b"x" * 2**20)[0] == "malformed"


def test_feedback_value_must_be_finite() -> None:
    """No infinite or missing number reaches a total."""
    value = msgspec.json.encode(feedback()).replace(b'"click"', b'"click","value":1e999')
    assert refusal(decode.decode_feedback, value)[0] == "malformed"
    assert refusal(decode.decode_feedback, {**feedback(), "value": None})[0] == "malformed"
    assert decode.decode_feedback(msgspec.json.encode({**feedback(), "value": 2})).value == 2.0


@pytest.mark.parametrize(
    ("change", "detail"),
    [
        ({"item_b": "a"}, "item_b must differ from item_a, got a twice"),
        ({"weight": 0}, "weight must be >= 1 and < 2**31, got 0"),
        ({"weight": 2**31}, f"weight must be >= 1 and < 2**31, got {2**31}"),
        ({"user_id": ""}, "user_id must not be empty, got ''"),
        ({"user_id": "u" * 257}, "user_id must be at most 256 characters, got 257"),
        ({"source": "s" * 257}, "source must be at most 256 characters, got 257"),
        ({"item_a": "a" * 257}, "item_a must be at most 256 characters, got 257"),
    ],
)
def test_a_pair_that_breaks_a_rule_is_invalid(change: dict[str, Any], detail: str) -> None:
    """A pair of an item with itself says nothing; a weight counts clicks."""
    assert refusal(decode.decode_preference, {**PREFERENCE, **change}) == ("invalid", detail)


def vector(given: Any, dimension: int = 2) -> np.ndarray:
    """Return the vector of a record as it arrives."""
    event = decode.decode_representation(msgspec.json.encode({**REPRESENTATION, "vector": given}))
    return decode.vector_of(event, dimension)


@given(st.lists(st.floats(-65504, 65504, width=16), min_size=1, max_size=5), st.sampled_from(["<f2", "<f4"]))
def test_packed_and_listed_vectors_are_the_same(numbers: list[float], dtype: str) -> None:
    """Base64 of little-endian numbers is read as what was written."""
    data = b64encode(np.array(numbers, dtype).tobytes()).decode()
    packed = {"dtype": "float16" if dtype == "<f2" else "float32", "data": data}
    assert vector(packed, len(numbers)).tolist() == vector(numbers, len(numbers)).tolist() == numbers


@pytest.mark.parametrize(
    ("given_vector", "reason"),
    [
        ([1.0], "wrong_dimension"),
        ([], "wrong_dimension"),
        ([1.0, 1e6], "invalid"),
        ({"dtype": "float32", "data": b64encode(np.array([1, 1e6], "<f4").tobytes()).decode()}, "invalid"),
        ({"dtype": "float16", "data": b64encode(np.array([1, np.nan], "<f2").tobytes()).decode()}, "invalid"),
        ({"dtype": "float64", "data": "AAAA"}, "invalid"),
        ({"dtype": "float16", "data": "AAA"}, "invalid"),
        ({"dtype": "float16", "data": "?"}, "invalid"),
        ({"dtype": "float16", "data": "AAA="}, "wrong_dimension"),
        ({"dtype": "float16", "data": "AA=="}, "invalid"),
        ({"dtype": "float16", "data": "é"}, "invalid"),
    ],
)
def test_a_vector_that_cannot_be_used_is_refused(given_vector: Any, reason: str) -> None:
    """Wrong length, numbers that float16 cannot hold, another type, broken base64."""
    event = msgspec.json.decode(msgspec.json.encode({**REPRESENTATION, "vector": given_vector}), type=Representation)
    with pytest.raises(EventRefused) as caught:
        decode.vector_of(event, 2)
    assert caught.value.reason == reason
