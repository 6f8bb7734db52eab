"""Worked examples that others have printed, reproduced to their digits.

The inputs and the expected numbers are those of the tests of GrowthBook's statistics package
(github.com/growthbook/growthbook, packages/stats/tests/frequentist/test_tests.py, release 0.8.0 and later). Where a
figure is not in those tests it was computed once with gbstats 0.8.0 on the same input, and the test says so. Its
relative intervals are the delta method's, ours are Fieller's: of those the value and the standard error are compared.
Fieller's interval is compared with R's package mratios, adjusted p-values with stdlib.
"""

from __future__ import annotations

from math import log, sqrt

import pytest

from lis_online.experiments import fixed
from lis_online.experiments.cuped import adjust
from lis_online.experiments.definitions import Metric
from lis_online.experiments.levels import level
from lis_online.experiments.lift import Interval, Lift, absolute_interval, fieller, lift, relative_stderr
from lis_online.experiments.multiple import adjusted
from lis_online.experiments.sequence import Mixture
from lis_online.experiments.student import quantile
from tests.experiments.arms import printed

MEAN = Metric("m", "mean", "x")
RATIO = Metric("m", "ratio", "x", "y")


def means(control: tuple[float, float, int], arm: tuple[float, float, int]) -> Lift:
    """Return the lift of a mean from (sum, sum of squares, users) of both arms."""
    levels = (level(printed(n, [total], [[squares]]), ["x"], MEAN) for total, squares, n in (control, arm))
    found = lift(*levels)
    assert isinstance(found, Lift)
    return found


def growthbook(users: int, tuned: int, alpha: float = 0.05) -> Mixture:
    """Return r = n rho^2 with GrowthBook's rho: Waudby-Smith et al., version 7, equation 161, an approximation."""
    return Mixture.single(users * (-2 * log(alpha) + log(-2 * log(alpha) + 1)) / tuned)


def rounded(interval: Interval) -> tuple[float, float]:
    """Return both ends to five digits."""
    assert interval.lower is not None and interval.upper is not None
    return round(interval.lower, 5), round(interval.upper, 5)


def test_two_sided_t_test_of_a_mean() -> None:
    """test_two_sided_ttest and test_two_sided_ttest_absolute: 0.29 in (0.04538, 0.53462), p = 0.02016; 0.70732."""
    found = means((1396.87, 52377.9767, 3407), (2422.7, 134698.29, 3461))
    assert round(found.difference, 5) == 0.29 and round(sqrt(found.variance), 5) == 0.12478
    assert rounded(absolute_interval(found, fixed.reach(found, 0.05))) == (0.04538, 0.53462)
    assert round(fixed.p_value(found), 5) == 0.02016
    assert found.relative is not None and round(found.relative, 5) == 0.70732
    assert relative_stderr(found) == pytest.approx(0.37879, abs=5e-6)


def test_sequential_test_of_a_mean() -> None:
    """test_sequential_test_runs: 0.50336 in (-0.55844, 1.56516) relative, tuned to 1,000; absolute: gbstats."""
    found = means((1396.87, 52377.9767, 3000), (2422.7, 134698.29, 3461))
    mixture = growthbook(6461, 1000)
    stderr, reach = relative_stderr(found), float(mixture.reach(0.05))
    assert found.relative is not None and stderr is not None
    ends = found.relative - reach * stderr, found.relative + reach * stderr
    assert tuple(round(end, 5) for end in (found.relative, *ends)) == (0.50336, -0.55844, 1.56516)
    assert mixture.p_value((found.relative / stderr) ** 2) == 1.0
    absolute = absolute_interval(found, reach)
    assert (absolute.lower, absolute.upper) == pytest.approx((-0.17908917909394972, 0.6478425124272831), rel=1e-12)


