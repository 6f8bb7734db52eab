"""Student's t, against scipy."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from lis_online.experiments.student import quantile, two_sided_p


@given(st.floats(0, 60), st.floats(1, 1e8))
def test_p_is_scipys(t: float, df: float) -> None:
    """From a few degrees of freedom to as many as a platform has users."""
    assert two_sided_p(t, df) == pytest.approx(2 * stats.t.sf(t, df), rel=1e-8, abs=1e-300)


@given(st.floats(0.5, 0.9999), st.floats(1, 1e8))
def test_the_quantile_is_scipys(level: float, df: float) -> None:
    """The value that the middle `level` of the distribution reaches to."""
    assert quantile(level, df) == pytest.approx(stats.t.ppf(0.5 + level / 2, df), rel=1e-8)


def test_a_level_is_a_probability() -> None:
    """Argument, rule, value."""
    with pytest.raises(ValueError, match="level must be between 0 and 1, got 95"):
        quantile(95, 3)
