"""What tells the messages of a topic apart that holds several kinds of them: the value of one key."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from lis_online.mapping.candidates import paths_of
from lis_online.mapping.paths import EACH, Path, find, format_path
from lis_online.mapping.skip import text_of

MOST: Final = 8
"""So many kinds of messages at most: what has more values is an id."""


class Mark(NamedTuple):
    """A path whose value says which messages are ours. kept: the values that are."""

    path: Path
    kept: tuple[str, ...]

    @property
    def toml(self) -> str:
        """The option `skip` of the settings file.

        >>> Mark(("kind",), ("shown",)).toml
        'skip = { path = "$.kind", unless = ["shown"] }'
        """
        path = format_path(self.path)
        quoted = f"'{path}'" if '"' in path else f'"{path}"'
        return f"skip = {{ path = {quoted}, unless = [{', '.join(map(_quoted, self.kept))}] }}"


def mark_of(ours: Sequence[Any], others: Sequence[Any]) -> Mark | None:
    """Return what tells messages that have every field from those that lack some, None where nothing does.

    Its values are few, stand in all of ours, and in none of the others; a key that the others have as well, with other
    values, goes before one that they lack.

    >>> mark_of([{"is": "tap", "n": 1}, {"is": "tap", "n": 2}], [{"is": "ping", "n": 3}, {"is": "ping", "n": 4}]).kept
    ('tap',)
    """
    if not ours or not others:
        return None
    found = []
    for path in dict.fromkeys(path for document in ours for path in paths_of(document) if EACH not in path):
        mine = {text_of(find(document, path)) for document in ours}
        theirs = {text_of(find(document, path)) for document in others}
        values = mine | theirs
        if None in mine or mine & theirs or len(values) > min(MOST, (len(ours) + len(others)) // 2):
            continue
        rank = (None in theirs, len(path), len(mine))
        found.append((rank, Mark(path, tuple(sorted(one for one in mine if one is not None)))))
    return min(found, key=lambda entry: entry[0])[1] if found else None


def split(documents: Sequence[Any], needed: Sequence[Path]) -> tuple[list[Any], list[Any]]:
    """Return the messages in which something stands at every path, and the others."""
    sides: tuple[list[Any], list[Any]] = ([], [])
    for document in documents:
        sides[any(find(document, path) is None for path in needed)].append(document)
    return sides


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
