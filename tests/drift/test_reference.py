"""The reference and what it makes of a series, against slow computations over whole series."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lis_online.drift.reading import ADJUSTED_AIS, VARIANT, Series
from lis_online.drift.reference import HOURS, TIME, Reference, fit, linear, long_run, shrunk
from lis_online.drift.tuning import HOUR, WEEK
from tests.drift.feeds import STDERR, at, noisy, ratio, rows_of

SHARE = Series(VARIANT, "title", ADJUSTED_AIS)


def fitted(rows: np.ndarray) -> Reference:
    """Return the reference of rows, which must have one."""
    found = fit(rows, HOUR, WEEK)
    assert found is not None
    return found


def weekly(hour: int) -> float:
    """Return a level with strong daily and weekly cycles."""
    return 0.05 * (1 + 0.2 * np.sin(2 * np.pi * hour / 24) - 0.2 * (hour // 24 % 7 >= 5))


def slow_shrunk(value: np.ndarray, variance: np.ndarray, group: np.ndarray, groups: int) -> list[float]:
    """Return shrunk effects, group by group in plain Python."""
    by_group = {g: [k for k in range(len(value)) if group[k] == g] for g in range(groups)}
    by_group = {g: members for g, members in by_group.items() if members}
    free = len(value) - len(by_group)
    if free <= 0:
        return [0.0] * groups
    total = {g: sum(1 / variance[k] for k in members) for g, members in by_group.items()}
    mean = {g: sum(value[k] / variance[k] for k in members) / total[g] for g, members in by_group.items()}
    scatter = sum((value[k] - mean[g]) ** 2 / variance[k] for g, members in by_group.items() for k in members) / free
    doubt = {g: max(scatter, 1.0) / total[g] for g in by_group}
    true = max(sum(mean[g] ** 2 - doubt[g] for g in by_group) / len(by_group), 0.0)
    return [mean[g] * true / (true + doubt[g]) if g in by_group and true else 0.0 for g in range(groups)]


@settings(max_examples=50, deadline=None)
@given(seed=st.integers(0, 10_000), groups=st.integers(1, 6), n=st.integers(1, 40), size=st.floats(0, 3))
def test_effects_are_those_of_the_plain_computation(seed: int, groups: int, n: int, size: float) -> None:
    """One-way analysis of variance, with and without true effects, groups without a value included."""
    rng = np.random.default_rng(seed)
    group, variance = rng.integers(0, groups, n), rng.uniform(0.5, 2, n)
    value = size * rng.normal(size=groups)[group] + rng.normal(size=n)
    effect, doubt = shrunk(value, variance, group, groups)
    np.testing.assert_allclose(effect, slow_shrunk(value, variance, group, groups), rtol=1e-9, atol=1e-12)
    assert (doubt >= 0).all()


@settings(max_examples=50, deadline=None)
@given(seed=st.integers(0, 10_000), n=st.integers(2, 60), lags=st.integers(1, 20))
def test_long_run_spread_is_that_of_the_double_sum(seed: int, n: int, lags: int) -> None:
    """Newey and West's estimate, pair by pair of buckets."""
    z = np.random.default_rng(seed).normal(size=n)
    most = min(lags, n - 1)
    pairs = sum(z[i] * z[j] * (1 - abs(i - j) / (most + 1)) for i in range(n) for j in range(n) if abs(i - j) <= most)
    assert long_run(z, lags) == pytest.approx(np.sqrt(max(1.0, pairs / (z @ z))))


def test_linear_form_is_the_first_order_of_the_ratio() -> None:
    """Near the reference both agree, in value (numerical derivative) and variance (delta method)."""
    rows = rows_of([ratio(0, 0.021 + 1e-6, 0.05 - 2e-6, 0.001, SHARE, "coclick")])
    value, variance = linear(rows, 0.42, 0.05)
    assert value[0] == pytest.approx((0.021 + 1e-6) / (0.05 - 2e-6), abs=1e-8)
    assert variance[0] == pytest.approx((1 + 0.42**2) * 0.001**2 / 0.05**2)


def test_level_without_cycles_is_the_weighted_mean() -> None:
    """What numpy says of the whole series; no effect is made up of the noise."""
    rows = rows_of(list(noisy(4 * HOURS, lambda _: 0.05)))
    found = fitted(rows)
    np.testing.assert_allclose(found.expected, rows[:, 1].mean(), atol=0.25 * STDERR)
    assert found.between < STDERR**2 / 4
    assert found.inflation < 1.5


