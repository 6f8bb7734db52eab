"""The Open Bandit data set becomes a recorded log, its two policies the arms of an experiment for each campaign."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from scipy import stats

from lis_online.errors import ReplayError
from lis_online.events.decode import decode_feedback, decode_impression
from lis_online.replay.open_bandit import Shown, read, read_shown
from studies import open_bandit
from studies.open_bandit import analyses

MIDNIGHT = 1_574_553_600_000
HEADER = ",timestamp,item_id,position,click,propensity_score,user_feature_0\n"
ROWS = {
    "random/men": "0,2019-11-24 00:00:02.999999+00:00,14,3,1,0.03,x\n1,2019-11-24 00:00:00+00:00,5,1,0,0.03,y\n",
    "bts/men": "0,2019-11-24 00:00:03.500000+00:00,14,2,0,0.9,x\n1,2019-11-24 00:00:09+00:00,3,2,1,0.9,x\n",
    "bts/women": "0,2019-11-24 00:00:01+00:00,14,1,0,0.5,z\n",
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder laid out as the data set's own, with made-up rows and a file of items beside them."""
    for name, rows in ROWS.items():
        (tmp_path / name).mkdir(parents=True)
        (tmp_path / name / f"{name.split('/')[1]}.csv").write_text(HEADER + rows)
        (tmp_path / name / "item_context.csv").write_text(",item_id,item_feature_0\n0,14,0.5\n")
    return tmp_path


def rows(**changed: Any) -> dict[str, list[Any]]:
    """Return two rows as columns of a Parquet file, some changed."""
    columns: dict[str, list[Any]] = {
        "timestamp": ["2019-11-24 00:00:01+00:00", "2019-11-24 00:00:00+00:00"],
        "item_id": [14, 5],
        "position": [3, 1],
        "click": [1, 0],
        "arm": ["bts", "random"],
        "campaign": ["men", "men"],
    }
    return columns | changed


def write(path: Path, columns: dict[str, list[Any]]) -> Path:
    """Write columns as the Parquet file of a folder."""
    arrow = pytest.importorskip("pyarrow")
    pytest.importorskip("pyarrow.parquet").write_table(arrow.table(columns), path / "events.parquet")
    return path


def test_rows_become_impressions_and_clicks_in_order_of_time(folder: Path) -> None:
    """One item, one user and one request each; the policy is the arm of its campaign's experiment."""
    log = list(read(folder))
    shown = [decode_impression(value) for topic, value in log if topic == "impressions"]
    assert [(e.request_id, e.ts - MIDNIGHT, e.items[0], e.positions) for e in shown] == [
        ("men-random-2", 0, "men-5", [0]),
        ("women-bts-1", 1000, "women-14", [0]),
        ("men-random-1", 2999, "men-14", [2]),
        ("men-bts-1", 3500, "men-14", [1]),
        ("men-bts-2", 9000, "men-3", [1]),
    ]
    assert [e.experiments for e in shown[:2]] == [{"open-bandit-men": "random"}, {"open-bandit-women": "bts"}]
    assert all(e.user_id == e.request_id for e in shown)
    clicks = [decode_feedback(value) for topic, value in log if topic == "feedback"]
    assert [(e.request_id, e.item_id, e.ts - MIDNIGHT) for e in clicks] == [
        ("men-random-1", "men-14", 3999),
        ("men-bts-2", "men-3", 10_000),
    ]
    times = [msgspec.json.decode(value)["ts"] for _, value in log]
    assert all(a <= b for a, b in pairwise(times))


def test_a_parquet_file_of_all_rows_is_the_same_log(tmp_path: Path) -> None:
    """The columns arm and campaign stand for the folders' names; the folder and the file are both taken."""
    path = write(tmp_path, rows())
    log = list(read(path))
    assert log == list(read(path / "events.parquet"))
    first, second, click = (msgspec.json.decode(value) for _, value in log)
    assert (first["request_id"], first["ts"] - MIDNIGHT, first["experiments"]) == (
        "men-random-1", 0, {"open-bandit-men": "random"},
    )  # fmt: skip
    assert (second["items"], second["positions"], click["item_id"]) == (["men-14"], [2], "men-14")


