"""The variant that an arm serves, as a part of a review: from the statistics of a range, or from a stored window."""

from __future__ import annotations

from lis_online.history.points import Number as StoredNumber
from lis_online.history.points import Point
from lis_online.history.ranges import RangeNumbers
from lis_online.metrics.estimate import Estimate
from lis_online.review.document import Number, Representation

NOT_STORED = "not in the stored window"
NOT_JUDGED = "not judged in the stored window"


def of_range(found: RangeNumbers, slice_: str, variant: str) -> Representation | None:
    """Return a variant's newest version over a range; None where the range's rank group has no such variant."""
    one = found.slices[slice_]
    if variant not in one.variants:
        return None
    measured, judged = one.variants[variant], found.diagnoses[slice_][variant]
    source = one.sources[measured.source]
    return Representation(
        variant=variant,
        version=measured.version,
        source=measured.source,
        samples=one.samples,
        effective_users=one.effective_users,
        lis=_number(source.lis),
        adjusted_lis=_number(source.adjusted_lis),
        ais=_number(measured.ais),
        adjusted_ais=_number(measured.adjusted_ais),
        efficiency=_number(measured.efficiency),
        coverage=measured.coverage,
        diagnosis=judged.diagnosis,
        sentence=judged.sentence,
    )


def of_point(point: Point, variant: str) -> Representation:
    """Return a variant's newest version in a window that was published."""
    users = point.unleaked.get("effective_users")
    coverage = point.variant_numbers.get("coverage")
    return Representation(
        variant=variant,
        version=point.version,
        source=point.source,
        samples=point.samples,
        effective_users=None if users is None else users.value,
        lis=stored(point.source_numbers.get("lis")),
        adjusted_lis=stored(point.source_numbers.get("adjusted_lis")),
        ais=stored(point.variant_numbers.get("ais")),
        adjusted_ais=stored(point.variant_numbers.get("adjusted_ais")),
        efficiency=stored(point.variant_numbers.get("efficiency")),
        coverage=None if coverage is None else coverage.value,
        diagnosis=point.diagnosis or "insufficient_data",
        sentence=point.sentence or NOT_JUDGED,
    )


def stored(found: StoredNumber | None) -> Number:
    """Return a stored number as a part of the document."""
    return Number(value=None, reason=NOT_STORED) if found is None else _number(found)


def _number(found: Estimate | StoredNumber) -> Number:
    return Number(
        value=found.value,
        stderr=found.stderr,
        lower=found.lower,
        upper=found.upper,
        reason=found.reason,
        learning_noise=bool(found.learning_noise),
        samples_to_resolve=found.samples_to_resolve,
    )
