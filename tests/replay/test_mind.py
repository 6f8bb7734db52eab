"""MIND's own format becomes a recorded log."""

from __future__ import annotations

import os
from itertools import pairwise
from pathlib import Path

import msgspec
import numpy as np
import pytest

from lis_online.errors import ReplayError
from lis_online.events.decode import decode_feedback, decode_impression, decode_representation, vector_of
from lis_online.events.wire import END_TICK
from lis_online.records import Record
from lis_online.replay.mind import read
from lis_online.replay.vectors import read_vectors
from lis_online.settings import Settings
from lis_online.shards.join import JoinShard
from tests.join.logs import output

LINES = """\
2\tU2\t11/12/2019 12:00:01 AM\t \tX3-0 X4-0
1\tU1\t11/11/2019 11:59:59 PM\tX1 X2\tX3-1 X4-0 X5-1
3\tU1\t11/12/2019 12:00:00 PM\t\tX6-1
"""
MIDNIGHT = 1_573_516_800_000


@pytest.fixture
def behaviors(tmp_path: Path) -> Path:
    """Return a folder with made-up lines."""
    (tmp_path / "behaviors.tsv").write_text(LINES)
    return tmp_path


def test_lines_become_impressions_and_clicks_in_order_of_time(behaviors: Path) -> None:
    """Sorted, in UTC, positions 0, history as given, each click a second after its slate."""
    log = list(read(behaviors))
    assert [topic[0] for topic, _ in log] == list("iffiif")
    shown = [decode_impression(value) for topic, value in log if topic == "impressions"]
    assert [(e.request_id, e.ts - MIDNIGHT) for e in shown] == [("1", -1000), ("2", 1000), ("3", 12 * 3_600_000)]
    assert shown[0].history == ["X1", "X2"] and shown[1].history == [] and shown[0].positions == [0, 0, 0]
    clicks = [decode_feedback(value) for topic, value in log if topic == "feedback"]
    assert [(e.request_id, e.item_id, e.ts - MIDNIGHT) for e in clicks[:2]] == [("1", "X3", 0), ("1", "X5", 0)]
    times = [msgspec.json.decode(value)["ts"] for _, value in log]
    assert all(a <= b for a, b in pairwise(times))


def test_vectors_come_just_before_the_first_impression(behaviors: Path, tmp_path: Path) -> None:
    """Every sample can see them."""
    np.savez(tmp_path / "v.npz", item_id=np.array(["X1", "X2"]), vector=np.array([[1, 2], [3, 4]], np.float32))
    log = list(read(behaviors / "behaviors.tsv", {"title": read_vectors(tmp_path / "v.npz")}))
    first, second = (decode_representation(value) for topic, value in log[:2])
    assert (first.variant, first.version, first.ts) == ("title", "1", MIDNIGHT - 1001)
    assert vector_of(second, 2).tolist() == [3, 4]


@pytest.mark.parametrize(
    ("line", "rule"),
    [
        ("1\tU1\t11/12/2019 1:00:00 AM\tX1", "must have 5 fields separated by tabs, got 4"),
        ("1\tU1\t2019-11-12 01:00:00\t\tX1-0", "time must be MM/DD/YYYY HH:MM:SS AM/PM, got '2019-11-12 01:00:00'"),
        ("1\tU1\t11/12/2019 1:00:00 AM\t\tX1", "a slate's entry must end with -0 or -1, got 'X1'"),
        ("1\tU1\t11/12/2019 1:00:00 AM\t\tX1-2", "a slate's entry must end with -0 or -1, got 'X1-2'"),
        ("\tU1\t11/12/2019 1:00:00 AM\t\tX1-1", "impression id, user and slate must not be empty"),
        ("1\tU1\t11/12/2019 1:00:00 AM\t\t ", "impression id, user and slate must not be empty"),
    ],
)
def test_a_malformed_line_is_named(behaviors: Path, line: str, rule: str) -> None:
    """The error says which line, the rule and the value."""
    path = behaviors / "behaviors.tsv"
    path.write_text(LINES + line + "\n")
    with pytest.raises(ReplayError) as caught:
        list(read(path))
    assert str(caught.value) == f"{path}, line 4: {rule}"


def test_missing_and_empty_files_are_refused(tmp_path: Path) -> None:
    """No silent empty run."""
    with pytest.raises(ReplayError, match="cannot be read"):
        list(read(tmp_path))
    (tmp_path / "behaviors.tsv").write_text("\n")
    with pytest.raises(ReplayError, match="holds no impressions"):
        list(read(tmp_path))


@pytest.mark.parametrize(
    ("arrays", "rule"),
    [
        ({"item_id": np.array(["a"])}, "must hold the arrays item_id and vector"),
        ({"item_id": np.array([1.0]), "vector": np.ones((1, 2))}, "item_id must be text and vector floats"),
        ({"item_id": np.array(["a", "b"]), "vector": np.ones((1, 2))}, "vector must be items x dimension"),
        ({"item_id": np.array(["a"]), "vector": np.array([[1e6]])}, r"got 1 \(a\) that are not"),
        ({"item_id": np.array([""]), "vector": np.ones((1, 2))}, "row 0 is"),
        ({"item_id": np.array(["a"], object), "vector": np.ones((1, 2))}, "is not an .npz file of plain arrays"),
    ],
)
def test_vectors_that_cannot_be_used_are_refused(tmp_path: Path, arrays: dict[str, np.ndarray], rule: str) -> None:
    """Nothing is unpickled, and a wrong shape or number is named."""
    np.savez(tmp_path / "v.npz", **arrays)
    with pytest.raises(ReplayError, match=rule):
        read_vectors(tmp_path / "v.npz")
    (tmp_path / "v.npz").write_bytes(b"PK\x03\x04 no")
    with pytest.raises(ReplayError, match=r"is not an \.npz file"):
        read_vectors(tmp_path / "v.npz")


def test_the_real_sample_is_accepted_whole() -> None:
    """Five thousand real slates, a hundred seconds apart on average: nothing is refused, late or lost."""
    folder = os.environ.get("LIS_DATA")
    if folder is None or not (Path(folder) / "mind-sample").is_dir():
        pytest.skip("needs LIS_DATA, a folder with mind-sample")
    offsets: dict[str, int] = {}
    shard, sent = JoinShard(Settings.of({"metrics": {"bucket": "1h", "windows": ["24h"]}}), 0), []
    log = [*read(Path(folder) / "mind-sample"), ("impressions", END_TICK), ("feedback", END_TICK)]
    for topic, value in log:
        offset = offsets[topic] = offsets.get(topic, -1) + 1
        sent += shard.feed([Record(topic, 0, offset, -1, value)])
    out = output(sent)
    assert out.letters == [] and shard.counts == {"accepted": 5000 + 7542}
    assert len(out.slates) == 5000 and sum(sum(slate[6]) for slate in out.slates) == 7542
