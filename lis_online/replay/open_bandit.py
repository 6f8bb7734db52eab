"""The Open Bandit data set (Saito, Aihara, Matsutani and Narita, arXiv 2008.07146) as a recorded log.

Two policies, `random` and `bts`, chosen by lot for each impression of a campaign: an experiment for each campaign, with
random as its control. A folder has either the data set's own files, POLICY/CAMPAIGN/CAMPAIGN.csv, or all rows in
one `events.parquet` with the columns arm and campaign.

There are no user ids. Each row becomes an impression of one item by a user of its own, so the unit is the impression
and intervals are those of independent impressions; people who came back, and the three items of one page, make the
true ones wider. A click comes 1 s after its impression: the data have no time of their own for it.
"""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from heapq import merge
from pathlib import Path
from typing import Any, Final, NamedTuple

import msgspec

from lis_online.errors import ReplayError
from lis_online.events.wire import SCHEMA_VERSION, Feedback, Impression
from lis_online.files import check_readable, unreadable
from lis_online.replay.paths import is_file, is_folder

CONTROL: Final = "random"
POLICIES: Final = (CONTROL, "bts")
PARQUET: Final = "events.parquet"
COLUMNS: Final = ("timestamp", "item_id", "position", "click")
EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
CLICK_DELAY: Final = 1000
"""ms from an impression to its click."""


class Shown(NamedTuple):
    """One row: an item shown. ts in ms since 1970; position from 0; request counts within policy and campaign."""

    ts: int
    request: str
    campaign: str
    policy: str
    item: str
    position: int
    clicked: bool


def read(path: str | Path) -> Iterator[tuple[str, bytes]]:
    """Yield (topic, value) in order of time. Raises ReplayError, with the number of a row that is not in the format."""
    return events(read_shown(path))


def read_shown(path: str | Path) -> list[Shown]:
    """Return the rows in order of time. path: the folder, or the file in Parquet."""
    given = Path(path)
    file = given / PARQUET if is_folder(given) else given
    rows = _read_parquet(file) if is_file(file) else _read_csv(given)
    count: Counter[tuple[str, str]] = Counter()
    found = []
    for place, campaign, policy, row in rows:
        count[campaign, policy] += 1
        found.append(parse(row, campaign, policy, count[campaign, policy], place))
    if not found:
        raise ReplayError(f"{path}: holds no impressions: neither {PARQUET} nor POLICY/CAMPAIGN/CAMPAIGN.csv")
    return sorted(found)


def parse(row: Mapping[str, Any], campaign: str, policy: str, number: int, place: str) -> Shown:
    """Return one row; number: of the row among its policy's and campaign's; place: names it in errors.

    >>> row = {"timestamp": "2019-11-24 00:00:01.5+00:00", "item_id": 14, "position": 3, "click": 1}
    >>> parse(row, "men", "bts", 7, "row 7")
    Shown(ts=1574553601500, request='men-bts-7', campaign='men', policy='bts', item='men-14', position=2, clicked=True)
    """
    if policy not in POLICIES:
        raise ReplayError(f"{place}: policy must be one of {list(POLICIES)}, got {policy[:60]!r}")
    position, click = str(row["position"]), str(row["click"])
    if position not in ("1", "2", "3"):
        raise ReplayError(f"{place}: position must be 1, 2 or 3, got {position[:60]!r}")
    if click not in ("0", "1"):
        raise ReplayError(f"{place}: click must be 0 or 1, got {click[:60]!r}")
    ts = _milliseconds(str(row["timestamp"]), place)
    request, item = f"{campaign}-{policy}-{number}", f"{campaign}-{row['item_id']}"
    return Shown(ts, request, campaign, policy, item, int(position) - 1, click == "1")


def events(shown: Iterable[Shown]) -> Iterator[tuple[str, bytes]]:
    """Yield (topic, value): the impressions and clicks of rows that are in order of time, as one such order."""
    rows, encoder = list(shown), msgspec.json.Encoder()
    shows = ((row.ts, 0, _impression(row)) for row in rows)
    clicks = ((row.ts + CLICK_DELAY, 1, _click(row)) for row in rows if row.clicked)
    for _, is_click, event in merge(shows, clicks, key=lambda entry: entry[:2]):
        yield "feedback" if is_click else "impressions", encoder.encode(event)


