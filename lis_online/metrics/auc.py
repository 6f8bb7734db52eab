"""AUC and its kin from counts, over any leading axes. NaN where there is none."""

from __future__ import annotations

import numpy as np


def auc(histogram: np.ndarray, places: np.ndarray | None = None, width: int = 1) -> np.ndarray:
    """Return the area under the ROC curve: float64 [...], NaN where a label is missing.

    histogram: counts [..., 2, bins], negatives then positives, bins ascending in the prediction. Pairs of one bin
    count one half (Mann and Whitney 1947). places: the sums of the samples' places in their bins, of the same shape,
    0 to width - 1 each: then the pairs of a bin are split by the mean places of its positives and its negatives,
    the first-order term of Hoeffding's (1948) projection of the pairs, and what is left is of second order. The
    area is kept within 0 to 1, which a handful of samples in one bin could leave.

    >>> float(auc(np.array([[3, 1, 0], [0, 1, 1]])))
    0.9375
    >>> round(float(auc(np.array([[1], [1]]), np.array([[2], [4]]), 10)), 6)  # 0.5 + 0.4 - 0.2
    0.7
    """
    negative = histogram[..., 0, :].astype(np.float64)
    positive = histogram[..., 1, :].astype(np.float64)
    below = np.cumsum(negative, axis=-1)
    pairs = below[..., -1] * positive.sum(axis=-1)
    below -= negative * 0.5
    below *= positive
    if places is not None:
        negative *= places[..., 1, :]
        positive *= places[..., 0, :]
        negative -= positive
        negative /= width
        below += negative
    area: np.ndarray = divide(below.sum(axis=-1), pairs)
    return area if places is None else np.clip(area, 0.0, 1.0)


def normalised_entropy(log_loss: np.ndarray, samples: np.ndarray, positives: np.ndarray) -> np.ndarray:
    """Return mean log loss over the entropy of the click rate: 1 is knowing that rate alone, less is better.

    He et al., "Practical lessons from predicting clicks on ads at Facebook" (2014), equation 1.
    log_loss: sum over the samples, in nats. NaN where a label is missing.

    >>> float(normalised_entropy(np.array(2 * np.log(2)), np.array(2), np.array(1)))
    1.0
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        rate = divide(positives, samples)
        entropy = -(rate * np.log(rate) + (1 - rate) * np.log1p(-rate))
    return divide(divide(log_loss, samples), entropy)


def calibration(predicted: np.ndarray, positives: np.ndarray) -> np.ndarray:
    """Return the sum of predicted probabilities over the number of positives: 1 is calibrated.

    >>> float(calibration(np.array(3.0), np.array(2)))
    1.5
    """
    return divide(predicted, positives)


def divide(numerator: np.ndarray, denominator: np.ndarray) -> np.ndarray:
    """Return the quotient in float64, NaN where the denominator is not above 0."""
    denominator = np.where(np.asarray(denominator) > 0, denominator, np.nan)
    quotient: np.ndarray = numerator / denominator
    return quotient
