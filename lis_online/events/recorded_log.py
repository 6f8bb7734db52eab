"""Recorded logs: records of the input topics in order of arrival, from a file or a pipe.

JSON lines of `{"topic": "impressions", "value": {...}}`, plain or gzip (name ends with .gz), or
Parquet (name ends with .parquet) with the text columns topic and value.
"""

from __future__ import annotations

import gzip
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO, Final, cast

import msgspec

from lis_online.errors import ReplayError
from lis_online.files import check_readable, unreadable

TOPICS: Final = ("impressions", "feedback", "representations", "preferences")
STDIN: Final = "-"

RecordedEvent = tuple[str, bytes | None]
"""A logical topic and a record's value; None is a tombstone."""


class _Line(msgspec.Struct):
    topic: str
    value: msgspec.Raw


_decoder = msgspec.json.Decoder(_Line)


def read(path: str | Path) -> Iterator[RecordedEvent]:
    """Yield (topic, value) of a recorded log; "-" reads standard input.

    Raises ReplayError where the file is missing or is not a recorded log.
    """
    name = str(path)
    if name == STDIN:
        yield from read_lines(sys.stdin.buffer, "standard input")
        return
    try:
        if name.endswith(".parquet"):
            yield from _read_parquet(name)
        else:
            with _open(name) as lines:
                yield from read_lines(lines, name)
    except (OSError, EOFError) as exc:
        raise unreadable(name, exc) from exc


def read_lines(lines: Iterable[bytes], origin: str) -> Iterator[RecordedEvent]:
    r"""Yield (topic, value) of JSON lines. The value's own bytes are passed on as they are.

    A later line that is not JSON, say one cut short, is yielded whole as an impression: the join shard
    refuses it into the dead letters, as it does in Kafka, and a night's log is not lost for it.
    A first line that is not such a record says that this is no recorded log: ReplayError.

    >>> list(read_lines([b'{"topic":"feedback","value":{"a":1}}\n', b'{"topic":"feedb'], "log"))
    [('feedback', b'{"a":1}'), ('impressions', b'{"topic":"feedb')]
    """
    first = True
    for number, line in enumerate(lines, start=1):
        text = line.strip()
        if not text:
            continue
        try:
            yield _record(text, f"{origin}, line {number}")
        except (ValueError, RecursionError) as exc:
            if first:
                raise ReplayError(
                    f'{origin}, line {number}: must be {{"topic": ..., "value": ...}} in JSON: {exc}'
                ) from exc
            yield ("impressions", text)
        first = False


def _record(text: bytes, place: str) -> RecordedEvent:
    line = _decoder.decode(text)
    value = bytes(line.value)
    return _known(line.topic, place), None if value == b"null" else value


def _known(topic: str, place: str) -> str:
    if topic not in TOPICS:
        raise ReplayError(f"{place}: topic must be one of {list(TOPICS)}, got {topic[:60]!r}")
    return topic


def _open(name: str) -> BinaryIO:
    if name.endswith(".gz"):
        return cast(BinaryIO, gzip.open(name, "rb"))
    return Path(name).open("rb")


def _read_parquet(name: str) -> Iterator[RecordedEvent]:
    try:
        import pyarrow as arrow
        import pyarrow.parquet as parquet
    except ImportError as exc:
        raise ReplayError(f"{name}: reading Parquet needs pyarrow: pip install 'lis-online[parquet]'") from exc
    check_readable(name)
    try:
        file = parquet.ParquetFile(name)
        missing = {"topic", "value"} - set(file.schema_arrow.names)
        if missing:
            raise ReplayError(f"{name}: must have the columns topic and value, got {file.schema_arrow.names}")
        row = 0
        for batch in file.iter_batches(columns=["topic", "value"]):
            columns = zip(batch.column("topic").to_pylist(), batch.column("value").to_pylist(), strict=True)
            for topic, value in columns:
                row += 1
                yield _known(str(topic), f"{name}, row {row}"), _bytes(value, f"{name}, row {row}")
    except (arrow.ArrowException, ValueError) as exc:  # ValueError: text that is not UTF-8
        raise ReplayError(f"{name}: is not Parquet: {exc}") from exc


def _bytes(value: object, place: str) -> bytes | None:
    if isinstance(value, str):
        return value.encode()
    if value is None or isinstance(value, bytes):
        return value
    raise ReplayError(f"{place}: value must be text, got {type(value).__name__}")
