"""Names of what lies in `checkpoints.directory`. They sort by position, and of one position by time."""

from __future__ import annotations

import re
from typing import Final, NamedTuple

MANIFEST: Final = "json"
DATA: Final = "safetensors"
CLEAN: Final = "clean"
SPENT: Final = "spent"
"""Kinds: a checkpoint's manifest and data, and the two marks of a graceful stop (`store.py`)."""

DAMAGED: Final = "damaged"
HALF: Final = "half"
"""Endings of what was set aside, and of what was being written when a worker died."""

ARCHIVE: Final = "archive/"

_NAME = re.compile(
    rf"(?P<role>[a-z]+)-(?P<partition>\d+)-(?P<position>\d{{20}})-(?P<writer>[0-9a-f]{{20}})"
    rf"\.(?P<kind>{MANIFEST}|{DATA}|{CLEAN}|{SPENT})(?P<rest>\.{DAMAGED}|\.{HALF}[0-9a-f]{{8}})?"
)
_FORMER = re.compile(rf"(?P<role>[a-z]+)-(?P<partition>\d+)-(?P<position>\d{{20}})\.{DATA}")


class Stem(NamedTuple):
    """What a checkpoint's objects are named after. The order of stems of one shard is that of their states.

    writer: 20 hexadecimal digits, 12 of them the milliseconds since 1970 and 8 random ones: no two are the same.
    """

    role: str
    partition: int
    position: int
    writer: str

    def of(self, kind: str) -> str:
        """Return the name of one of its objects.

        >>> Stem("join", 3, 120, "018e0000000000000000").of(MANIFEST)
        'join-3-00000000000000000120-018e0000000000000000.json'
        """
        return f"{self.role}-{self.partition}-{self.position:020d}-{self.writer}.{kind}"


class Parsed(NamedTuple):
    """A name taken apart. whole: it ends with its kind; else it was set aside (damaged), or is half of one."""

    stem: Stem
    kind: str
    whole: bool
    damaged: bool


def parse(name: str) -> Parsed | None:
    """Return what a name says; None where it is not one of ours."""
    match = _NAME.fullmatch(name)
    if match is None:
        return None
    stem = Stem(match["role"], int(match["partition"]), int(match["position"]), match["writer"])
    return Parsed(stem, match["kind"], match["rest"] is None, match["rest"] == f".{DAMAGED}")


def former(name: str) -> tuple[str, int, int] | None:
    """Return role, partition and position of a checkpoint in the layout of release 0.1, one file that was renamed."""
    match = _FORMER.fullmatch(name)
    return None if match is None else (match["role"], int(match["partition"]), int(match["position"]))
