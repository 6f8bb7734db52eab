"""Dead letters keep what was refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lis_online.errors import EventRefused
from lis_online.events.dead_letters import (
    KEPT_BYTES,
    KEPT_KEY_BYTES,
    Headers,
    Letter,
    Mark,
    Place,
    dead_letter,
    read_letter,
)
from lis_online.records import Outgoing, Record


def read_back(letter: Outgoing) -> Letter:
    """Return a letter as whoever reads the topic sees it."""
    found = read_letter(3, 5, letter.value, letter.key, letter.headers)
    assert isinstance(found, Letter)
    return found


def test_a_dead_letter_keeps_bytes_key_and_place() -> None:
    """Whoever repairs it finds the record as it was and why it was refused."""
    record = Record("feedback", 3, 17, -1, b"\xff\x00", b"u1")
    letter = dead_letter(record, EventRefused("malformed", "text é"))
    assert (letter.topic, letter.value, letter.key, letter.partition) == ("dead_letters", b"\xff\x00", b"u1", None)
    assert letter.headers == (
        ("topic", b"feedback"),
        ("partition", b"3"),
        ("offset", b"17"),
        ("reason", b"malformed"),
        ("detail", "text é".encode()),
    )
    place = Place("feedback", 3, 17)
    assert read_back(letter) == Letter(3, 5, place, "malformed", "text é", b"\xff\x00", b"u1", True, 2)


def test_an_oversized_value_is_cut_and_says_so() -> None:
    """A dead letter itself fits into a Kafka record; the headers tell what is missing and the true length."""
    letter = dead_letter(Record("feedback", 0, 0, -1, b"x" * 2_000_000), EventRefused("too_large", "..."))
    headers = dict(letter.headers)
    assert (len(letter.value), headers["truncated"], headers["length"]) == (KEPT_BYTES, b"value", b"2000000")
    found = read_back(letter)
    assert (found.whole, found.length) == (False, 2_000_000)


def test_an_oversized_key_is_cut_and_says_so() -> None:
    """A key as long as a record may be would stop the worker as surely as such a value."""
    letter = dead_letter(Record("feedback", 0, 0, -1, b"{", b"k" * 2_000_000), EventRefused("malformed", "..."))
    headers = dict(letter.headers)
    assert (letter.key, headers["truncated"]) == (b"k" * KEPT_KEY_BYTES, b"key")
    assert headers["key_length"] == b"2000000" and not read_back(letter).whole
    both = dead_letter(Record("feedback", 0, 0, -1, b"x" * 2_000_000, b"k" * 5000), EventRefused("too_large", "..."))
    assert dict(both.headers)["truncated"] == b"value,key"


def test_a_letter_that_the_sender_shortened_is_not_whole() -> None:
    """Where the topic takes less than was kept, the sender cuts once more and says so in its own header."""
    letter = dead_letter(Record("feedback", 0, 0, -1, b"{"), EventRefused("malformed", "..."))
    shortened = letter._replace(headers=(*letter.headers, ("shortened_from_bytes", b"700000")))
    assert (read_back(shortened).whole, read_back(shortened).length) == (False, 700_000)


def test_a_mark_is_told_from_a_letter() -> None:
    """What a replay notes in the topic is not taken for a refused record."""
    mark = Mark("run", "sent", [("feedback", 0, 7)], [("feedback", 0, 9)])
    assert read_letter(0, 0, mark.encode(), None, [("mark", b"1")]) == mark
    for forged in (
        b"[" * 100_000,
        Mark("r", "sent", [("x", 0, 7)]).encode(),
        Mark("r", "sent", [], [("feedback", -1, 7)]).encode(),
    ):
        assert read_letter(0, 0, forged, None, [("mark", b"1")]) is None


GOOD = {"topic": b"feedback", "partition": b"0", "offset": b"7", "reason": b"invalid", "detail": b"..."}


@pytest.mark.parametrize(
    "change",
    [{"topic": b"samples"}, {"partition": b"-1"}, {"offset": b"x"}, {"offset": "²".encode()}, {"offset": b"9" * 5000}],
)
def test_what_is_no_letter_is_passed_over(change: dict[str, bytes]) -> None:
    """Anyone who may write to the topic may write anything: none of it ends a command."""
    assert read_letter(0, 0, b"", None, list(GOOD.items())) is not None
    assert read_letter(0, 0, b"", None, list({**GOOD, **change}.items())) is None


@given(
    st.none() | st.binary(max_size=50),
    st.lists(st.tuples(st.sampled_from([*GOOD, "mark", "length", "?"]), st.none() | st.binary(max_size=5))),
)
def test_any_record_is_a_letter_a_mark_or_neither(value: bytes | None, headers: Headers) -> None:
    """No record of the topic makes a reader fail."""
    read_letter(0, 0, value, None, headers)
