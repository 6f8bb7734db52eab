from __future__ import annotations

import threading
from pathlib import Path

import fsspec
import pytest

from lis_online.checkpoints.place import open_place
from lis_online.checkpoints.store import CheckpointStore
from lis_online.errors import CheckpointError, StorageError
from tests.checkpoints.stores import number, snapshot, store


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("s3://bucket/lis", r"s3://bucket/lis needs a package for s3: pip install s3fs"),
        ("gs://bucket/lis", r"needs a package for gs: pip install gcsfs"),
        ("nowhere://bucket", r"must be a folder or an fsspec URL, got nowhere://bucket: Protocol not known"),
        ("ftp://lis:secret@[host", r"got ftp://\*\*\*@\[host"),
    ],
)
def test_url_that_cannot_be_used_is_one_sentence(url: str, sentence: str) -> None:
    """The package is the user's choice, and the sentence says which; a password in a URL is not shown."""
    with pytest.raises(CheckpointError, match=sentence):
        CheckpointStore(url, "join", 0, 3, {})


def test_place_that_is_a_file_is_one_sentence(tmp_path: Path) -> None:
    """To take it for an empty place would begin from nothing, without a word."""
    (tmp_path / "file").write_text("")
    here = store(str(tmp_path / "file"))
    for call in (here.load_latest, lambda: here.save(snapshot(), 1)):
        with pytest.raises(StorageError, match=r"^checkpoints\.directory .*file must let itself list it: it is a file"):
            call()


def test_error_of_an_object_store_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    """Their errors are of many types; a worker must know all of them as an outage."""

    class OddError(Exception):
        pass

    def refuse(*arguments: object, **keywords: object) -> None:
        raise OddError("the endpoint does not answer")

    here = store("memory://outage")
    monkeypatch.setattr(type(fsspec.filesystem("memory")), "ls", refuse)
    with pytest.raises(StorageError, match="memory://outage must let itself list it: the endpoint does not answer"):
        here.save(snapshot(), 1)


def test_listing_that_a_file_system_caches_is_asked_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    """Object stores' clients remember listings: a checkpoint that another worker wrote must be seen."""
    forgotten: list[str] = []
    monkeypatch.setattr(
        type(fsspec.filesystem("memory")), "invalidate_cache", lambda self, path=None: forgotten.append(str(path))
    )
    assert store("memory://cached/lis").load_latest() is None
    assert any(path.endswith("cached/lis") for path in forgotten)


def test_small_object_is_there_whole_or_not_at_all(tmp_path: Path) -> None:
    """A manifest in a folder is renamed into place: whoever looks meanwhile sees the old one or the new one."""
    place = open_place(str(tmp_path))
    contents = {b"a" * 100_000, b"b" * 100_000}
    place.put("x", b"a" * 100_000)
    seen: set[bytes] = set()
    done = threading.Event()

    def look() -> None:
        while not done.is_set():
            seen.add(place.read("x"))

    reader = threading.Thread(target=look)
    reader.start()
    for _ in range(100):
        for content in sorted(contents):
            place.put("x", content)
    done.set()
    reader.join()
    assert seen <= contents
    assert [path.name for path in tmp_path.iterdir()] == ["x"]


def test_home_and_relative_folders_are_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`checkpoints` is below where the worker starts, as it always was."""
    monkeypatch.chdir(tmp_path)
    store("checkpoints").save(snapshot(4), 1)
    assert (tmp_path / "checkpoints").is_dir()
    assert number(store(str(tmp_path / "checkpoints")).load_latest()) == 4
