"""A review from the history."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lis_online.review.document import Review
from lis_online.review.request import ReviewRequest
from lis_online.settings import Settings

if TYPE_CHECKING:
    from sqlalchemy import Engine

__all__ = ["ReviewRequest", "review"]


def review(engine: Engine, settings: Settings, request: ReviewRequest) -> Review:
    """Return the review of an experiment. Raises UsageError on a name that is not known, HistoryError."""
    raise NotImplementedError
