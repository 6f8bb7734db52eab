"""How often messages were refused, by the sentence that says why."""

from __future__ import annotations

import re
from collections import Counter
from typing import Final

_NUMBER: Final = re.compile(r"\d+")


def count_refusal(refused: Counter[str], sentence: str) -> None:
    """Count a sentence; those that differ in their numbers alone are one, told by the first.

    >>> refused = Counter()
    >>> for sentence in ("got 12", "got 345", "got nothing"):
    ...     count_refusal(refused, sentence)
    >>> dict(refused)
    {'got 12': 2, 'got nothing': 1}
    """
    if sentence not in refused:
        shape = _NUMBER.sub("0", sentence)
        sentence = next((one for one in refused if _NUMBER.sub("0", one) == shape), sentence)
    refused[sentence] += 1
