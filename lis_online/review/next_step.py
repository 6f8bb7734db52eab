"""The verdict's later sentences: where to work next, whether AIS and lift agree, what is not known."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from lis_online.review.document import Pair, Review
from lis_online.review.words import gain, part, percent

WORK: Final = {
    "aligned": "to gain more, look for better preference data than {source}",
    "misaligned": "the data is good and the alignment loses it, so work on the model",
    "weak_preference_data": "work on the data, not on the model",
    "beyond_preference": "{source} is too sparse to bound it, so judge it by its AIS and its lift",
    "invalid_baseline": "something but preference leaks, so trust neither number",
    "overloaded_sketch": "the sketch is too small to tell, so see to leakage.sketch_bits",
    "insufficient_data": "there is not enough data to say where to work",
}
"""By diagnosis: where to work next."""


def representation_sentence(review: Review, arm: str) -> Iterator[str]:
    """Yield what the variant of an arm delivers of what its source could bring, and where to work next."""
    found = next((one.representation for one in review.arms if one.arm == arm), None)
    if found is None:
        return
    lis, share = found.adjusted_lis, found.efficiency
    could = (
        f"{found.source} could bring {gain(lis)} AUC"
        if lis.value is not None
        else f"{found.source} has no adjusted LIS"
    )
    delivers = (
        f"{found.variant} delivers {part(share)} of it"
        if share.value is not None
        else f"{found.variant} brings {gain(found.adjusted_ais)}"
        if found.adjusted_ais.value is not None
        else f"{found.variant} has no adjusted AIS"
    )
    yield f"{could}, {delivers} ({found.diagnosis}): {WORK[found.diagnosis].format(source=found.source)}."


def agreement_sentence(review: Review) -> Iterator[str]:
    """Yield whether the arms rank by lift as by their variants' adjusted AIS."""
    found = review.agreement
    if found.agrees is None:
        yield f"Whether lift and adjusted AIS agree is open: {found.reason}."
    elif found.agrees:
        yield "The arms rank by lift as their variants do by adjusted AIS."
    else:
        wrong = [pair for pair in found.pairs if pair.resolved and not pair.agrees]
        yield f"Lift and adjusted AIS disagree: {'; '.join(_pair(pair) for pair in wrong)}."


def quality_sentence(review: Review) -> Iterator[str]:
    """Yield that the quality of the input is not known, where it is not."""
    if review.quality.reason is not None:
        yield f"How much of the input was late or refused is not known: {review.quality.reason}."


def _pair(pair: Pair) -> str:
    return (
        f"{pair.better_by_ais} is ahead of {pair.other} by {pair.ais_difference:+.4f} in adjusted AIS and behind by "
        f"{percent(-pair.lift_difference)[1:]} in lift"
    )
