"""The input that a review rests on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from lis_online.metrics.summary import events_summary
from lis_online.review.document import Quality
from lis_online.review.facts import Alignment
from lis_online.review.request import ReviewRequest

NOT_KEPT: Final = "counts of records of that time are not kept"


def quality(counts: Mapping[str, int] | None, alignment: Alignment, request: ReviewRequest) -> Quality:
    """Return it. counts: input records by fate, None where they are not kept."""
    found: Mapping[str, int | None] = {} if counts is None else events_summary(counts)
    return Quality(
        accepted=found.get("accepted"),
        late=found.get("late"),
        duplicate=found.get("duplicate"),
        dead_letters=found.get("dead_letters"),
        left_out=alignment.left_out,
        gaps=tuple(request.span(*gap) for gap in alignment.gaps),
        set_aside=dict(alignment.set_aside),
        reason=NOT_KEPT if counts is None else None,
    )