def test_sequential_test_of_a_share() -> None:
    """test_sequential_test_runs_prop: 0.50386 with error 0.03386 in (0.40098, 0.60675), tuned to 5,000.

    GrowthBook divides a share's variance by n, this library by n - 1: one unit of the last digit at 3,000 users.
    """
    found = means((1396, 1396, 3000), (2422, 2422, 3461))
    stderr, reach = relative_stderr(found), float(growthbook(6461, 5000).reach(0.05))
    assert found.relative is not None and stderr is not None
    assert round(found.relative, 5) == 0.50386 and round(stderr, 4) == 0.0339
    assert found.relative - reach * stderr == pytest.approx(0.40098, abs=2e-5)
    assert found.relative + reach * stderr == pytest.approx(0.60675, abs=2e-5)


def test_tests_of_a_ratio() -> None:
    """Computed with gbstats 0.8.0: RatioStatistic, 500 users each; fixed, relative and sequential (tuned to 800)."""
    control = printed(500, [300, 777], [[869, 844], [844, 1600]])
    arm = printed(500, [350, 1074], [[940, 1170], [1170, 2700]])
    found = lift(*(level(one, ["x", "y"], RATIO) for one in (control, arm)))
    assert isinstance(found, Lift)
    assert found.difference == pytest.approx(-0.06021584233874738, rel=1e-12)
    assert sqrt(found.variance) == pytest.approx(0.03405396617991627, rel=1e-12)
    interval = absolute_interval(found, fixed.reach(found, 0.05))
    assert (interval.lower, interval.upper) == pytest.approx((-0.12704896245418362, 0.006617277776688843), rel=1e-8)
    assert fixed.p_value(found) == pytest.approx(0.07735333547376788, rel=1e-8)
    assert found.relative == pytest.approx(-0.15595903165735572, rel=1e-12)
    assert relative_stderr(found) == pytest.approx(0.07949739877126272, rel=1e-12)
    mixture = growthbook(1000, 800)
    interval = absolute_interval(found, float(mixture.reach(0.05)))
    assert (interval.lower, interval.upper) == pytest.approx((-0.1636582572030515, 0.04322657252555674), rel=1e-12)
    assert mixture.p_value(found.z_squared) == pytest.approx(0.798610840103194, rel=1e-12)


def test_cuped_of_a_mean() -> None:
    """test_sequential_test_runs_ra: 0.50338 relative to the unadjusted control, in (-0.50969, 1.51646)."""
    control = printed(3000, [1396.87, 16.87], [[52377.9767, 1], [1, 527.9767]])
    arm = printed(3461, [2422.7, 22.7], [[134698.29, 1], [1, 1348.29]])
    adjusted = adjust(control, arm, ["x", "before:x"], MEAN)
    found = lift(adjusted.control, adjusted.arm)
    assert isinstance(found, Lift)
    assert round(found.difference / (1396.87 / 3000), 5) == 0.50338


def test_cuped_of_a_ratio() -> None:
    """test_two_sided_ttest_test_runs_ratio_ra: -0.0007 of control with error 0.00391, p = 0.85771 (100 users each)."""
    control = printed(
        100,
        [485.112236689623, 679.9093275844917, 192.59138069991536, 290.1398399750233],
        [
            [2715.484666118136, 3602.146836776702, 1113.6215759318352, 1559.2878434944676],
            [3602.146836776702, 4939.424001640236, 1460.3181079276983, 2130.9404074446747],
            [1113.6215759318352, 1460.3181079276983, 460.076026390857, 634.239482353647],
            [1559.2878434944676, 2130.9404074446747, 634.239482353647, 920.9461385038898],
        ],
    )
    arm = printed(
        100,
        [514.7757826608777, 705.4090874383759, 206.94157227402536, 302.54389139107326],
        [
            [2994.897482705013, 3918.1561431600717, 1237.0953021125997, 1701.0287270040265],
            [3918.1561431600717, 5291.36604146392, 1604.0759503266522, 2292.081739775257],
            [1237.0953021125997, 1604.0759503266522, 514.2903702246757, 698.4173425817908],
            [1701.0287270040265, 2292.081739775257, 698.4173425817908, 994.4506208125663],
        ],
    )
    adjusted = adjust(control, arm, ["x", "y", "before:x", "before:y"], RATIO)
    found, plain = lift(adjusted.control, adjusted.arm), 485.112236689623 / 679.9093275844917
    assert isinstance(found, Lift)
    assert round(found.difference / plain, 4) == -0.0007
    assert sqrt(found.variance) / plain == pytest.approx(0.00391, abs=1e-5)
    assert fixed.p_value(found) == pytest.approx(0.858, abs=0.002)


