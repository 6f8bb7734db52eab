"""Where checkpoints are: a folder, or anything that fsspec knows by a URL."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO, cast
from urllib.parse import urlsplit

import fsspec
from fsspec.implementations.local import LocalFileSystem

from lis_online.checkpoints.names import ARCHIVE, HALF
from lis_online.errors import CheckpointError, StorageError

BLOCK = 1 << 24
"""Bytes asked from or given to a file system at a time: 16 MiB."""

PACKAGES = {
    "s3": "s3fs",
    "s3a": "s3fs",
    "gs": "gcsfs",
    "gcs": "gcsfs",
    "abfs": "adlfs",
    "abfss": "adlfs",
    "az": "adlfs",
}
"""What brings a URL's file system, where fsspec alone does not."""


class Reader:
    """An object that is read from its beginning. A place that fails raises StorageError."""

    def __init__(self, file: Any, translated: Callable[[], AbstractContextManager[None]]) -> None:
        self._file = file
        self._translated = translated

    def readinto(self, into: memoryview) -> int:
        """Fill from the front; return how many bytes, 0 at the end."""
        with self._translated():
            return cast(int, self._file.readinto(into))


class Place:
    """Objects by name: in an object store, where a whole object appears at once.

    Every method raises StorageError where the place cannot be reached, is full, or refuses.
    """

    def __init__(self, url: str, files: Any, root: str) -> None:
        self.url = without_password(url)
        self._files = files
        self._root = root.rstrip("/")

    def sizes(self, folder: str = "") -> dict[str, int]:
        """Return name -> bytes of what lies there, or in a folder of it ("archive/"): as it is now, not as cached."""
        path = self._path(folder).rstrip("/")
        with self._translated("list", folder):
            self._files.invalidate_cache(path)
            try:
                found = self._files.ls(path, detail=True)
            except FileNotFoundError:
                return {}
            if [(one["name"], one["type"]) for one in found] == [(path, "file")]:
                raise NotADirectoryError("it is a file, not a folder")
            return {folder + _last(one["name"]): one["size"] or 0 for one in found if one["type"] == "file"}

    def read(self, name: str) -> bytes:
        """Return a small object. Raises FileNotFoundError where it is not there."""
        with self._translated("read", name):
            return cast(bytes, self._files.cat_file(self._path(name)))

    @contextmanager
    def reading(self, name: str) -> Iterator[Reader]:
        """Open an object. Raises FileNotFoundError where it is not there."""
        with self._translated("read", name):
            file = self._open(name)
        with closing(file):
            yield Reader(file, partial(self._translated, "read", name))

    def write(self, name: str, pieces: Iterable[memoryview]) -> None:
        """Write a large object, durable on return. A crash on the way may leave a part of it."""
        with self._translated("write", name):
            self._make(name)
            with self._files.open(self._path(name), "wb", block_size=BLOCK) as file:
                for piece in pieces:
                    file.write(piece)

    def put(self, name: str, content: bytes) -> None:
        """Write a small object: on return it is durable, and before it is not there at all."""
        with self._translated("write", name):
            self._make(name)
            self._files.pipe_file(self._path(name), content)

    def copy(self, name: str, to: str) -> None:
        """Copy an object, durable on return."""
        with self._translated("copy", name):
            self._make(to)
            self._files.cp_file(self._path(name), self._path(to))

    def move(self, name: str, to: str) -> None:
        """Give an object another name. Raises FileNotFoundError where it is not there."""
        with self._translated("move", name):
            self._files.mv(self._path(name), self._path(to))

    def remove(self, name: str) -> None:
        """Remove an object, if it is there."""
        with self._translated("remove", name):
            try:
                self._files.rm_file(self._path(name))
            except FileNotFoundError:
                return

    def _open(self, name: str) -> BinaryIO:
        return cast(BinaryIO, self._files.open(self._path(name), "rb", block_size=BLOCK))

    def _path(self, name: str) -> str:
        return f"{self._root}/{name}"

    def _make(self, name: str) -> None:
        self._files.makedirs(self._path(ARCHIVE if name.startswith(ARCHIVE) else ""), exist_ok=True)

    @contextmanager
    def _translated(self, verb: str, name: str) -> Iterator[None]:
        """Each file system has errors of its own, not all of them OSError."""
        try:
            yield
        except (FileNotFoundError, StorageError, MemoryError):
            raise
        except Exception as exc:
            said = exc.strerror if isinstance(exc, OSError) and exc.strerror else str(exc) or repr(exc)
            raise StorageError(
                f"checkpoints.directory {self.url} must let itself {verb} {name or 'it'}: {said}"
            ) from exc


