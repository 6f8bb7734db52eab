"""Which checkpoints go on under other settings."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lis_online.checkpoints.admission import Admission
from lis_online.checkpoints.names import ARCHIVE
from lis_online.checkpoints.store import CheckpointStore
from lis_online.errors import CheckpointError
from lis_online.settings import Settings
from lis_online.shards.fingerprint import fingerprint
from lis_online.snapshots.contract import Snapshot

SOURCE = {"name": "s"}
TABLE: dict[str, Any] = {
    "preference": [SOURCE],
    "variant": [{"name": name, "preference": "s", "dimension": 4} for name in ("v", "w")],
}
STATE = Snapshot({"state": 1}, {"a": np.arange(3)})


def store(url: Path, role: str = "rank", **other: Any) -> CheckpointStore:
    """Return a role's store under these settings."""
    return CheckpointStore(str(url), role, 0, 3, fingerprint(Settings.of({**TABLE, **other}), role))


def saved(url: Path, clean: bool = True, role: str = "rank") -> None:
    """Save a checkpoint at 7 of a worker that stopped gracefully, or did not."""
    before = store(url, role)
    before.save(STATE, 7)
    if clean:
        before.mark_clean(7)


def admitted(url: Path, role: str = "rank", **other: Any) -> CheckpointStore:
    """Restore under these settings; return the store."""
    after = store(url, role, **other)
    judge = Admission(after, role, fingerprint(Settings.of({**TABLE, **other}), role)).judge
    found = after.load_latest(judge)
    assert found is not None and (found[0].meta, found[1]) == (STATE.meta, 7)
    return after


def test_the_same_settings_need_no_clean_stop(tmp_path: Path) -> None:
    """A crash is followed by a start."""
    saved(tmp_path, clean=False)
    assert not admitted(tmp_path).changed


def test_what_is_added_goes_on_after_a_clean_stop(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """And the log says what was."""
    saved(tmp_path)
    with caplog.at_level(logging.WARNING):
        assert admitted(tmp_path, variant=[{"name": "n", "preference": "s", "dimension": 4}, *TABLE["variant"]]).changed
    assert "rank goes on under other settings: variant 'n' is added" in caplog.text
    assert not list(tmp_path.glob(f"{ARCHIVE}*"))


def test_without_a_clean_stop_it_is_refused(tmp_path: Path) -> None:
    """What was sent since the checkpoint would be made again, differently, under the same numbers."""
    saved(tmp_path, clean=False)
    with pytest.raises(
        CheckpointError, match=r"variant 'w' is removed\. Start once more under the former settings, st"
    ):
        admitted(tmp_path, variant=TABLE["variant"][:1])
    saved(tmp_path)
    admitted(tmp_path).take_clean_mark(7)  # somebody went on from it
    with pytest.raises(CheckpointError, match="must be that of a worker that stopped gracefully"):
        admitted(tmp_path, variant=TABLE["variant"][:1])


def test_what_is_removed_is_archived(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """The whole checkpoint stays for ever, and says why; the log says where."""
    saved(tmp_path)
    with caplog.at_level(logging.WARNING):
        after = admitted(tmp_path, variant=TABLE["variant"][:1])
    (kept,) = (tmp_path / ARCHIVE).glob("*.json")
    assert "left the settings: variant 'w'" in kept.read_text() and f"{ARCHIVE}{kept.name}" in caplog.text
    assert after.prune(1) == [] and kept.exists()


@pytest.mark.parametrize(
    ("other", "sentence"),
    [
        (
            {"leakage": {"folds": 4}, "training": {"embedding": 16}},
            r"leakage\.folds was 8 and is 4; training\.embedding was 8 and is 16\. What the rankers have learnt, .* "
            r"would be lost: set them back or start afresh",
        ),
        (
            {"variant": [{"name": "v", "preference": "s", "dimension": 8}, TABLE["variant"][1]]},
            r"variant\.v\.dimension was 4 and is 8\. .* set them back, give what has changed another name, or start",
        ),
    ],
)
def test_what_cannot_be_kept_is_refused_whatever_the_stop(tmp_path: Path, other: dict[str, Any], sentence: str) -> None:
    """Every key, as it was and as it is, what would be lost, and what to do."""
    saved(tmp_path)
    with pytest.raises(CheckpointError, match=sentence):
        admitted(tmp_path, **other)
    assert admitted(tmp_path).is_clean(7)  # nothing was spent: setting them back is enough


def test_a_role_goes_on_under_keys_of_others(tmp_path: Path) -> None:
    """Whatever became of its worker."""
    saved(tmp_path, clean=False, role="join")
    assert not admitted(tmp_path, "join", leakage={"folds": 4}, training={"embedding": 16}).changed
