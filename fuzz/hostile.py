"""Records as nobody should send them: good ones, changed by chance."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any, Final

import msgspec

TOPICS: Final = ("impressions", "feedback", "representations", "preferences")
NOW: Final = 1_573_516_800_000

SCALARS: Final = (
    *(b"null", b"true", b"false", b"0", b"-1", b"1", b"2", b"1.0", b"1.5", b"-0.0", b"1e400", b"-1e400", b"1e-400"),
    *(b"NaN", b"Infinity", b"-Infinity", b"65504", b"65505", b"3.4e38", b"1e308", b"9007199254740992"),
    *(
        b"9223372036854775807",
        b"9223372036854775808",
        b"18446744073709551616",
        b"9" * 400,
        b"9" * 5000,
        b"-" + b"9" * 30,
    ),
    *(b'""', b'"1"', b'"\\u0000"', b'"\\ud800"', b'"\\ud83d\\ude00"', b'"\xff"', b'"\xc0\x80"', b'"\xed\xa0\x80"'),
    *(b'"a|b"', b'"' + b"x" * 256 + b'"', b'"' + b"x" * 257 + b'"', b'"' + b"x" * 70_000 + b'"', b"'a'", b"\\", b""),
    *(
        b"[]",
        b"{}",
        b"[[]]",
        b'{"a":{}}',
        b"[" * 99 + b"]" * 99,
        b"[" * 300 + b"]" * 300,
        b"[" * 10_000,
        b'{"a":' * 500,
    ),
    *(
        b'{"dtype":"float16","data":""}',
        b'{"dtype":"float16","data":"AAA="}',
        b'{"dtype":"float64","data":"AAAAAAAAAAA="}',
    ),
    *(b'{"dtype":"float32","data":"AADAfwAAwH8="}', b'{"dtype":"float16","data":"AHwAfA=="}', b'{"dtype":1}'),
)
"""JSON, nearly: what a field may hold instead of what it should."""

LARGE: Final[tuple[Callable[[], bytes], ...]] = (
    lambda: b'"' + b"x" * 1_000_000 + b'"',
    lambda: b"[" + b",".join(b'"i%d"' % k for k in range(100_000)) + b"]",
    lambda: b"[" + b",".join([b'"i1"'] * 2000) + b"]",
    lambda: b"[" + b",".join(b"0.5" for _ in range(200_000)) + b"]",
    lambda: b"{" + b",".join(b'"k%d":{"author":"a"}' % k for k in range(20_000)) + b"}",
    lambda: b"[" * 200_000,
)
"""The same, by the hundred kilobytes: rare, since a run is to have many."""

WHOLE: Final = (
    *(
        b"",
        b" ",
        b"null",
        b"[]",
        b"{}",
        b"1",
        b'"a"',
        b"\x00",
        b"\xff\xfe",
        b"\xef\xbb\xbf{}",
        b"{" * 10_000,
        b"\x1f\x8b",
    ),
    *(
        b'{"schema_version":1}',
        b'{"schema_version":2}',
        b'{"schema_version":1,"tick":"end"} ',
        b'{"schema_version":1,"tick":"END"}',
    ),
)


MISPLACED: Final[tuple[tuple[str, dict[str, Any]], ...]] = (
    *((topic, {"ts": ts}) for topic in TOPICS for ts in (NOW + 10**9, 253_402_300_800_000, 2**53 - 1)),
    ("representations", {"variant": "unknown"}),
    ("representations", {"vector": [0.5] * 3}),
    ("preferences", {"source": "unknown"}),
    ("preferences", {"source": "clicks"}),
)


class Hostile:
    """A source of hostile records. chance: all that they depend on."""

    def __init__(self, chance: Random) -> None:
        self._chance = chance

    def good(self, topic: str, ts: int | None = None) -> dict[str, Any]:
        """Return a record of a topic that obeys the schema; ts: its event time, ms."""
        chance = self._chance
        item = self._item()
        common = {"schema_version": 1, "ts": NOW + chance.randrange(3000) if ts is None else ts}
        request = chance.randrange(6)
        by_user = {**common, "request_id": f"r{request}", "user_id": f"u{request % 4}"}
        if topic == "impressions":
            items = [f"i{k}" for k in chance.sample(range(8), chance.randrange(1, 5))]
            more: dict[str, Any] = {"surface": "feed", "items": items, "experiments": {"e": chance.choice("abz")}}
            if chance.random() < 0.3:
                more |= {"history": ["i1", "i2"], "positions": list(range(len(items))), "context": {"a": 1, "b": "x"}}
                more |= {"item_attributes": {items[0]: {"author": "a", "category": "c", "created_ts": 5}}}
            return by_user | more
        if topic == "feedback":
            value = chance.choice([1, 0.5, -1, 1e300, 0])
            return by_user | {"item_id": item, "action": chance.choice(["click", "like", "odd"]), "value": value}
        if topic == "representations":
            version = chance.choice(["1", "2"])
            return common | {"variant": "title", "version": version, "item_id": item, "vector": [chance.random(), 0.5]}
        user = chance.choice([None, "u1"])
        return common | {"source": "search", "item_a": item, "item_b": "other", "user_id": user, "weight": 1}

    def record(self, topic: str) -> bytes:
        """Return a record that may break every rule, or none."""
        chance = self._chance
        if chance.random() < 0.05:
            return chance.choice(WHOLE)
        fields = {name: msgspec.json.encode(value) for name, value in self.good(topic).items()}
        for _ in range(chance.choice([0, 1, 1, 1, 2, 3])):
            self._spoil(fields)
        pairs = [b'"%b":%b' % (name.encode(), raw) for name, raw in fields.items()]
        if chance.random() < 0.1:
            pairs.insert(chance.randrange(len(pairs) + 1), chance.choice(pairs) if pairs else b"")
        return self._bytes(b"{" + b",".join(pairs) + b"}")

    def misplaced(self) -> tuple[str, bytes]:
        """Return a topic and a record that is well-formed, but not for these settings or this time."""
        topic, changes = self._chance.choice(MISPLACED)
        return topic, msgspec.json.encode(self.good(topic) | changes)

    def line(self) -> bytes:
        """Return a line of a recorded log, nearly."""
        topic = self._chance.choice([*TOPICS, "samples", "", "\x00"])
        value = self.record(self._chance.choice(TOPICS))
        return self._bytes(b'{"topic":%b,"value":%b}' % (msgspec.json.encode(topic), value)).replace(b"\n", b" ")

    def changed(self, data: bytes) -> bytes:
        """Return bytes with a few changed, cut out, doubled or put in."""
        chance, raw = self._chance, bytearray(data)
        for _ in range(chance.choice([1, 1, 2, 4])):
            at = chance.randrange(len(raw) + 1)
            kind = chance.randrange(5)
            if kind == 0 and at < len(raw):
                raw[at] = chance.randrange(256)
            elif kind == 1:
                del raw[at:]
            elif kind == 2:
                del raw[at : at + chance.randrange(1, 9)]
            elif kind == 3:
                raw[at:at] = raw[at : at + chance.randrange(1, 30)]
            else:
                raw[at:at] = chance.randbytes(chance.randrange(1, 9))
        return bytes(raw)

    def _spoil(self, fields: dict[str, bytes]) -> None:
        chance = self._chance
        name = chance.choice([*fields, "new"])
        kind = chance.randrange(10)
        if kind == 0:
            fields.pop(name, None)
        elif kind == 1 and chance.random() < 0.05:
            fields[name] = chance.choice(LARGE)()
        elif kind < 4 and fields.get(name, b"").startswith(b"["):
            fields[name] = b"[" + b",".join(chance.choice(SCALARS) for _ in range(chance.randrange(4))) + b"]"
        elif kind < 4 and fields.get(name, b"").startswith(b"{"):
            fields[name] = b'{"i1":' + chance.choice(SCALARS) + b',"":' + chance.choice(SCALARS) + b"}"
        else:
            fields[name] = chance.choice(SCALARS)

    def _bytes(self, data: bytes) -> bytes:
        return self.changed(data) if self._chance.random() < 0.15 else data

    def _item(self) -> str:
        return f"i{self._chance.randrange(8)}"
