"""Under which name a version of a variant stands among the numbers: one rule for numbers, history and series."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from lis_online.events.windows_log import SlotVersion
from lis_online.metrics.layout import slot_variant

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


def ranker_of(name: str, versions: Iterable[SlotVersion]) -> str:
    """Return the layout's name of a ranker that is named as in the numbers; any other name as it is.

    versions: what the slots hold. "aligned:v" is that of the newest version of v, in whichever slot that is.

    >>> held = [SlotVersion("v", "1", 0, 0, newest=False), SlotVersion("v#2", "2", 9, 60, newest=True)]
    >>> [ranker_of(name, held) for name in ("aligned:v", "aligned:v@1", "aligned:v#2", "twin")]
    ['aligned:v#2', 'aligned:v', 'aligned:v#2', 'twin']
    """
    kind, colon, key = name.partition(":")
    for held in versions:
        if key == version_key(slot_variant(held.slot), held.version, held.newest):
            return f"{kind}{colon}{held.slot}"
    return name


def ranker_key(name: str, versions: Iterable[SlotVersion]) -> str:
    """Return how the numbers name a ranker of the layout: `ranker_of`, turned round.

    >>> held = [SlotVersion("v", "1", 0, 0, newest=False), SlotVersion("v#2", "2", 9, 60, newest=True)]
    >>> [ranker_key(name, held) for name in ("aligned:v", "aligned:v#2", "twin")]
    ['aligned:v@1', 'aligned:v', 'twin']
    """
    kind, colon, slot = name.partition(":")
    for held in versions:
        if slot == held.slot:
            return f"{kind}{colon}{version_key(slot_variant(slot), held.version, held.newest)}"
    return name
