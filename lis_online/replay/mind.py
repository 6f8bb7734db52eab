"""MIND's own format (Wu et al., "MIND: A Large-scale Dataset for News Recommendation", ACL 2020) as a recorded log.

`behaviors.tsv`, tab separated: impression id, user, time (`MM/DD/YYYY HH:MM:SS AM/PM`, read as UTC), history
(item ids, oldest first, may be blank), slate (`N123-0 N456-1`, 1 for a click). Not sorted by
time. There is one time per slate and no position, so positions are all 0 and a click comes 1 s after.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, NamedTuple

import msgspec

from lis_online.errors import ReplayError
from lis_online.events.wire import SCHEMA_VERSION, Feedback, Impression
from lis_online.files import unreadable
from lis_online.replay.paths import is_folder
from lis_online.replay.vectors import Vectors

TIME: Final = "%m/%d/%Y %I:%M:%S %p"
CLICK_DELAY: Final = 1000
"""ms from an impression to its clicks: the format has no time of its own for them."""


class Behavior(NamedTuple):
    """One line: an impression with its clicks. ts in ms since 1970."""

    ts: int
    impression: str
    user: str
    history: list[str]
    items: list[str]
    clicked: list[str]


def read(path: str | Path, representations: Mapping[str, Vectors] | None = None) -> Iterator[tuple[str, bytes]]:
    """Yield (topic, value) in order of time: vectors of each variant first, 1 ms before the first impression.

    path: `behaviors.tsv` or the folder that holds it. Raises ReplayError, with the number of a line that is
    not in the format.
    """
    behaviors = sorted(read_behaviors(_file(path)))
    if not behaviors:
        raise ReplayError(f"{path}: holds no impressions")
    for variant, vectors in (representations or {}).items():
        yield from vectors.records(variant, behaviors[0].ts - 1)
    yield from _events(behaviors)


def read_behaviors(path: Path) -> Iterator[Behavior]:
    """Yield the lines of `behaviors.tsv` as they come."""
    try:
        with path.open(encoding="utf-8") as lines:
            for number, line in enumerate(lines, start=1):
                if line.strip():
                    yield parse(line, f"{path}, line {number}")
    except (OSError, UnicodeDecodeError) as exc:
        raise unreadable(path, exc) from exc


def parse(line: str, place: str) -> Behavior:
    r"""Return one line of `behaviors.tsv`; place names it in errors.

    >>> parse("1\tU1\t11/12/2019 2:14:46 PM\tN1 N2\tN3-0 N4-1\n", "line 1").clicked
    ['N4']
    """
    fields = line.rstrip("\r\n").split("\t")
    if len(fields) != 5:
        raise ReplayError(f"{place}: must have 5 fields separated by tabs, got {len(fields)}")
    impression, user, time, history, slate = fields
    if not impression or not user or not slate.split():
        raise ReplayError(f"{place}: impression id, user and slate must not be empty")
    items, clicked = [], []
    for shown in slate.split():
        item, _, label = shown.rpartition("-")
        if not item or label not in ("0", "1"):
            raise ReplayError(f"{place}: a slate's entry must end with -0 or -1, got {shown[:60]!r}")
        items.append(item)
        if label == "1":
            clicked.append(item)
    return Behavior(_milliseconds(time, place), impression, user, history.split(), items, clicked)


def _milliseconds(text: str, place: str) -> int:
    try:
        return round(datetime.strptime(text, TIME).replace(tzinfo=UTC).timestamp()) * 1000
    except ValueError as exc:
        raise ReplayError(f"{place}: time must be MM/DD/YYYY HH:MM:SS AM/PM, got {text[:60]!r}") from exc


def _events(behaviors: list[Behavior]) -> Iterator[tuple[str, bytes]]:
    """Merge impressions and clicks by time; both lists are in order, so two indices do."""
    encoder = msgspec.json.Encoder()
    done = 0
    for behavior in behaviors:
        while behaviors[done].ts + CLICK_DELAY < behavior.ts:
            yield from _clicks(behaviors[done], encoder)
            done += 1
        yield "impressions", encoder.encode(_impression(behavior))
    for behavior in behaviors[done:]:
        yield from _clicks(behavior, encoder)


def _impression(behavior: Behavior) -> Impression:
    return Impression(
        schema_version=SCHEMA_VERSION,
        request_id=behavior.impression,
        user_id=behavior.user,
        ts=behavior.ts,
        surface="feed",
        items=list(dict.fromkeys(behavior.items)),
        positions=[0] * len(set(behavior.items)),
        history=behavior.history,
    )


def _clicks(behavior: Behavior, encoder: msgspec.json.Encoder) -> Iterator[tuple[str, bytes]]:
    for item in dict.fromkeys(behavior.clicked):
        ts = behavior.ts + CLICK_DELAY
        click = Feedback(SCHEMA_VERSION, behavior.impression, behavior.user, item, ts, "click")
        yield "feedback", encoder.encode(click)


def _file(path: str | Path) -> Path:
    given = Path(path)
    return given / "behaviors.tsv" if is_folder(given) else given
