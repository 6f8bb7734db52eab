"""Files that people name: whether they can be read, and the one sentence where they cannot."""

from __future__ import annotations

from pathlib import Path

from lis_online.errors import ReplayError


def unreadable(path: str | Path, exc: Exception) -> ReplayError:
    """Return the error of a file that cannot be read: the system's reason, without its number and the path again.

    >>> str(unreadable("a.npz", FileNotFoundError(2, "No such file or directory", "a.npz")))
    'a.npz: cannot be read: No such file or directory'
    """
    return ReplayError(f"{path}: cannot be read: {getattr(exc, 'strerror', None) or exc}")


def check_readable(path: str | Path) -> None:
    """Raise ReplayError where a file is missing, is a folder or may not be read: libraries say so in many ways."""
    try:
        Path(path).open("rb").close()
    except (OSError, ValueError) as exc:  # ValueError: a name that no file can have
        raise unreadable(path, exc) from exc