@pytest.mark.parametrize(
    ("changed", "rule"),
    [
        ({"arm": ["bts", "greedy"]}, "row 2: policy must be one of ['random', 'bts'], got 'greedy'"),
        ({"position": [0, 1]}, "row 1: position must be 1, 2 or 3, got '0'"),
        ({"click": [1, 2]}, "row 2: click must be 0 or 1, got '2'"),
        ({"timestamp": ["noon", ""]}, "row 1: timestamp must be YYYY-MM-DD HH:MM:SS+00:00, got 'noon'"),
    ],
)
def test_a_malformed_row_is_named(tmp_path: Path, changed: dict[str, list[Any]], rule: str) -> None:
    """The error says which row, the rule and the value."""
    path = write(tmp_path, rows(**changed))
    with pytest.raises(ReplayError) as caught:
        list(read(path))
    assert str(caught.value) == f"{path / 'events.parquet'}, {rule}"


def test_what_is_not_the_data_set_is_refused(tmp_path: Path, folder: Path) -> None:
    """No silent empty run: an empty folder, a missing one, missing columns, another kind of file."""
    for empty in (tmp_path / "random" / "men", tmp_path / "nowhere"):
        with pytest.raises(ReplayError, match="holds no impressions: neither"):
            list(read(empty))
    (folder / "bts/men/men.csv").write_text("timestamp,item_id\n")
    with pytest.raises(ReplayError, match="must have the columns timestamp, item_id, position, click, got timestamp,"):
        list(read(folder))
    (tmp_path / "events.parquet").write_bytes(b"no")
    with pytest.raises(ReplayError, match="cannot be read"):
        list(read(tmp_path))


def test_no_lift_is_claimed_of_the_real_sample() -> None:
    """46 and 69 clicks of 10,000 (men), 46 and 46 (women): levels as counted, no sequence yet, no claim.

    One look planned before would call men's difference significant at 5 % (scipy's test of two proportions says so
    too): of two campaigns, so not after a correction. The always-valid interval waits for 100 clicks in each arm.
    """
    path = open_bandit.folder()
    if path is None:
        pytest.skip("needs LIS_DATA, a folder with open-bandit")
    pytest.importorskip("pyarrow")
    real = analyses(read_shown(path))
    for campaign, clicks in (("men", (46, 69)), ("women", (46, 46))):
        found = real[campaign]
        ctr = found.get("bts", "ctr")
        assert (ctr.control.value, ctr.arm.value) == tuple(n / 10_000 for n in clicks)
        assert found.crossed == {"random": 0, "bts": 0}
        assert (found.sample_ratio.counts, found.sample_ratio.mismatch) == ((10_000, 10_000), False)
        assert ctr.p_sequential is None and ctr.p_adjusted is None and ctr.minimum_effect == "undecided"
        assert ctr.relative.sequence.reason == "too few users for a sequence: 46 of 100 effective ones"
        expected = stats.ttest_ind_from_stats(*moments(clicks[1]), *moments(clicks[0]), equal_var=False)
        assert ctr.p_fixed == pytest.approx(expected.pvalue, rel=1e-6)
        assert ctr.p_fixed > 0.05 / 2


def test_a_known_large_lift_in_a_log_of_that_size_is_found() -> None:
    """20,000 impressions of each policy in a week, a click in 100 with random and twice as many with bts: claimed."""
    rng, rows = np.random.default_rng(5), []
    for policy, rate in (("random", 0.01), ("bts", 0.02)):
        times = (MIDNIGHT + rng.integers(0, 7 * 86_400_000, 20_000)).tolist()
        for number, (ts, clicked) in enumerate(zip(times, (rng.random(20_000) < rate).tolist(), strict=True)):
            rows.append(Shown(ts, f"men-{policy}-{number}", "men", policy, "men-1", 0, clicked))
    ctr = analyses(sorted(rows))["men"].get("bts", "ctr")
    assert ctr.p_adjusted is not None and ctr.p_adjusted < 0.05 and ctr.minimum_effect == "above"
    assert ctr.relative.sequence.excludes(0) and not ctr.relative.sequence.excludes(1.0)


def moments(clicks: int) -> tuple[float, float, int]:
    """Return mean, standard deviation and number of 10,000 impressions with this many clicks."""
    p = clicks / 10_000
    return p, (p * (1 - p) * 10_000 / 9_999) ** 0.5, 10_000
