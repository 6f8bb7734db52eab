"""Vectors in a recorded log: what `evaluate` reads where there is no Kafka."""

from __future__ import annotations

import gzip
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO, cast

from lis_online.errors import UsageError
from lis_online.events.event_time import event_time
from lis_online.events.recorded_log import RecordedEvent
from lis_online.replay.vectors import Vectors


def before_first_impression(log: Iterable[RecordedEvent], vectors: Mapping[str, Vectors]) -> Iterator[RecordedEvent]:
    """Yield a log with vectors of each variant before its first impression, dated 1 ms before it."""
    records = iter(log)
    head: list[RecordedEvent] = []
    for record in records:
        head.append(record)
        if record[0] == "impressions":
            break
    first = (event_time(head[-1][1]) or 0) if head else 0
    for name, file in vectors.items():
        yield from file.records(name, first - 1)
    yield from head
    yield from records


def merged(
    log: Iterable[RecordedEvent], vectors: Vectors, variant: str, version: str, ts: int | None
) -> Iterator[RecordedEvent]:
    """Yield a log with the vectors of a version before the first impression or feedback at or after ts, ms.

    ts: None is 1 ms before the first impression or feedback. At the end where nothing is at or after it.
    """
    sent = False
    for topic, value in log:
        if not sent and topic in ("impressions", "feedback"):
            now = event_time(value)
            if now is not None and (ts is None or now >= ts):
                yield from vectors.records(variant, now - 1 if ts is None else ts, version)
                sent = True
        yield topic, value
    if not sent:
        yield from vectors.records(variant, ts or 0, version)


def write_log(path: Path, log: Iterable[RecordedEvent]) -> int:
    """Write a recorded log as JSON lines, packed where the name ends with .gz; return how many records.

    The file appears when it is whole: a command that is interrupted leaves nothing that looks like a log.
    Raises UsageError where it cannot be written.
    """
    if not path.name.endswith((".jsonl", ".jsonl.gz")):
        raise UsageError(f"--out must end with .jsonl or .jsonl.gz, got {str(path)[:200]!r}")
    unfinished = path.with_name(f".unfinished-{path.name}")
    count = 0
    try:
        with _open(unfinished) as file:
            for topic, value in log:
                file.write(b'{"topic":"%s","value":%s}\n' % (topic.encode(), b"null" if value is None else value))
                count += 1
        unfinished.replace(path)
    except (OSError, ValueError) as exc:
        why = getattr(exc, "strerror", None) or exc
        raise UsageError(f"--out must be a file that can be written, got {str(path)[:200]!r}: {why}") from exc
    finally:
        with suppress(OSError, ValueError):
            unfinished.unlink(missing_ok=True)
    return count


def _open(path: Path) -> BinaryIO:
    return cast(BinaryIO, gzip.open(path, "wb", compresslevel=3)) if path.suffix == ".gz" else path.open("wb")
