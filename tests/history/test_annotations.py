"""Notes and drift events: written, and read back by the time that they touch."""

from __future__ import annotations

import msgspec
import pytest
from sqlalchemy import Engine

from lis_online.errors import UsageError
from lis_online.history.annotations import Annotation, annotate, annotations_between
from lis_online.history.configuration import configuration_id
from lis_online.history.drift import drift_events
from lis_online.history.rows import DriftRow
from lis_online.history.writer import HistoryWriter
from tests.history.streams import AT, MINUTE, SETTINGS

pytestmark = pytest.mark.postgres

DEPLOY = Annotation(AT, None, "deploy; 100 %", ("deploy", "v2"))
OUTAGE = Annotation(AT + MINUTE, AT + 3 * MINUTE, "search is down")


def test_notes_that_touch_a_stretch_are_read_in_order(history_engine: Engine) -> None:
    """One over time is there while it lasts, an instant at its time; the stretch's end is exclusive."""
    with history_engine.begin() as connection:
        first, second = (annotate(connection, one) for one in (OUTAGE, DEPLOY))
        assert first != second
        for start, end, expected in (
            (None, None, [DEPLOY, OUTAGE]),
            (AT, AT + MINUTE, [DEPLOY]),
            (AT + 1, None, [OUTAGE]),
            (AT + 2 * MINUTE, AT + 9 * MINUTE, [OUTAGE]),
            (AT + 4 * MINUTE, None, []),
        ):
            assert annotations_between(connection, start, end) == expected
        assert annotations_between(connection, None, None, ["v2"]) == [DEPLOY]


def test_a_note_without_words_or_with_its_end_first_is_refused(history_engine: Engine) -> None:
    """Rule and value."""
    with history_engine.begin() as connection:
        with pytest.raises(UsageError, match="text must not be empty, got ' '"):
            annotate(connection, Annotation(AT, None, " "))
        with pytest.raises(UsageError, match="end must be after its time 2019-11-12T00:00:00Z, got 2019-11-12T00:00"):
            annotate(connection, Annotation(AT, AT, "x"))


def test_drift_events_come_back_of_their_time_and_configuration(history_engine: Engine) -> None:
    """With levels and times as they were written; a later revision closes an event."""
    first = DriftRow(
        AT, "variant", "v", "ais", "all", 900_000, AT + 5, None, 0.2, 0.1, 0.3, 0.1, None, None, "unknown",
        "Fell.", "d", 1,
    )  # fmt: skip
    closed = msgspec.structs.replace(first, until=AT + 99, revision=2)
    later = msgspec.structs.replace(first, time=AT + MINUTE, kind="source")
    for rows in ([later, first], [closed], [first]):
        HistoryWriter(history_engine, SETTINGS).write(rows)
    with history_engine.begin() as connection:
        configuration = configuration_id(connection, SETTINGS)
        assert drift_events(connection, configuration, None, None) == [closed, later]
        assert drift_events(connection, configuration, AT, AT + MINUTE) == [closed]
        assert drift_events(connection, configuration, AT + 1, None) == [later]
        assert drift_events(connection, configuration + 1, None, None) == []
