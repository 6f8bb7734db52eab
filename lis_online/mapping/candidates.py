"""Where in a strange message a field may be: guessed from the names of keys and from what their values look like."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple

from lis_online.mapping.fields import LISTS
from lis_online.mapping.paths import EACH, Path, find, format_path

WORDS: Final[dict[str, tuple[str, ...]]] = {
    "request_id": ("request", "req", "trace", "impression", "rid", "serve", "slate", "render", "view"),
    "user_id": ("user", "uid", "viewer", "member", "account", "person", "visitor"),
    "ts": ("ts", "time", "timestamp", "at", "date", "when"),
    "surface": ("surface", "page", "scene", "placement", "channel", "screen", "tab"),
    "items": ("item", "note", "card", "doc", "content", "post", "product", "video", "article", "id"),
    "item_id": ("item", "note", "card", "doc", "content", "post", "product", "video", "article", "track", "book"),
    "item_a": ("item", "from", "a", "first", "left", "source"),
    "item_b": ("item", "to", "b", "second", "right", "target"),
    "action": ("action", "event", "evt", "type", "verb", "behavior", "op"),
    "positions": ("position", "pos", "slot", "rank", "index"),
    "experiments": ("ab", "experiment", "exp", "abtest", "arms", "flags", "variants"),
    "value": ("value", "dwell", "duration", "dur", "amount", "price", "seconds", "secs"),
    "variant": ("variant", "model", "name"),
    "version": ("version", "model", "checkpoint"),
    "vector": ("vector", "embedding", "vec", "emb"),
    "source": ("source", "kind", "origin"),
}
"""Field -> words that keys for it are made of, the likeliest first."""

SIZES: Final = (("s", 1e9, 1e10), ("ms", 1e12, 1e13), ("us", 1e15, 1e16), ("ns", 1e18, 1e19))
"""Unit -> what a time between 2001 and 2286 is in it."""

OF_EACH: Final = ("item_id", "action", "value")
"""Fields of one value that a message of feedback may have several of."""

SHOWN: Final = 3
WORTH: Final = 2 / 3
"""A guess with less than this share of the best one's score is none."""

DEEPEST: Final = 6


class Candidate(NamedTuple):
    """A path that a field may have. unit: of a time; score: more is likelier."""

    path: Path
    score: float
    unit: str | None = None

    @property
    def toml(self) -> str:
        """What the settings file would have."""
        path = format_path(self.path)
        quoted = f"'{path}'" if '"' in path else f'"{path}"'
        return quoted if self.unit in (None, "ms") else f'{{ path = {quoted}, unit = "{self.unit}" }}'


def candidates(field: str, kind: str, documents: Sequence[Any], keys: Sequence[bytes | None]) -> list[Candidate]:
    """Return the likeliest paths of a field, at most SHOWN. documents, keys: messages, and what Kafka has as their key.

    >>> [found.toml for found in candidates("ts", "time", [{"made": 1573516800, "n": 5}], [None])]
    ['{ path = "$.made", unit = "s" }']
    """
    if not documents:
        return []
    found = []
    for path in dict.fromkeys(path for document in documents for path in paths_of(document)):
        values = [find(document, path) for document in documents]
        fits, unit = _fit(field, kind, path, values, keys)
        score = fits + _name(field, path)
        if fits > 0 and score > (0.0 if field == "ts" else 1.0):
            there = [value for value in values if value is not None]
            once = len(set(map(str, there))) / len(there) if field == "request_id" else 1.0
            found.append(Candidate(path, once * len(there) / len(values) * score, unit))
    best = sorted(found, key=lambda one: (-one.score, len(one.path)))[:SHOWN]
    return [one for one in best if one.score >= WORTH * best[0].score]


def paths_of(document: Any, path: Path = ()) -> Iterator[Path]:
    """Yield the paths of a message's values: of a list those with [*], of an object itself and what is in it."""
    if len(path) > DEEPEST:
        return
    if isinstance(document, dict):
        if path:
            yield path
        for key, value in document.items():
            yield from paths_of(value, (*path, key))
    elif isinstance(document, list):
        yield path
        first = next((one for one in document if isinstance(one, dict)), None)
        if first is not None and EACH not in path:
            yield from (inner for inner in paths_of(first, (*path, EACH)) if inner != (*path, EACH))
    elif document is not None:
        yield path


def _fit(
    field: str, kind: str, path: Path, values: list[Any], keys: Sequence[bytes | None]
) -> tuple[float, str | None]:
    """Return how well values fit a field, 0 where not at all, and the unit of a time."""
    there = [value for value in values if value is not None]
    if kind in LISTS:
        numbers = kind == "vector"
        fits = all(isinstance(one, list) and one and all(_is_id(each, numbers) for each in one) for one in there)
        return (0.5 if fits and _differ(there, field) else 0.0), None
    if EACH in path:
        if field not in OF_EACH or not all(isinstance(one, list) for one in there):
            return 0.0, None
        there = [each for one in there for each in one if each is not None]
    if kind == "arms":
        return (0.5 if all(map(_is_arms, there)) else 0.0), None
    if kind == "time":
        units = {unit_of(one) for one in there}
        return (1.0, units.pop()) if len(units) == 1 and None not in units else (0.0, None)
    if kind == "number":
        return (0.5 if all(_is_id(one, True) and not isinstance(one, str) for one in there) else 0.0), None
    if not all(map(_is_id, there)) or all(unit_of(one) == "rfc3339" for one in there):
        return 0.0, None
    is_key = any(key is not None and str(value).encode() == key for value, key in zip(values, keys, strict=True))
    return (3.0 if field == "user_id" and is_key else 0.5), None


def _differ(lists: list[list[Any]], field: str) -> bool:
    return field == "vector" or all(len(set(map(str, one))) == len(one) for one in lists)


def _is_id(value: Any, numbers: bool = False) -> bool:
    return isinstance(value, str | int | float if numbers else str | int) and not isinstance(value, bool)


def _is_arms(value: Any) -> bool:
    if not isinstance(value, dict):
        return False
    arms = [arm for arm in value.values() if arm is not None]
    return bool(arms) and all(_is_id(arm) or isinstance(arm, bool) for arm in arms)


def unit_of(value: Any) -> str | None:
    """Return the unit in which a value is a time of this century, None where it is in none.

    >>> unit_of(1573516800), unit_of("1573516800123456"), unit_of("2026-11-01T08:00:00Z"), unit_of(5)
    ('s', 'us', 'rfc3339', None)
    """
    if isinstance(value, str) and not value.replace(".", "", 1).isdigit():
        try:
            return "rfc3339" if datetime.fromisoformat(value).tzinfo is not None else None
        except ValueError:
            return None
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    number = float(value)
    return next((unit for unit, low, high in SIZES if low <= number < high), None)


def _name(field: str, path: Path) -> float:
    """Return how much the keys of a path sound like a field: the last one counts most."""
    words = WORDS.get(field, (field.rstrip("s"),))
    keys = [step for step in path if isinstance(step, str)]
    score = 0.0
    for distance, key in enumerate(reversed(keys)):
        parts = re.findall(r"[a-z]+", re.sub(r"(?<=[a-z])(?=[A-Z])", "_", key).lower())
        hits = [2 - index / len(words) for index, word in enumerate(words) if word in parts or f"{word}s" in parts]
        if hits:
            score = max(score, max(hits) / (1 + 0.5 * distance))
    is_id = keys and keys[-1].lower().endswith("id") and field.endswith(("id", "items"))
    return score + (0.5 if score and is_id else 0)
