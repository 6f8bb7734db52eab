"""The rankers that come with lis-online, by the names that settings use. Loading this loads no torch."""

from __future__ import annotations

import re
from typing import Final

DEFAULT: Final = "wide-and-deep"

SHIPPED: Final = {
    "wide-and-deep": "lis_online.rankers.wide_and_deep:StackedWideAndDeep",
    "dcn-v2": "lis_online.rankers.dcn:DCNv2",
    "logistic": "lis_online.rankers.logistic:Logistic",
}
"""Name -> where its factory is."""

_PLACE = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)*:[^\W\d]\w*")


def is_ranker(name: str) -> bool:
    """Whether a name may stand in the settings: a shipped one, or "package.module:factory" (which may still not exist).

    >>> is_ranker("wide-and-deep"), is_ranker("my_pkg.rank:deepfm"), is_ranker("deepfm")
    (True, True, False)
    """
    return name in SHIPPED or _PLACE.fullmatch(name) is not None
