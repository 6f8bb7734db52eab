"""The readings that statistics give, against the numbers of the same window and numpy's covariances."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from lis_online.drift import reading as names
from lis_online.drift.reading import INPUT, SOURCE, UNLEAKED, VARIANT, Reading, Series
from lis_online.drift.readings import readings
from lis_online.metrics.alignment import PairAlignment
from lis_online.metrics.estimate import Estimate
from lis_online.metrics.levels import levels
from lis_online.metrics.numbers import numbers
from lis_online.metrics.presence import Presence
from lis_online.metrics.statistics import Statistics
from lis_online.metrics.windows import RollingWindow, Window
from tests.metrics.worlds import make_layout, make_scored

LAYOUT = make_layout()
ALIGNED = PairAlignment("v", "", Estimate.of(0.8, 1e-4), 500, 0, 0)


@cache
def window(buckets: int = 8) -> Window:
    """Return a window of a few buckets."""
    rng, rolling = np.random.default_rng(11), RollingWindow(LAYOUT, 16, 1)
    for start in range(buckets):
        statistics = Statistics(LAYOUT)
        gains = {"leaked:coclick": 0.6, "aligned:v": 0.5}
        statistics.update(make_scored(rng, LAYOUT, slates=60, users=120, gains=gains))
        rolling.update(start, statistics)
    return rolling.get(16)


def found(presence: Presence | None = None, at: Window | None = None) -> dict[Series, Reading]:
    """Return the readings by series."""
    read = readings(at or window(), LAYOUT, "auc", presence or Presence.of(LAYOUT), {"v": ALIGNED})
    assert len({reading.series for reading in read}) == len(read)
    return {reading.series: reading for reading in read}


def test_values_are_the_published_ones() -> None:
    """Nothing is computed anew that has a definition elsewhere."""
    read, published = found(), numbers(window(), LAYOUT, "auc")["all"]
    source, variant = published.sources["coclick"], published.variants["v"]
    for series, value in {
        Series(UNLEAKED, "", names.AUC): published.unleaked["auc"].value,
        Series(UNLEAKED, "", names.TWIN): published.twin.value,
        Series(SOURCE, "coclick", names.ADJUSTED_LIS): source.adjusted_lis.value,
        Series(SOURCE, "coclick", names.COVERAGE): source.coverage,
        Series(VARIANT, "v", names.ADJUSTED_AIS): variant.adjusted_ais.value,
        Series(VARIANT, "v", names.COVERAGE): variant.coverage,
        Series(VARIANT, "v", names.PAIR_ALIGNMENT): 0.8,
        Series(INPUT, "", names.TRAFFIC): np.log(published.samples),
    }.items():
        parts = read[series].parts
        assert parts is not None
        assert (parts.numerator, parts.denominator) == (pytest.approx(value), 1.0), series
    parts = read[Series(VARIANT, "v", names.EFFICIENCY)].parts
    assert parts is not None
    assert parts.numerator / parts.denominator == pytest.approx(variant.efficiency.value)
    assert read[Series(VARIANT, "v", names.EFFICIENCY)].source == variant.source == "coclick"


def test_parts_of_efficiency_have_the_jackknifes_covariances() -> None:
    """Of the jackknife, by user or by time, whose variances are the larger: by numpy, without learning noise."""
    level = levels(window(), "auc")
    place = {name: k for k, name in enumerate(LAYOUT.rankers)}

    def deleted(deletions: np.ndarray, first: str, second: str) -> np.ndarray:
        return deletions[0, place[first]] - deletions[0, place[second]]

    covariances = []
    for deletions in (level.user, level.time):
        pair = deleted(deletions, "aligned:v", "permuted:v"), deleted(deletions, "leaked:coclick", "placebo:coclick")
        groups = len(pair[0])
        covariances.append(np.cov(*pair) * (groups - 1) ** 2 / groups)
    parts = found()[Series(VARIANT, "v", names.EFFICIENCY)].parts
    assert parts is not None
    assert parts.numerator_variance == pytest.approx(max(c[0, 0] for c in covariances))
    assert parts.denominator_variance == pytest.approx(max(c[1, 1] for c in covariances))
    assert parts.joint == pytest.approx(max(covariances, key=np.trace)[0, 1])


def test_version_that_began_within_the_window_has_no_number_of_its_rankers() -> None:
    """They are still learning what the vectors mean; its pair alignment, which has none, is read."""
    presence = Presence.of(LAYOUT)
    presence = replace(presence, versions=[type(v)(v.slot, "2", 0, 5, True) for v in presence.versions])
    read = found(presence)
    assert read[Series(VARIANT, "v", names.ADJUSTED_AIS)].parts is None
    assert read[Series(VARIANT, "v", names.EFFICIENCY)].parts is None
    assert read[Series(VARIANT, "v", names.COVERAGE)].parts is None
    aligned = read[Series(VARIANT, "v", names.PAIR_ALIGNMENT)]
    assert aligned.parts is not None
    assert aligned.version == "2"


def test_window_without_samples_has_readings_without_numbers() -> None:
    """An empty hour is no hour with zeros."""
    read = found(at=RollingWindow(LAYOUT, 16, 1).get(16))
    assert all(reading.parts is None for series, reading in read.items() if series.number != names.PAIR_ALIGNMENT)


def test_version_whose_rankers_still_learn_has_no_number_of_theirs() -> None:
    """Later buckets too: coverage and pair alignment, in which no ranker has a part, are read."""
    read = {
        one.series: one
        for one in readings(window(), LAYOUT, "auc", Presence.of(LAYOUT), {"v": ALIGNED}, frozenset("v"))
    }
    assert read[Series(VARIANT, "v", names.ADJUSTED_AIS)].parts is None
    assert read[Series(VARIANT, "v", names.EFFICIENCY)].parts is None
    for number in (names.COVERAGE, names.PAIR_ALIGNMENT):
        assert read[Series(VARIANT, "v", number)].parts is not None
    assert read[Series(SOURCE, "coclick", names.ADJUSTED_LIS)].parts is not None