def test_cycles_are_learnt_from_four_weeks() -> None:
    """Hour by hour of the week, to about the error that four values of each hour, or fewer parameters, leave."""
    rows = rows_of(list(noisy(4 * HOURS, weekly)))
    truth = np.array([weekly(int(time - at(0)) // HOUR) for time in rows[:, TIME]])
    found = fitted(rows)
    _, expected, _ = found.get(rows)
    assert np.sqrt(np.mean((expected - truth) ** 2)) < 0.6 * STDERR
    later = rows_of(list(noisy(5 * HOURS, weekly, seed=9)))[4 * HOURS :]
    assert 0.7 < found.standardise(later).std() < 1.3


def test_one_week_does_not_explain_each_hour_by_itself() -> None:
    """With one value for an hour of the week there is no telling its effect from noise: new weeks would look wrong."""
    found = fitted(rows_of(list(noisy(HOURS, lambda _: 0.05))))
    assert found.expected.std() < STDERR / 2


def test_standardised_values_are_those_of_a_plain_computation() -> None:
    """By hand: (value - expected) / (root of own, reference's and between-bucket variance, times the inflation)."""
    rows = rows_of(list(noisy(2 * HOURS, weekly)))
    found = fitted(rows)
    for row, z in zip(rows[:50], found.standardise(rows[:50]), strict=True):
        hour = int(row[TIME]) // HOUR % HOURS
        spread = np.sqrt(row[3] + found.between + found.doubt[hour])
        assert z == pytest.approx((row[1] - found.expected[hour]) / (spread * found.inflation))


def test_buckets_that_vary_beyond_their_errors_are_not_news() -> None:
    """Noise of three standard errors is normal where buckets always have it."""
    rows = rows_of(list(noisy(2 * HOURS, lambda _: 0.05)))
    rows[:, 1] += np.random.default_rng(5).normal(size=len(rows)) * 3 * STDERR
    found = fitted(rows)
    assert np.sqrt(found.between) == pytest.approx(3 * STDERR, rel=0.2)
    assert found.standardise(rows).std() < 1.2


def test_a_few_outliers_do_not_move_the_reference() -> None:
    """One bucket in fifty is 50 standard errors off; the mean alone would be a standard error off."""
    rows = rows_of(list(noisy(2 * HOURS, lambda _: 0.05)))
    rows[::50, 1] += 50 * STDERR
    assert np.abs(fitted(rows).expected - 0.05).max() < 0.5 * STDERR


def test_correlated_buckets_count_for_less() -> None:
    """An AR(1) of 0.8 makes a sum 3 times as wide; the estimate is short of it and far from 1."""
    rng, value = np.random.default_rng(1), 0.0
    rows = rows_of(list(noisy(4 * HOURS, lambda _: 0.05)))
    for row in rows:
        value = 0.8 * value + 0.6 * rng.normal()
        row[1] = 0.05 + 5 * STDERR * value
    assert 1.8 < fitted(rows).inflation < 3.5


def test_ratio_without_a_clear_denominator_has_no_reference() -> None:
    """A share of nothing is no number."""
    rng = np.random.default_rng(0)
    rows = rows_of([ratio(h, 0.02, 0.001 * rng.normal(), 0.001, SHARE, "coclick") for h in range(HOURS)])
    assert fit(rows, HOUR, WEEK) is None


def test_unit_does_not_matter() -> None:
    """Values and errors a thousand times as large are off by as many standard errors."""
    rows = rows_of(list(noisy(2 * HOURS, weekly)))
    large = rows * [1, 1e3, 1, 1e6, 1, 1e3]
    np.testing.assert_allclose(fitted(large).standardise(large), fitted(rows).standardise(rows), rtol=1e-6, atol=1e-9)


def test_restored_reference_is_the_same() -> None:
    """To the last bit, from plain data."""
    rows = rows_of(list(noisy(2 * HOURS, weekly)))
    found = fitted(rows)
    again = Reference.restore(found.snapshot())
    np.testing.assert_array_equal(again.standardise(rows), found.standardise(rows))


def test_young_reference_is_wider() -> None:
    """By 3/4 where it spans the learning time alone, by a 64th of that at eight times as much."""
    rows = rows_of(list(noisy(HOURS, lambda _: 0.05)))
    young, old = fit(rows, HOUR, WEEK), fit(rows, HOUR, WEEK // 8)
    assert young is not None
    assert old is not None
    assert young.inflation / old.inflation == pytest.approx(1.75 / (1 + 0.75 / 64))


@pytest.mark.parametrize("seed", range(4))
def test_wander_from_day_to_day_is_not_taken_for_a_week(seed: int) -> None:
    """Correlated noise makes days differ; their effects are those of a week only beyond that."""
    rng, value = np.random.default_rng(seed), 0.0
    rows = rows_of(list(noisy(HOURS, lambda _: 0.05)))
    for row in rows:
        value = 0.9 * value + np.sqrt(1 - 0.81) * rng.normal()
        row[1] = 0.05 + 5 * STDERR * value
    days = fitted(rows).expected.reshape(7, 24).mean(axis=1)
    plain = rows[:, 1].reshape(7, 24).mean(axis=1)
    assert days.std() < 0.85 * plain.std()
