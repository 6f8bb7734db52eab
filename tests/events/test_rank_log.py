"""Records of the rank log: blocks and controls, told apart, refused when they are neither."""

import pytest

from lis_online.errors import BlockError
from lis_online.events.rank_log import VERSION, Block, Control, Side, decode

RECORDS = [
    Block(VERSION, 3, 5, b"slates", 7, b"pairs", [Side(-1, b"offsets", b"data")], 1573516800000),
    Block(VERSION, 0, 0, b"", 0, b"", [], -5),
    Control(VERSION, ["leaked:coclick", "twin"]),
    Control(VERSION, []),
]


@pytest.mark.parametrize("record", RECORDS)
def test_a_record_comes_back_as_it_was(record: Block | Control) -> None:
    """Kind and every field survive the way through bytes."""
    assert decode(record.encode()) == record


@pytest.mark.parametrize("record", [Block(VERSION + 1, 0, 0, b"", 0, b"", [], 5), Control(1, ["twin"])])
def test_another_version_is_refused_with_both(record: Block | Control) -> None:
    """A log that another version wrote is never half understood."""
    with pytest.raises(BlockError, match=f"has version {record.version}, this code reads {VERSION}"):
        decode(record.encode())


DEEP = b"\x94\xa7control\x02\x90" + b"\x91" * 100_000 + b"\x90"
"""A control with one more field, which is nested more deeply than Python follows."""


@pytest.mark.parametrize("data", [b"", b"\xc1", b"\x92\xa5other\x02", DEEP, Control(VERSION, ["twin"]).encode()[:-1]])
def test_other_bytes_are_refused(data: bytes) -> None:
    """What is no record of ours is a bug, not an empty block."""
    with pytest.raises(BlockError, match="cannot be read"):
        decode(data)