def experiment(campaign: str) -> str:
    """Return the name of a campaign's experiment."""
    return f"open-bandit-{campaign}"


def experiments(campaigns: Iterable[str]) -> list[dict[str, Any]]:
    """Return the tables `experiment` of the settings for some campaigns.

    shares: even, as the published sample of 10,000 rows of each policy and campaign is by its making. The click rate
    is all there is to compare: the share of users who clicked is the same number where each impression is a user. There
    is no time before an impression, so no pre-period. minimum_effect: one that a whole week of clicks could show.
    """
    click_rate = {
        "name": "ctr",
        "kind": "ratio",
        "numerator": "click",
        "denominator": "impression",
        "minimum_effect": 0.1,
    }
    arms = [{"name": policy, "share": 1 / len(POLICIES)} for policy in POLICIES]
    return [
        {"name": experiment(campaign), "control": CONTROL, "cuped": False, "arm": arms, "metric": [click_rate]}
        for campaign in sorted(set(campaigns))
    ]


Row = tuple[str, str, str, Mapping[str, Any]]
"""Where it is, its campaign, its policy, its columns."""


def _read_csv(folder: Path) -> Iterator[Row]:
    for path in sorted(folder.glob("*/*/*.csv") if is_folder(folder) else ()):
        policy, campaign = path.parts[-3:-1]
        if path.stem != campaign:
            continue  # item_context.csv
        try:
            with path.open(encoding="utf-8", newline="") as lines:
                rows = csv.DictReader(lines)
                _check_columns(path, rows.fieldnames or [], COLUMNS)
                for number, row in enumerate(rows, start=1):
                    yield f"{path}, row {number}", campaign, policy, row
        except (OSError, UnicodeDecodeError, csv.Error) as exc:
            raise unreadable(path, exc) from exc


def _read_parquet(path: Path) -> Iterator[Row]:
    try:
        import pyarrow as arrow
        import pyarrow.parquet as parquet
    except ImportError as exc:
        raise ReplayError(f"{path}: reading Parquet needs pyarrow: pip install 'lis-online[parquet]'") from exc
    needed = [*COLUMNS, "arm", "campaign"]
    check_readable(path)
    try:
        file = parquet.ParquetFile(path)
        _check_columns(path, file.schema_arrow.names, needed)
        number = 0
        for batch in file.iter_batches(columns=needed):
            for row in batch.to_pylist():
                number += 1
                yield f"{path}, row {number}", str(row["campaign"]), str(row["arm"]), row
    except (OSError, arrow.ArrowInvalid) as exc:
        raise unreadable(path, exc) from exc


def _check_columns(path: Path, names: Iterable[str], needed: Iterable[str]) -> None:
    if not set(needed) <= set(names):
        raise ReplayError(f"{path}: must have the columns {', '.join(needed)}, got {', '.join(names)}")


def _milliseconds(text: str, place: str) -> int:
    try:
        time = datetime.fromisoformat(text)
    except ValueError as exc:
        raise ReplayError(f"{place}: timestamp must be YYYY-MM-DD HH:MM:SS+00:00, got {text[:60]!r}") from exc
    return (time.replace(tzinfo=time.tzinfo or UTC) - EPOCH) // timedelta(milliseconds=1)


def _impression(row: Shown) -> Impression:
    return Impression(
        schema_version=SCHEMA_VERSION,
        request_id=row.request,
        user_id=row.request,
        ts=row.ts,
        surface="feed",
        items=[row.item],
        experiments={experiment(row.campaign): row.policy},
        positions=[row.position],
    )


def _click(row: Shown) -> Feedback:
    return Feedback(SCHEMA_VERSION, row.request, row.request, row.item, row.ts + CLICK_DELAY, "click")
