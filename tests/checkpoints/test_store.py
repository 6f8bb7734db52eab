from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lis_online.checkpoints import manifest
from lis_online.checkpoints.place import Folder, Place, open_place
from lis_online.checkpoints.store import CheckpointStore
from lis_online.errors import CheckpointError, StorageError
from tests.checkpoints.stores import content, names, number, overwrite, snapshot, store


def test_empty_place_has_no_checkpoint(url: str) -> None:
    """A shard that was never saved begins from nothing, and that is no error."""
    assert store(url).load_latest() is None
    assert store(url).newest() is None


def test_newest_is_loaded_and_the_last_few_are_kept(url: str) -> None:
    """Old checkpoints go, so a disk does not fill; some stay, to fall back to. The name carries the position."""
    for position in (1, 10, 9_999_999_999, 20_000_000_000):
        assert store(url, keep=2).save(snapshot(position), position)
    manifests = names(url, "json")
    assert [name[: len("join-0-") + 20] for name in manifests] == [
        "join-0-00000000009999999999",
        "join-0-00000000020000000000",
    ]
    assert len(names(url)) == 4  # each with its data, and nothing else
    assert number(store(url).load_latest()) == 20_000_000_000


def test_older_position_never_replaces_a_newer_one(url: str) -> None:
    """A worker that was stopped, and continues after another took its partition, cannot turn time back."""
    store(url).save(snapshot(9), 9)
    assert not store(url).save(snapshot(8), 8)
    found = store(url).load_latest()
    assert found is not None
    assert found[1] == 9
    assert len(names(url, "json")) == 1


