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
