"""Why a number is absent, in one word: a label must have few values, the sentences have names and figures in them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from lis_online.experiments import missing as of_arms
from lis_online.metrics import missing as of_numbers
from lis_online.metrics.alignment import NO_PAIRS, ONE_GROUP
from lis_online.metrics.efficiency import NEGATIVE_LIS, NO_LIS
from lis_online.metrics.presence import RESTARTED
from lis_online.shards.group_windows import NOT_WARM

OTHER: Final = "other"

NUMBERS: Final = {
    of_numbers.NO_SAMPLES: "no_samples",
    NOT_WARM: "warm_up",
    of_numbers.NO_POSITIVES: "no_positives",
    of_numbers.NO_NEGATIVES: "no_negatives",
    of_numbers.NO_MIXED_SLATE: "no_mixed_slate",
    of_numbers.TOO_FEW: "too_few",
    of_numbers.NO_PAIR: "no_pairs",
    of_numbers.NO_VECTOR: "no_vectors",
    "diverged": "diverged",
    "exploded": "exploded",
    "stalled": "stalled",
    RESTARTED: "restarted",
    "version {} began within the window": "new_version",
    "source {} began within the window": "new_source",
    NO_LIS: "no_lis",
    NEGATIVE_LIS: "negative_lis",
    NO_PAIRS: "no_pairs",
    ONE_GROUP: "too_few",
}
"""Sentence about a source's or variant's number -> word. {} stands for anything."""

ARMS: Final = {
    of_arms.NO_USERS: "no_users",
    of_arms.ONE_USER: "too_few",
    of_arms.TOO_FEW: "too_few",
    of_arms.NO_VARIANCE: "no_variance",
    of_arms.NOT_POSITIVE: "control_not_positive",
    of_arms.UNBOUNDED: "control_not_positive",
    of_arms.NO_METRIC: "no_metric",
    of_arms.NO_COLUMNS: "settings_differ",
    of_arms.NOT_COUNTED: "settings_differ",
    of_arms.NO_DENOMINATOR: "no_denominator",
}
"""The same of arms. The last is "no" and any word, so it comes last."""

WORDS: Final = tuple(dict.fromkeys([*NUMBERS.values(), *ARMS.values(), OTHER]))
"""Every word there is: label values."""


def word(sentence: str | None, words: Mapping[str, str] = NUMBERS) -> str:
    """Return the word for a sentence, "other" for one that is not known.

    >>> word("version 7 began within the window"), word("no impressions", ARMS), word("bad luck")
    ('new_version', 'no_denominator', 'other')
    """
    if sentence is None:
        return OTHER
    fitting = (found for template, found in words.items() if _fits(template, sentence))
    return words.get(sentence) or next(fitting, OTHER)


def _fits(template: str, sentence: str) -> bool:
    return "{}" in template and re.fullmatch(re.escape(template).replace(r"\{\}", ".+"), sentence) is not None
