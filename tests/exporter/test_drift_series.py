"""What /metrics shows of drift."""

from __future__ import annotations

from dataclasses import replace

from lis_online.drift.event import CAUSES
from tests.exporter.examples import BEGAN, FELL, drift, example
from tests.exporter.test_collector import exposition_of, samples


def shown(view: object) -> dict[tuple[str, ...], float]:
    """Return the samples of drift by name and label values, in the order of the labels' names."""
    return {key: value for key, value in samples(exposition_of(lambda: view)).items() if key[0].startswith("lis_drift")}  # type: ignore[arg-type,return-value]


def test_open_event_has_its_levels_time_and_cause() -> None:
    """And every judged number is there: 0 is a statement about it."""
    found = shown(example())
    at = "variant", "pair_alignment", "title"
    assert tuple(sorted(FELL)) == tuple(sorted(at))
    assert found["lis_drift_active", *at] == 1
    assert found["lis_drift_active", "unleaked", "auc", ""] == 0
    assert found["lis_drift_before_score", *at] == 0.8 and found["lis_drift_after_score", *at] == 0.6
    assert found["lis_drift_before_score_lower", *at] < 0.8 < found["lis_drift_before_score_upper", *at]
    assert found["lis_drift_last_timestamp_seconds", *at] == BEGAN / 1000


def test_events_are_counted_from_zero_for_every_cause() -> None:
    """An increase is seen by a query only where there was a number before it."""
    found = shown(example())
    for kind, number, subject, told in (
        ("variant", "pair_alignment", "title", {"unknown": 1, "representation": 2}),
        ("unleaked", "auc", "", {}),
    ):
        counts = {cause: found["lis_drift_events_total", cause, kind, number, subject] for cause in CAUSES}
        assert counts == {cause: told.get(cause, 0) for cause in CAUSES}


def test_number_that_learns_its_level_anew_keeps_its_counts() -> None:
    """A counter that goes away and comes back would be read as a restart; whether it is away is not known then."""
    found = shown(replace(example(), drift=replace(drift(), away={})))
    assert found["lis_drift_events_total", "representation", "variant", "pair_alignment", "title"] == 2
    assert not [key for key in found if key[0] == "lis_drift_active"]


def test_nothing_is_shown_where_drift_is_not_looked_for() -> None:
    """Absent, not 0."""
    assert shown(replace(example(), drift=None)) == {}
