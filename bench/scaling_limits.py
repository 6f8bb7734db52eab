"""The first thing that breaks on each axis: a stream or a setting pushed until it is refused, and the sentence for it.

Every probe really pushes: what it returns is what a person would read.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
from collections.abc import Callable
from typing import Any, Final

import msgspec

from bench import standard
from bench.scaling_point import START
from lis_online.errors import LisError
from lis_online.events.decode import MAX_ID, MAX_ITEMS
from lis_online.records import Record
from lis_online.settings import Settings
from lis_online.shards.join import JoinShard

ADDRESS_SPACE: Final = 8 << 30
"""Bytes that the process of the memory probe may have."""


def probes() -> dict[str, list[tuple[str, Callable[[], str]]]]:
    """Return what is pushed on each axis, in words, and how."""
    long = "x" * (MAX_ID - 4)
    attributes = {f"{k:04}{long}": {"author": long, "category": long} for k in range(MAX_ITEMS)}
    numbers = [0.123456789012345678] * 65_536
    return {
        "slate": [
            (f"{MAX_ITEMS + 1} items", lambda: refused("impressions", items=names(MAX_ITEMS + 1))),
            (
                f"{MAX_ITEMS} items, names and attributes of {MAX_ID} characters",
                lambda: refused("impressions", items=[*attributes], item_attributes=attributes),
            ),
        ],
        "history": [
            ("1,001 entries", lambda: unset(events={"history_length": 1_001})),
        ],
        "dimension": [
            ("65,536 numbers written out in JSON", lambda: refused("representations", vector=numbers)),
            ("65,537 numbers", lambda: unset(variant=[VARIANT | {"dimension": 65_537}])),
        ],
        "partitions": [("4,097", lambda: unset(kafka={"partitions": 4_097}))],
        "sketch_bits": [
            ("28, in a process of 8 GiB", lambda: out_of_memory(28)),
            ("29", lambda: unset(leakage={"sketch_bits": 29})),
        ],
    }


VARIANT: Final = {"name": "good", "preference": "coclick"}


def names(count: int) -> list[str]:
    """Return item ids."""
    return [f"i{k}" for k in range(count)]


def refused(topic: str, **fields: Any) -> str:
    """Return why a join shard refuses a record, as its dead letter says it; "" where it takes it."""
    whole = {"schema_version": 1, "ts": START, "request_id": "r", "user_id": "u", "surface": "feed", "items": ["i"]}
    whole |= {"variant": "good", "version": "1", "item_id": "i"} | fields
    shard = JoinShard(standard.settings(), 0)
    outgoing = shard.feed([Record(topic, 0, 0, START, msgspec.json.encode(whole))])
    headers = [dict(out.headers) for out in outgoing if out.topic == "dead_letters"]
    return "; ".join(f"{one['reason'].decode()}: {one['detail'].decode()}" for one in headers)


def unset(**tables: Any) -> str:
    """Return why settings are refused; "" where they are taken."""
    try:
        Settings.of({"preference": [{"name": "coclick"}]} | tables)
    except LisError as error:
        return str(error)
    return ""


def out_of_memory(bits: int) -> str:
    """Return the last line of a rank shard that does not get the memory for its sketches; "" where it does."""
    code = f"from bench.scaling_limits import make_sketches; make_sketches({bits})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    return "" if done.returncode == 0 else done.stderr.strip().splitlines()[-1]


def make_sketches(bits: int) -> None:
    """Make a rank shard in a process whose memory is bounded."""
    from lis_online.shards.rank import RankShard

    resource.setrlimit(resource.RLIMIT_AS, (ADDRESS_SPACE, ADDRESS_SPACE))
    RankShard(standard.settings(leakage={"sketch_bits": bits}))


def breaks() -> list[dict[str, str]]:
    """Return, for each probe, its axis, what was pushed and what was said. Raises RuntimeError where nothing broke."""
    found = []
    for axis, some in probes().items():
        for pushed, probe in some:
            said = probe()
            if not said:
                raise RuntimeError(f"{axis} was pushed to {pushed}, and nothing broke")
            found.append({"axis": axis, "pushed": pushed, "said": said})
    return found


if __name__ == "__main__":
    sys.stdout.write(json.dumps(breaks(), indent=1) + "\n")
