"""What a file of vectors holds, before anything is sent: counts, norms, and what breaks a rule."""

from __future__ import annotations

from collections.abc import Iterable, Set
from dataclasses import dataclass
from typing import Any, Final

import msgspec
import numpy as np

from lis_online.events.recorded_log import RecordedEvent
from lis_online.replay.vector_files import Table
from lis_online.replay.vectors import NAMED, narrowed, not_finite, repeated


@dataclass(frozen=True, slots=True)
class Survey:
    """A file of vectors in numbers.

    rows, items: of the file, distinct ids. not_finite: rows that are not finite as float16; contradicting: items with
    different vectors. Of both up to five ids stand in `examples`. zero: vectors of length 0, whose every cosine is 0.
    norms: least, median and greatest length of the finite ones, None where there is none. unknown: items that a log
    does not show; shown, without_vector: items that it shows, and those of them without a vector; None without a log.
    """

    rows: int
    items: int
    dimension: int
    not_finite: int
    contradicting: int
    zero: int
    norms: tuple[float, float, float] | None
    unknown: int | None
    shown: int | None
    without_vector: int | None
    examples: dict[str, list[str]]

    @classmethod
    def of(cls, table: Table, shown: Set[str] | None = None) -> Survey:
        """Return the survey of a table. shown: the items of a log, where there is one."""
        narrow = narrowed(table)
        bad = not_finite(narrow)
        good = np.delete(narrow, bad, axis=0).astype(np.float32)
        norm = np.linalg.norm(good, axis=1)
        first, contradicting = repeated(table, narrow)
        items = set(table.item_id.tolist())
        unknown = None if shown is None else sorted(items - shown)
        examples = {"not_finite": table.item_id[bad], "contradicting": contradicting, "unknown": unknown or []}
        return cls(
            rows=len(table.item_id),
            items=len(first),
            dimension=int(table.vector.shape[1]),
            not_finite=len(bad),
            contradicting=len(contradicting),
            zero=int((norm == 0).sum()),
            norms=(float(norm.min()), float(np.median(norm)), float(norm.max())) if len(norm) else None,
            unknown=None if unknown is None else len(unknown),
            shown=None if shown is None else len(shown),
            without_vector=None if shown is None else len(shown - items),
            examples={name: [str(one) for one in some[:NAMED]] for name, some in examples.items() if len(some)},
        )

    def to_json(self) -> dict[str, Any]:
        """Return every number by its name."""
        found: dict[str, Any] = msgspec.to_builtins(self)
        return found


class _Shown(msgspec.Struct):
    items: list[str]


_decoder: Final = msgspec.json.Decoder(_Shown)


def shown_items(log: Iterable[RecordedEvent]) -> set[str]:
    """Return every item that a recorded log's impressions show; malformed ones are passed over."""
    found: set[str] = set()
    for topic, value in log:
        if topic == "impressions":
            try:
                found.update(_decoder.decode(value or b"").items)
            except (ValueError, RecursionError):
                continue
    return found