R_NORMAL = [0.5855288, 0.7094660, -0.1093033, -0.4534972, 0.6058875, -1.8179560, 0.6300986, -0.2761841, -0.2841597,
            -0.9193220]  # fmt: skip
"""What R prints of `set.seed(12345); rnorm(10)`."""


def five(values: list[float], mean: float) -> tuple[float, float, int]:
    """Return sum, sum of squares and number of five users around a mean."""
    moved = [value + mean for value in values]
    return sum(moved), sum(value**2 for value in moved), len(moved)


def test_welchs_test_of_r() -> None:
    """R's t.test of rnorm(5, 1, 1) and rnorm(5, 2, 1): t = -0.4263, df = 6.363, p = 0.684, (-1.3249365, 0.9271785).

    Printed, with the ratio below, at mikuhatsune.hatenadiary.com/entry/20121212/1355320912.
    """
    found = means(five(R_NORMAL[5:], 2), five(R_NORMAL[:5], 1))
    assert round(found.difference / sqrt(found.variance), 4) == -0.4263
    assert round(fixed.degrees_of_freedom(found), 3) == 6.363 and round(fixed.p_value(found), 3) == 0.684
    interval = absolute_interval(found, fixed.reach(found, 0.05))
    assert (interval.lower, interval.upper) == pytest.approx((-1.3249365, 0.9271785), abs=2e-6)


def test_fiellers_interval_of_mratios() -> None:
    """t.test.ratio of the same: 0.8643849 in (0.4056763, 2.6170008).

    Its degrees of freedom are Satterthwaite's at the estimated ratio (Tamhane and Logan, 2004). This library takes
    those at a ratio of 1, so that its interval excludes no lift exactly where Welch's test does.
    """
    found = means(five(R_NORMAL[5:], 2), five(R_NORMAL[:5], 1))
    c, a = found.control, found.arm
    assert c.value is not None and a.value is not None and c.variance is not None and a.variance is not None
    ratio = a.value / c.value
    df = (a.variance + ratio**2 * c.variance) ** 2 / (a.variance**2 / 4 + ratio**4 * c.variance**2 / 4)
    ends = fieller(a.value, a.variance, c.value, c.variance, quantile(0.95, df))
    assert ratio == pytest.approx(0.8643849, abs=2e-7)
    assert [float(end) for end in ends] == pytest.approx([0.4056763, 2.6170008], abs=2e-6)


def test_adjusted_p_values_of_stdlib() -> None:
    """stdlib.io, @stdlib/stats/padjust (R's p.adjust): its printed examples.

    The last is of a family of 10 of which 5 are known: the unknown ones count, as they do here.
    """
    holm = [0.957, 0.804, 0.957, 0.957, 0.565]
    assert adjusted([0.319, 0.201, 0.4, 0.374, 0.113], "holm") == pytest.approx(holm)
    by_rate = [0.04, 0.075, 0.205, 0.6, 0.25]
    assert adjusted([0.008, 0.03, 0.123, 0.6, 0.2], "benjamini-hochberg") == pytest.approx(by_rate)
    of_ten = adjusted([0.319, 0.201, 0.4, 0.374, 0.113, *[None] * 5], "benjamini-hochberg")
    assert of_ten == [*[pytest.approx(0.8)] * 5, *[None] * 5]
