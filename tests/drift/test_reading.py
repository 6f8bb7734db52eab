"""Readings and tuning: what is accepted."""

from __future__ import annotations

import math

import pytest

from lis_online.drift.reading import COVERAGE, VARIANT, Parts, Reading, Series, share
from lis_online.drift.tuning import HOUR, Tuning
from lis_online.errors import UsageError
from tests.drift.feeds import LIS

COVER = Series(VARIANT, "title", COVERAGE)


def test_plain_number_is_a_ratio_to_one() -> None:
    """So that numbers and ratios are one kind of reading."""
    assert Reading.of(LIS, 0, 0.05, 0.01, 100).parts == Parts(0.05, 1.0, 0.0001, 0.0, 0.0)


@pytest.mark.parametrize(("value", "stderr"), [(None, None), (0.05, None), (None, 0.01)])
def test_number_without_its_error_is_none(value: float | None, stderr: float | None) -> None:
    """Nothing can be said of it."""
    assert Reading.of(LIS, 0, value, stderr, 100).parts is None


@pytest.mark.parametrize(
    ("series", "parts", "said"),
    [
        (Series("arm", "", "ctr"), None, r"kind of a series must be one of .*, got 'arm'"),
        (LIS, Parts(math.nan, 1, 0, 0, 0), "must be finite"),
        (LIS, Parts(0, 1, -1, 0, 0), "must be >= 0"),
    ],
)
def test_reading_that_means_nothing_is_refused(series: Series, parts: Parts | None, said: str) -> None:
    """Early, and with the rule."""
    with pytest.raises(UsageError, match=said):
        Reading(series, 0, parts, 0)


@pytest.mark.parametrize("full", [0.0, 1.0])
def test_share_of_all_or_none_is_not_beyond_doubt(full: float) -> None:
    """A hundred clusters that are all covered are not certainty."""
    parts = share(COVER, 0, full, 1_000, 10.0).parts
    assert parts is not None
    assert parts.numerator_variance == pytest.approx((101 / 102) * (1 / 102) / 100)
    assert share(COVER, 0, None, 0, 10.0).parts is None


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"bucket": 7 * 60_000}, "bucket must divide an hour"),
        ({"window": HOUR}, "window must be >= learning"),
        ({"threshold": 4.0}, "threshold must be > clip"),
    ],
)
def test_tuning_that_cannot_work_is_refused(changed: dict[str, float], said: str) -> None:
    """Before a month has been waited for."""
    with pytest.raises(UsageError, match=said):
        Tuning(**changed)  # type: ignore[arg-type]
