import numpy as np

from lis_online.metrics.jackknife import jackknife_covariance
from lis_online.metrics.levels import Levels

PARTS = ("value", "user", "time")


def made() -> Levels:
    """Return random levels of 2 slices, 4 columns, 6 groups, 5 blocks; the second slice lacks a group and a block."""
    rng = np.random.default_rng(0)
    has_user, has_time = np.ones((2, 1, 6), np.bool_), np.ones((2, 1, 5), np.bool_)
    has_user[1, 0, 2] = has_time[1, 0, 4] = False
    return Levels(rng.normal(size=(2, 4)), rng.normal(size=(2, 4, 6)), rng.normal(size=(2, 4, 5)), has_user, has_time)


def test_differences_are_of_value_and_every_deletion() -> None:
    """Column by column, in the order asked for; what has data stays."""
    levels = made()
    found = levels.minus([3, 0], [1, 1])
    for name in PARTS:
        whole = getattr(levels, name)
        expected = np.stack([whole[:, 3] - whole[:, 1], whole[:, 0] - whole[:, 1]], axis=1)
        np.testing.assert_array_equal(getattr(found, name), expected)
    assert found.has_user is levels.has_user and found.has_time is levels.has_time


def test_taken_columns_are_the_columns() -> None:
    """In the order asked for, also twice."""
    levels = made()
    found = levels.take([2, 0, 2])
    for name in PARTS:
        np.testing.assert_array_equal(getattr(found, name), getattr(levels, name)[:, [2, 0, 2]])
    assert found.has_user is levels.has_user and found.has_time is levels.has_time


def test_variances_and_covariances_delete_what_has_data() -> None:
    """By user over groups, by time over blocks: NumPy's covariance of the deletions, (n - 1)^2 / n times."""
    levels = made()
    first, second = levels.take([0, 1]), levels.take([2, 3])
    by_user, by_time = first.covariances(second)
    own = first.variances()
    for s in range(2):
        for c in range(2):
            for found, variance, name, has in (
                (by_user, own[0], "user", levels.has_user),
                (by_time, own[1], "time", levels.has_time),
            ):
                a, b = (getattr(part, name)[s, c][has[s, 0]] for part in (first, second))
                scale = (len(a) - 1) ** 2 / len(a)
                np.testing.assert_allclose(found[s, c], np.cov(a, b)[0, 1] * scale)
                np.testing.assert_allclose(variance[s, c], a.var(ddof=1) * scale)
    np.testing.assert_array_equal(by_user, jackknife_covariance(first.user, second.user, levels.has_user))
