"""Under which name a version of a variant stands among the numbers: one rule for numbers, history and series."""

from __future__ import annotations

from typing import Final

SIGN: Final = "@"
"""Between variant and version. The settings allow it in no variant's name; a version's may hold anything."""


def version_key(variant: str, version: str, newest: bool) -> str:
    """Return the key of a version: the newest one's is its variant's name.

    >>> version_key("title", "2", newest=True), version_key("title", "1", newest=False)
    ('title', 'title@1')
    """
    return variant if newest else f"{variant}{SIGN}{version}"


def variant_of(key: str) -> str:
    """Return the variant of a key.

    >>> variant_of("title@1"), variant_of("title")
    ('title', 'title')
    """
    return key.partition(SIGN)[0]
