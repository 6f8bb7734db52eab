"""Questions about paths that people give: a name that no file can have is no folder and no file."""

from __future__ import annotations

from pathlib import Path


def is_folder(path: Path) -> bool:
    """Say whether a path is a folder.

    >>> is_folder(Path("/")), is_folder(Path("x" * 5000))
    (True, False)
    """
    try:
        return path.is_dir()
    except (OSError, ValueError):
        return False


def is_file(path: Path) -> bool:
    """Say whether a path is a file."""
    try:
        return path.is_file()
    except (OSError, ValueError):
        return False