def test_zombie_that_looked_before_a_newer_one_came_turns_nothing_back(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was stopped between its look and its manifest: what it writes then is older, and goes with the next."""
    write = Place.write if url.startswith("memory") else Folder.write

    def overtaken(self: Place, name: str, pieces: object) -> None:
        monkeypatch.undo()
        write(self, name, pieces)  # type: ignore[arg-type]
        for position in (8, 9, 10):
            store(url, keep=2).save(snapshot(position), position)

    monkeypatch.setattr(Place if url.startswith("memory") else Folder, "write", overtaken)
    store(url, keep=2).save(snapshot(5), 5)
    assert number(store(url).load_latest()) == 10
    store(url, keep=2).save(snapshot(11), 11)
    assert {name[7:27].lstrip("0") for name in names(url)} == {"10", "11"}


def test_two_writers_at_one_position_do_no_harm(url: str) -> None:
    """Each writes under a name of its own; the one that began last counts, whatever its clock says."""
    clocks = (2_000.0, 1_000.0)  # the second worker's clock is behind
    for which, now in enumerate(clocks):
        CheckpointStore(url, "join", 0, 3, {"folds": 8}, clock=lambda now=now: now).save(snapshot(which), 7)
    assert number(store(url).load_latest()) == 1
    newest = names(url, "safetensors")[-1]
    overwrite(url, newest, content(url, newest)[:-1] + b"x")
    assert number(store(url).load_latest()) == 0


def test_shards_do_not_see_each_other(url: str) -> None:
    """Roles and partitions share a place: join 1 is not join 11, and not rank 1."""
    CheckpointStore(url, "join", 11, 1, {}).save(snapshot(), 5)
    CheckpointStore(url, "rank", 1, 1, {}).save(snapshot(), 6)
    here = CheckpointStore(url, "join", 1, 1, {})
    assert here.load_latest() is None
    here.save(snapshot(), 7)
    here.save(snapshot(), 8)
    assert len(names(url, "json")) == 3


@pytest.mark.parametrize("kind", ["json", "safetensors"])
@settings(max_examples=40)
@given(where=st.floats(0, 1, exclude_max=True), flip=st.integers(1, 255))
def test_any_damaged_byte_is_noticed(
    tmp_path_factory: pytest.TempPathFactory, kind: str, where: float, flip: int
) -> None:
    """A checkpoint is whole or it is not used, wherever the disk lied; the one before it is used instead."""
    folder = str(tmp_path_factory.mktemp("checkpoints"))
    store(folder).save(snapshot(1), 1)
    store(folder).save(snapshot(2), 2)
    newest = names(folder, kind)[-1]
    data = bytearray(content(folder, newest))
    data[int(where * len(data))] ^= flip
    overwrite(folder, newest, bytes(data))
    found = store(folder).load_latest()
    assert found is not None
    # a byte that nothing reads (a letter's case in the seal) may leave the manifest as it was
    assert number(found) == 1 or kind == "json"
    np.testing.assert_array_equal(found[0].arrays["weights"], snapshot(found[1]).arrays["weights"])


@pytest.mark.parametrize("kind", ["json", "safetensors"])
@pytest.mark.parametrize("keep_bytes", [0, 7, 100, 1000])
def test_truncated_newest_falls_back_loudly_and_is_set_aside(
    url: str, caplog: pytest.LogCaptureFixture, kind: str, keep_bytes: int
) -> None:
    """Falling back is an error in the log, and the damaged objects stay for whoever looks into them."""
    store(url).save(snapshot(1), 1)
    store(url).save(snapshot(2), 2)
    newest = names(url, kind)[-1]
    overwrite(url, newest, content(url, newest)[:keep_bytes])
    if kind == "json" and keep_bytes == 1000:
        overwrite(url, newest, b"[]")
    assert number(store(url).load_latest()) == 1
    assert "damaged" in caplog.text
    assert len(names(url, "json.damaged")) == len(names(url, "safetensors.damaged")) == 1
    assert store(url).save(snapshot(2), 2)  # the damaged one does not bar the way
    for position in (3, 4, 5, 6):
        store(url).save(snapshot(position), position)
    assert len(names(url, "damaged")) == 2  # and is not cleared away with the old ones


def test_missing_data_is_damage(url: str, caplog: pytest.LogCaptureFixture) -> None:
    """A manifest promises data: without it the checkpoint before is taken, and that is said."""
    store(url).save(snapshot(1), 1)
    store(url).save(snapshot(2), 2)
    open_place(url).remove(names(url, "safetensors")[-1])
    assert number(store(url).load_latest()) == 1
    assert "its data must have" in caplog.text


def test_data_without_a_manifest_is_no_checkpoint_and_goes_in_the_end(url: str) -> None:
    """A worker that died before its manifest left data: nobody takes it, and it does not stay for ever."""
    store(url).save(snapshot(1), 1)
    store(url).save(snapshot(2), 2)
    orphan = names(url, "json")[-1]
    open_place(url).remove(orphan)
    assert number(store(url).load_latest()) == 1
    for position in (3, 4):
        store(url, keep=2).save(snapshot(position), position)
    assert not [name for name in names(url) if name.startswith(orphan.removesuffix("json"))]


def test_all_damaged_is_refused_at_every_start(url: str) -> None:
    """To begin from nothing where there was something would make every number wrong without a word."""
    store(url).save(snapshot(1), 1)
    overwrite(url, names(url, "json")[0], b"")
    for _ in range(2):
        with pytest.raises(CheckpointError, match=r"all 1 are damaged .* start afresh"):
            store(url).load_latest()


def test_other_settings_are_refused_by_name_and_both_values(url: str) -> None:
    """A checkpoint of another configuration is refused with a sentence that says what differs."""
    store(url, horizon=10, gone=1).save(snapshot(), 1)
    with pytest.raises(CheckpointError, match=r"gone was 1 and is 'absent'; horizon was 10 and is 20\."):
        store(url, horizon=20).load_latest()
    newest = store(url, horizon=20).newest()
    assert newest is not None
    assert newest.fingerprint == {"folds": 8, "gone": 1, "horizon": 10}
    assert number(store(url, horizon=20).load_latest(judge=lambda manifest: None)) == 0


def test_settings_of_every_kind_come_back_equal(url: str) -> None:
    """The fingerprint travels as JSON: no number, list or None becomes another."""
    values = {"a": 0.1, "b": [1, "x", None], "c": None, "d": True, "e": 10**15, "f": "ü", "g": 1e-300}
    store(url, **values).save(snapshot(3), 1)
    assert number(store(url, **values).load_latest()) == 3


def test_other_schema_is_refused(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A checkpoint of another version of the code is not guessed at, and not passed over for an older one."""
    store(url).save(snapshot(), 1)
    monkeypatch.setattr(manifest, "SCHEMA", 3)
    with pytest.raises(CheckpointError, match="schema must be 3, got 2"):
        store(url).load_latest()
    with pytest.raises(CheckpointError, match="schema must be 3, got 2"):
        store(url).newest()


def test_former_layout_is_refused_with_what_to_do(url: str) -> None:
    """Checkpoints of the release before cannot be read: to begin from nothing beside them would hide it."""
    overwrite(url, "rank-0-00000000000000000007.safetensors", b"of another shard")
    assert store(url).load_latest() is None
    overwrite(url, "join-0-00000000000000000007.safetensors", b"whatever")
    for call in (store(url).load_latest, store(url).newest, lambda: store(url).save(snapshot(), 9)):
        with pytest.raises(CheckpointError, match=r"is of release 0\.1: move it away, and start afresh"):
            call()


def test_manifest_says_in_json_what_the_checkpoint_is(url: str) -> None:
    """Whoever looks into the place can read what lies there."""
    CheckpointStore(url, "rank", 2, 3, {"folds": 8}, clock=lambda: 0.0).save(snapshot(), 5)
    told = json.loads(content(url, names(url, "json")[0]))["manifest"]
    data = names(url, "safetensors")[0]
    assert {**told, "digest": ""} == {
        "schema": 2,
        "role": "rank",
        "partition": 2,
        "position": 5,
        "data": data,
        "bytes": len(content(url, data)),
        "digest": "",
        "fingerprint": {"folds": 8},
        "created_at": "1970-01-01T00:00:00Z",
        "why": None,
    }


@pytest.mark.parametrize("step", ["write", "put", "remove"])
@pytest.mark.parametrize("when", ["before", "half", "after"])
def test_crash_at_any_step_leaves_a_whole_newest(
    url: str, monkeypatch: pytest.MonkeyPatch, step: str, when: str
) -> None:
    """Complete or absent: whatever the step at which the process dies, what is loaded is whole."""
    for position in (1, 2, 3):
        store(url).save(snapshot(position), position)
    owner = Place if url.startswith("memory") else Folder
    real = getattr(owner, step)

    def crash(self: Place, name: str, *arguments: object) -> None:
        if when == "half" and step == "write":
            pieces = list(arguments[0])  # type: ignore[call-overload]
            real(self, name, pieces[: len(pieces) // 2])
        if when == "after":
            real(self, name, *arguments)
        raise KeyboardInterrupt

    monkeypatch.setattr(owner, step, crash)
    with pytest.raises(KeyboardInterrupt):
        store(url).save(snapshot(4), 4)
    monkeypatch.undo()
    written = step == "remove" or (step, when) == ("put", "after")
    assert number(store(url).load_latest()) == (4 if written else 3)
    for position in (5, 6, 7, 8):  # and what it left behind goes in the end
        store(url).save(snapshot(position), position)
    assert len(names(url)) == 6


def test_data_is_on_disk_before_its_manifest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Any other order than data, folder, manifest, rename, folder may lose a checkpoint to a power cut."""
    steps: list[str] = []
    sync, replace = os.fsync, Path.replace

    def synced(descriptor: int) -> None:
        path = Path(f"/proc/self/fd/{descriptor}").readlink()
        steps.append("folder" if path.is_dir() else "manifest" if ".json" in path.name else "data")
        sync(descriptor)

    monkeypatch.setattr(os, "fsync", synced)
    monkeypatch.setattr(Path, "replace", lambda self, to: (steps.append("rename"), replace(self, to))[1])
    store(str(tmp_path)).save(snapshot(), 1)
    assert steps == ["data", "folder", "manifest", "rename", "folder"]


def test_full_place_is_one_sentence_and_leaves_no_half(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A disk that is full must not be filled further by what could not be finished."""
    store(url).save(snapshot(1), 1)
    owner = Place if url.startswith("memory") else Folder
    real = owner.write

    def full(self: Place, name: str, pieces: object) -> None:
        real(self, name, list(pieces)[:1])  # type: ignore[call-overload]
        with self._translated("write", name):
            raise OSError(28, "No space left on device")

    monkeypatch.setattr(owner, "write", full)
    with pytest.raises(
        StorageError, match=r"^checkpoints\.directory .* must let itself write join-0-.*: No space left"
    ):
        store(url).save(snapshot(2), 2)
    monkeypatch.undo()
    assert len(names(url)) == 2
    assert number(store(url).load_latest()) == 1


def test_negative_positions_and_keeping_none_are_refused(url: str) -> None:
    """What cannot be is said, not written."""
    with pytest.raises(CheckpointError, match="position must be >= 0, got -1"):
        store(url).save(snapshot(), -1)
    with pytest.raises(CheckpointError, match="keep must be >= 1, got 0"):
        store(url, keep=0)
