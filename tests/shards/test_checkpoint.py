from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from lis_online.errors import CheckpointError
from lis_online.settings import Settings
from lis_online.shards import checkpoint
from lis_online.shards.checkpoint import CheckpointStore
from lis_online.shards.contract import Snapshot
from lis_online.shards.fingerprint import fingerprint

DTYPES = [np.bool_, np.uint8, np.int16, np.int32, np.int64, np.float16, np.float32, np.float64]

ARRAYS = st.sampled_from(DTYPES).flatmap(
    lambda dtype: arrays.arrays(dtype, arrays.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=4))
)
META = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63) | st.floats(allow_nan=False) | st.text() | st.binary(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


def store(folder: Path, keep: int = 3, **settings: object) -> CheckpointStore:
    """A store of join shard 0."""
    return CheckpointStore(folder, "join", 0, keep, {"folds": 8, **settings})


def snapshot(number: int = 0) -> Snapshot:
    """A state that is told apart by its number."""
    return Snapshot({"number": number}, {"weights": np.arange(1000, dtype=np.float32) + number})


def files(folder: Path) -> list[str]:
    """What lies in a folder."""
    return sorted(path.name for path in folder.iterdir())


@given(meta=st.dictionaries(st.text(), META, max_size=3), named=st.dictionaries(st.text(), ARRAYS, max_size=3))
def test_what_is_loaded_is_what_was_saved(
    tmp_path_factory: pytest.TempPathFactory, meta: dict[str, object], named: dict[str, np.ndarray]
) -> None:
    """A shard continues exactly from a checkpoint: every dtype, shape (none, empty) and meta value comes back."""
    here = store(tmp_path_factory.mktemp("checkpoints"))
    here.save(Snapshot(meta, named), 7)
    found, position = here.load_latest() or pytest.fail("nothing was loaded")
    assert position == 7
    assert found.meta == meta
    assert found.arrays.keys() == named.keys()
    for name, array in named.items():
        assert found.arrays[name].dtype == array.dtype
        assert found.arrays[name].shape == array.shape
        assert found.arrays[name].tobytes() == array.tobytes()


def test_transposed_array_comes_back_in_its_own_order(tmp_path: Path) -> None:
    """An array that does not lie in C order is saved by its elements, not by its memory."""
    matrix = np.arange(6).reshape(2, 3).T
    store(tmp_path).save(Snapshot({}, {"m": matrix}), 1)
    found, _ = store(tmp_path).load_latest() or pytest.fail("nothing was loaded")
    np.testing.assert_array_equal(found.arrays["m"], matrix)


def test_empty_directory_has_no_checkpoint(tmp_path: Path) -> None:
    """A shard that was never saved begins from nothing, and that is no error."""
    assert store(tmp_path / "not there yet").load_latest() is None


def test_newest_is_loaded_and_the_last_few_are_kept(tmp_path: Path) -> None:
    """Old checkpoints go, so a disk does not fill; some stay, to fall back to. The name carries the position."""
    for position in (1, 10, 9_999_999_999, 20_000_000_000):
        assert store(tmp_path, keep=2).save(snapshot(position), position)
    assert files(tmp_path) == ["join-0-00000000009999999999.safetensors", "join-0-00000000020000000000.safetensors"]
    found = store(tmp_path).load_latest()
    assert found is not None
    assert found[0].meta == {"number": 20_000_000_000}


def test_older_position_never_replaces_a_newer_one(tmp_path: Path) -> None:
    """A worker that was stopped, and continues after another took its partition, cannot turn time back."""
    store(tmp_path).save(snapshot(9), 9)
    assert not store(tmp_path).save(snapshot(8), 8)
    found = store(tmp_path).load_latest()
    assert found is not None
    assert found[1] == 9
    assert len(files(tmp_path)) == 1


def test_shards_do_not_see_each_other(tmp_path: Path) -> None:
    """Roles and partitions share a directory: join 1 is not join 11, and not rank 1."""
    CheckpointStore(tmp_path, "join", 11, 1, {}).save(snapshot(), 5)
    CheckpointStore(tmp_path, "rank", 1, 1, {}).save(snapshot(), 6)
    assert CheckpointStore(tmp_path, "join", 1, 1, {}).load_latest() is None


@given(where=st.floats(0, 1, exclude_max=True), flip=st.integers(1, 255))
def test_any_damaged_byte_is_noticed(tmp_path_factory: pytest.TempPathFactory, where: float, flip: int) -> None:
    """A checkpoint is whole or it is not used, wherever the disk lied; the one before it is used instead."""
    folder = tmp_path_factory.mktemp("checkpoints")
    store(folder).save(snapshot(1), 1)
    store(folder).save(snapshot(2), 2)
    newest = folder / "join-0-00000000000000000002.safetensors"
    data = bytearray(newest.read_bytes())
    data[int(where * len(data))] ^= flip
    newest.write_bytes(data)
    try:
        found = store(folder).load_latest()
    except CheckpointError as exc:  # the byte that says which schema it is, or a letter of a setting's name
        assert "schema" in str(exc)
        return
    assert found is not None
    number = found[0].meta["number"]
    # a byte that nothing reads (padding of the header, a key's letter case) may leave the content as it was
    assert (number, found[1]) in {(1, 1), (2, 2)}
    np.testing.assert_array_equal(found[0].arrays["weights"], snapshot(number).arrays["weights"])


@pytest.mark.parametrize("keep_bytes", [0, 7, 100, 1000])
def test_truncated_newest_falls_back_loudly_and_is_set_aside(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, keep_bytes: int
) -> None:
    """Falling back is an error in the log, and the damaged file stays for whoever looks into it."""
    store(tmp_path).save(snapshot(1), 1)
    store(tmp_path).save(snapshot(2), 2)
    newest = tmp_path / "join-0-00000000000000000002.safetensors"
    newest.write_bytes(newest.read_bytes()[:keep_bytes])
    found = store(tmp_path).load_latest()
    assert found is not None
    assert found[1] == 1
    assert "damaged" in caplog.text
    assert "join-0-00000000000000000002.damaged" in files(tmp_path)
    assert store(tmp_path).save(snapshot(2), 2)  # the damaged one does not bar the way


def test_all_damaged_is_refused(tmp_path: Path) -> None:
    """To begin from nothing where there was something would make every number wrong without a word."""
    store(tmp_path).save(snapshot(1), 1)
    next(tmp_path.iterdir()).write_bytes(b"")
    with pytest.raises(CheckpointError, match=r"all 1 are damaged .* start afresh"):
        store(tmp_path).load_latest()


def test_other_settings_are_refused_by_name_and_both_values(tmp_path: Path) -> None:
    """A checkpoint of another configuration is refused with a sentence that says what differs."""
    store(tmp_path, horizon=10, gone=1).save(snapshot(), 1)
    with pytest.raises(CheckpointError, match=r"gone was 1 and is 'absent'; horizon was 10 and is 20\."):
        store(tmp_path, horizon=20).load_latest()


def test_other_schema_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file of another version of the code is not guessed at, and not passed over for an older one."""
    store(tmp_path).save(snapshot(), 1)
    monkeypatch.setattr(checkpoint, "SCHEMA", 2)
    with pytest.raises(CheckpointError, match="schema must be 2, got 1"):
        store(tmp_path).load_latest()


@pytest.mark.parametrize("step", ["save_file", "_sync", "replace"])
def test_crash_at_any_step_leaves_the_one_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str) -> None:
    """Complete or absent: whatever the step at which the process dies, the newest name is a whole checkpoint."""
    store(tmp_path).save(snapshot(1), 1)

    def crash(*arguments: object, **keywords: object) -> None:
        if step == "save_file":
            Path(str(arguments[1])).write_bytes(b"half a file")
        raise KeyboardInterrupt

    owner = Path if step == "replace" else checkpoint
    monkeypatch.setattr(owner, step, crash)
    with pytest.raises(KeyboardInterrupt):
        store(tmp_path).save(snapshot(2), 2)
    monkeypatch.undo()
    found = store(tmp_path).load_latest()
    assert found is not None
    assert found[1] == 1
    for position in (3, 4, 5, 6):  # and what it left behind goes in the end
        store(tmp_path).save(snapshot(position), position)
    assert not [name for name in files(tmp_path) if name.endswith(".half")]


def test_file_is_on_disk_before_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The order write, fsync, rename, fsync of the directory: any other may lose a checkpoint to a power cut."""
    steps: list[str] = []
    sync, replace = os.fsync, Path.replace
    monkeypatch.setattr(os, "fsync", lambda fd: (steps.append("fsync"), sync(fd)))
    monkeypatch.setattr(Path, "replace", lambda self, to: (steps.append("rename"), replace(self, to))[1])
    store(tmp_path).save(snapshot(), 1)
    assert steps == ["fsync", "rename", "fsync"]


def test_fingerprint_is_of_what_the_state_depends_on() -> None:
    """A threshold or a device may change between restarts; a fold count or an arm may not."""
    base = {"experiment": [{"name": "e", "control": "a", "arm": [{"name": n, "share": 0.5} for n in "ab"]}]}
    plain = fingerprint(Settings.of(base))
    free = {"metrics": {"min_useful_lis": 0.5}, "training": {"device": "cpu", "threads": 2}, "http": {"port": 1}}
    assert fingerprint(Settings.of({**base, **free})) == plain
    swapped = {"experiment": [{"name": "e", "control": "a", "arm": [{"name": n, "share": 0.5} for n in "ba"]}]}
    for change in ({"training": {"seed": 1}}, {"metrics": {"bucket": "5m"}}, {"kafka": {"partitions": 8}}, swapped):
        assert fingerprint(Settings.of({**base, **change})) != plain
