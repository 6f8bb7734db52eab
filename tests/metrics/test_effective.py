import numpy as np
import pytest

from lis_online.events.hashing import mix
from lis_online.metrics.effective import effective_users


@pytest.mark.parametrize("users", [1, 3, 200, 20_000, 500_000])
def test_effective_users_are_within_five_standard_errors(users: int) -> None:
    """From 4,096 hashed cells the effective number of users is known to about 2 %, however many there are."""
    samples = np.random.default_rng(users).geometric(0.05, users)
    cells = np.bincount(mix(np.arange(users), salt=9) % np.uint64(4096), samples, minlength=4096).astype(np.int64)
    exact = samples.sum() ** 2 / (samples.astype(float) ** 2).sum()
    assert effective_users(cells) == pytest.approx(exact, rel=5 * np.sqrt(2 / 4096))


def test_effective_users_of_nothing_is_not_a_number() -> None:
    """No samples give no number of users, not 0."""
    assert np.isnan(effective_users(np.zeros(4096, np.int64)))


def test_effective_users_stay_between_one_and_the_samples() -> None:
    """Cells that are more even than chance cannot say that there are more users than samples."""
    assert effective_users(np.ones(4096, np.int64)) == 4096


def test_every_leading_axis_is_a_number_of_its_own() -> None:
    """The formula of the docstring, row by row: over all cells of the last axis and no other."""
    cells = np.random.default_rng(0).geometric(0.2, (2, 3, 50)) * (np.random.default_rng(1).random((2, 3, 50)) < 0.3)
    found = effective_users(cells)
    assert found.shape == (2, 3)
    for at in np.ndindex(2, 3):
        n, squares = cells[at].sum(), (cells[at] ** 2).sum()
        second = min(max(50 / 49 * (squares - n**2 / 50), n), n**2)
        assert found[at] == pytest.approx(n**2 / second)
