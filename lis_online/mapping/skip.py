"""Messages of a topic that are not ours: told by a value in them, passed over and counted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from lis_online.mapping.paths import Path, format_path, is_many, parse_path


@dataclass(frozen=True, slots=True)
class SkipRule:
    """Passes a message over by the value at a path. values: those that are skipped, or all but those that are kept."""

    path: Path
    values: frozenset[str]
    keeps: bool

    def skips(self, found: Any) -> bool:
        """Say whether a message with this at the path is passed over; nothing there is no value.

        >>> SkipRule(("type",), frozenset({"ping"}), keeps=False).skips("ping")
        True
        >>> SkipRule(("type",), frozenset({"tap"}), keeps=True).skips(None)
        True
        """
        return (text_of(found) in self.values) != self.keeps


def parse_skip(raw: Any) -> tuple[SkipRule, ...]:
    """Return rules from a table of `path` and either `values` or `unless`, or a list of such. Raises ValueError."""
    return tuple(_rule(one) for one in (raw if isinstance(raw, list) else [raw]))


def dump_skip(rules: tuple[SkipRule, ...]) -> list[dict[str, Any]]:
    """Return rules as the settings file has them."""
    return [
        {"path": format_path(rule.path), "unless" if rule.keeps else "values": sorted(rule.values)} for rule in rules
    ]


def _rule(raw: Any) -> SkipRule:
    keys = set(raw) if isinstance(raw, dict) else set()
    if keys not in ({"path", "values"}, {"path", "unless"}):
        raise ValueError("must be a table of path and either values, which are skipped, or unless, which are kept")
    (which,) = keys - {"path"}
    values = raw[which]
    if not isinstance(raw["path"], str):
        raise ValueError(f"path must be text, got {raw['path']!r}")
    path = parse_path(raw["path"])
    if is_many(path):
        raise ValueError(f"must have one value, and [*] leads to several, got {raw['path'][:60]!r}")
    if not isinstance(values, list) or not values or not all(isinstance(one, str | int | bool) for one in values):
        raise ValueError(f"{which} must be a list of texts, whole numbers, true or false")
    return SkipRule(path, frozenset(text_of(one) or "" for one in values), which == "unless")


def text_of(found: Any) -> str | None:
    """Return a value as rules compare it: 1 and "1" are the same."""
    if isinstance(found, bool):
        return "true" if found else "false"
    return str(found) if isinstance(found, str | int) else None
