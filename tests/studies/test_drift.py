"""The drift study's parts: that they measure what the page says."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from lis_online.drift.reading import ADJUSTED_AIS, ADJUSTED_LIS, SOURCE, VARIANT, Series
from lis_online.drift.tuning import Tuning
from studies import drift_page
from studies.drift import main
from studies.drift_changes import CASES, Case
from studies.drift_choice import _delay, compare
from studies.drift_detectors import Cusum
from studies.drift_feed import Course, Feed, Noise
from studies.drift_runs import share_found
from tests.documents import ROOT

CALM = Noise(daily=0, weekly=0, wander=0, cover_wander=0, traffic_daily=0, traffic_weekly=0, traffic_noise=0)


def told(detected: float, cause: str = "representation", about: str = "title", until: float | None = None) -> dict:
    """Return an event as a run tells it."""
    return {"detected": detected, "cause": cause, "about": about, "until": until}


def test_noise_is_as_large_and_as_correlated_as_it_says() -> None:
    """Standard errors that do not describe the noise would make every threshold of the study wrong."""
    feed = replace(Feed.small(10_000), noise=CALM)
    course = Course(feed, 400, seed=1)
    ais, lis = Series(VARIANT, "title", ADJUSTED_AIS), Series(SOURCE, "coclick", ADJUSTED_LIS)
    by_series = [{r.series: r.parts for r in course.get(at)} for at in range(400)]
    z = {
        s: np.array([(p[s].numerator - level) / p[s].numerator_variance ** 0.5 for p in by_series])
        for s, level in ((ais, 0.046), (lis, 0.053))
    }
    assert z[ais].std() == pytest.approx(1.0, abs=0.12)
    assert z[lis].std() == pytest.approx(1.0, abs=0.12)
    assert np.corrcoef(z[ais], z[lis])[0, 1] == pytest.approx(feed.noise.joint, abs=0.12)


def test_course_is_the_same_in_any_order() -> None:
    """A run that begins in the middle sees what the whole one sees there."""
    first, again = (Course(Feed.small(10_000), 50, seed=3) for _ in range(2))
    assert [first.get(at) for at in range(50)][40] == again.get(40)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_change_begins_at_its_hour_and_not_before(case: Case) -> None:
    """Delays are counted from there."""
    course, change = Course(Feed.small(100_000), 30, seed=3), case.change(20.0)
    assert course.get(19, change) == course.get(19)
    later = 22 if case.kind == "slow" else 20
    assert course.get(later, change) != course.get(later)


def test_share_found_counts_the_first_event_that_is_about_the_change() -> None:
    """Hours to the end of its bucket; other events count as events alone."""
    rows = [
        {"told": [told(1.0, about="image"), told(4.0)]},
        {"told": [told(9.0, cause="source")]},
        {"told": []},
    ]
    found = share_found(rows, CASES[0])
    assert found["found"] == pytest.approx(2 / 3)
    assert found["median"] == 7.5
    assert found["cause_right"] == 0.5
    assert found["events"] == 1.0


def test_delay_is_counted_in_values() -> None:
    """Steps of 4 less the slack of 0.5: the fifth sum of 3.5 passes 14."""
    assert _delay(Cusum, Tuning(threshold=14.0), np.full(50, 4.0)) <= 5
    assert _delay(Cusum, Tuning(threshold=14.0), np.zeros(50)) == np.inf


def test_comparison_finds_large_shifts_and_stays_quiet() -> None:
    """On white noise every detector that can be strict is within the allowed false alarms."""
    rng = np.random.default_rng(0)
    spans = [{ADJUSTED_AIS: [rng.normal(size=400)]}]
    found = {row["detector"]: row for row in compare(spans, Tuning())}
    assert found["page_hinkley"]["alarms"] <= 0.75
    assert found["page_hinkley"]["delays"]["5.0"] <= 6
    assert found["adwin"]["delays"]["5.0"] > found["page_hinkley"]["delays"]["5.0"]


def test_study_refuses_to_measure_nothing() -> None:
    """An average of no spans is no number."""
    with pytest.raises(SystemExit):
        main(["--spans", "0"])


def test_page_shows_the_figures_of_its_file() -> None:
    """Both come from one run, and the goal is met on the page that claims it."""
    figures = json.loads((ROOT / "docs" / "drift.json").read_text())
    page = (ROOT / "docs" / "drift.md").read_text()
    assert f"{figures['false_alarms_per_30_days']:.2f} false alarms" in page
    assert figures["false_alarms_per_30_days"] < 1
    assert figures["spans"] >= 20
    assert set(figures["delays_hours"]) == {case.name for case in CASES}
    assert drift_page._least() == 5
