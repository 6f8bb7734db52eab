"""The same time under another configuration: a backfill beside the live numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lis_online.errors import HistoryError
from lis_online.history.configuration import described
from lis_online.history.engine import transaction
from lis_online.history.ranges import range_numbers
from lis_online.history.stored import Group
from lis_online.history.stored_settings import settings_of
from lis_online.metrics.layout import Layout
from lis_online.review import representation
from lis_online.review.alignment import served
from lis_online.review.changed import changed
from lis_online.review.document import Against
from lis_online.review.facts import Times
from lis_online.review.subject import Subject

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from lis_online.review.request import ReviewRequest


def against(engine: Engine, subject: Subject, request: ReviewRequest, times: Times | None) -> Against | None:
    """Return the served variants' numbers under `request.against`; None where that was not asked."""
    if request.against is None:
        return None
    with transaction(engine) as connection:
        settings = settings_of(connection, request.against)
        told = changed(described(settings_of(connection, subject.configuration)), described(settings))
    if times is None:
        return _none(request.against, told, "there is no bucket of that time")
    if request.slice not in Layout.of(settings).slices:
        return _none(request.against, told, f"configuration {request.against} has no slice {request.slice}")
    try:
        numbers = range_numbers(engine, Group(request.against), *times, [request.slice])
    except HistoryError as exc:
        if exc.transient:
            raise
        return _none(request.against, told, str(exc))
    found = [representation.of_range(numbers, request.slice, name) for name in served(subject)]
    return Against(
        configuration=request.against,
        changed=tuple(told),
        representations=tuple(one for one in found if one is not None),
        reason=None if any(found) else f"configuration {request.against} measures none of the served variants",
    )


def _none(configuration: int, told: list[str], reason: str) -> Against:
    return Against(configuration=configuration, changed=tuple(told), representations=(), reason=reason)
