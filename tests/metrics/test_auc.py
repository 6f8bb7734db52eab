import numpy as np
import pytest
from sklearn.metrics import log_loss, roc_auc_score

from lis_online.metrics.auc import auc, calibration, normalised_entropy


def test_auc_of_a_histogram_equals_that_of_its_bins() -> None:
    """Over any leading axes, the AUC of counts is that of samples at their bins' centres."""
    rng = np.random.default_rng(0)
    histogram = rng.integers(0, 5, (3, 2, 2, 16))
    found = auc(histogram)
    for at in np.ndindex(3, 2):
        negative, positive = (np.repeat(np.arange(16), row) for row in histogram[at])
        labels = [0] * len(negative) + [1] * len(positive)
        assert found[at] == pytest.approx(roc_auc_score(labels, np.concatenate([negative, positive])))


def test_places_bring_the_difference_of_close_rankers_back() -> None:
    """Two rankers a sixth of a bin apart: against a full sort, bins with places err a quarter as much as bins alone."""
    errors = np.array([_errors(np.random.default_rng(seed)) for seed in range(30)])
    alone, with_places = np.sqrt((errors**2).mean(axis=0))
    assert with_places < 0.25 * alone


def _errors(rng: np.random.Generator) -> tuple[float, float]:
    """Return the error of a difference of two AUCs from 64 bins over 8 logits, without and with places."""
    label = (rng.random(4_000) < 0.3).astype(int)
    first = rng.normal(label * 0.8, 1.0)
    pair = first, first + 0.02 * rng.normal(size=len(label))
    sorted_difference = roc_auc_score(label, pair[0]) - roc_auc_score(label, pair[1])
    counts, places = (np.array(part) for part in zip(*(_binned(x, label) for x in pair), strict=True))
    found = auc(counts), auc(counts, places, 256)
    return float(found[0][0] - found[0][1] - sorted_difference), float(found[1][0] - found[1][1] - sorted_difference)


def _binned(logits: np.ndarray, label: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    at = np.clip((logits + 4) * 8, 0, 64 - 1e-9)
    cell = label * 64 + at.astype(int)
    counts = np.bincount(cell, minlength=128).reshape(2, 64)
    return counts, np.bincount(cell, np.floor(at % 1 * 256), minlength=128).reshape(2, 64)


def test_area_stays_within_its_range() -> None:
    """Two samples at the ends of one bin: the first-order split alone would say 1.5."""
    assert auc(np.array([[1], [1]]), np.array([[0], [9]]), 10) == 1.0


@pytest.mark.parametrize("empty", [0, 1])
def test_auc_of_one_class_is_not_a_number(empty: int) -> None:
    """A label that is missing gives no AUC, not 0 or one half."""
    histogram = np.ones((2, 4), int)
    histogram[empty] = 0
    assert np.isnan(auc(histogram))


def test_normalised_entropy_equals_log_loss_over_that_of_the_rate() -> None:
    """A model's loss over the loss of predicting the rate."""
    rng = np.random.default_rng(1)
    label, p = rng.random(200) < 0.3, rng.random(200)
    expected = log_loss(label, p) / log_loss(label, np.full(200, label.mean()))
    found = normalised_entropy(np.array(log_loss(label, p) * 200), np.array(200), np.array(label.sum()))
    assert found == pytest.approx(expected)


def test_levels_without_a_label_are_not_numbers() -> None:
    """No positives: no calibration and no entropy."""
    assert np.isnan(calibration(np.array(3.0), np.array(0)))
    assert np.isnan(normalised_entropy(np.array(3.0), np.array(10), np.array(0)))
    assert np.isnan(normalised_entropy(np.array(3.0), np.array(10), np.array(10)))