class Folder(Place):
    """A folder of this machine or of a network: what was written survives a power cut."""

    def write(self, name: str, pieces: Iterable[memoryview]) -> None:
        """Write a file, and the folder's entry of it."""
        with self._translated("write", name):
            self._make(name)
            with Path(self._path(name)).open("wb", buffering=0) as file:
                for piece in pieces:
                    _write_all(file, piece)
                os.fsync(file.fileno())
            self._sync(name)

    def put(self, name: str, content: bytes) -> None:
        """Write under another name, fsync, rename: a folder has no whole objects of its own accord."""
        with self._translated("write", name):
            self._make(name)
            path = Path(self._path(name))
            half = path.with_name(f"{path.name}.{HALF}{secrets.token_hex(4)}")
            try:
                with half.open("wb") as file:
                    file.write(content)
                    file.flush()
                    os.fsync(file.fileno())
                half.replace(path)
            except BaseException:
                half.unlink(missing_ok=True)
                raise
            self._sync(name)

    def copy(self, name: str, to: str) -> None:
        """Copy a file."""
        with self._translated("copy", name), closing(self._open(name)) as file:
            self.write(to, iter(lambda: memoryview(file.read(BLOCK)), memoryview(b"")))

    def move(self, name: str, to: str) -> None:
        """Rename a file."""
        with self._translated("move", name):
            Path(self._path(name)).replace(self._path(to))
            self._sync(name)

    def remove(self, name: str) -> None:
        """Remove a file, for good."""
        super().remove(name)
        with self._translated("remove", name):
            self._sync(name)

    def _open(self, name: str) -> BinaryIO:
        return cast(BinaryIO, Path(self._path(name)).open("rb", buffering=0))

    def _sync(self, name: str) -> None:
        descriptor = os.open(Path(self._path(name)).parent, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def open_place(url: str) -> Place:
    """Return the place of a folder or URL; nothing is read or made yet.

    Raises CheckpointError where no file system of that URL is known or installed.
    """
    shown = without_password(url)
    try:
        files, root = fsspec.url_to_fs(url)
    except ImportError as exc:
        scheme = urlsplit(url).scheme
        package = PACKAGES.get(scheme, scheme)
        raise CheckpointError(
            f"checkpoints.directory {shown} needs a package for {scheme}: pip install {package} ({exc})"
        ) from exc
    except Exception as exc:  # of the file system's own
        raise CheckpointError(f"checkpoints.directory must be a folder or an fsspec URL, got {shown}: {exc}") from exc
    return (Folder if isinstance(files, LocalFileSystem) else Place)(url, files, root)


def without_password(url: str) -> str:
    """Return a URL as it may be shown.

    >>> without_password("ftp://lis:secret@host/folder")
    'ftp://***@host/folder'
    """
    user, at, rest = url.rpartition("@")
    scheme, slashes, _ = user.partition("://")
    return f"{scheme}://***@{rest}" if at and slashes else url


def _last(path: str) -> str:
    return path.rstrip("/").rpartition("/")[2]


def _write_all(file: Any, piece: memoryview) -> None:
    while piece.nbytes:
        piece = piece[file.write(piece) :]
