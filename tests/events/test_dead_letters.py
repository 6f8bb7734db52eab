"""Dead letters keep what was refused."""

from __future__ import annotations

from lis_online.errors import EventRefused
from lis_online.events.dead_letters import KEPT_BYTES, dead_letter
from lis_online.shards.contract import Record


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


def test_an_oversized_value_is_cut_and_says_so() -> None:
    """A dead letter itself fits into a Kafka record; the header tells the true length."""
    letter = dead_letter(Record("feedback", 0, 0, -1, b"x" * 2_000_000), EventRefused("too_large", "..."))
    assert len(letter.value) == KEPT_BYTES and dict(letter.headers)["length"] == b"2000000"
