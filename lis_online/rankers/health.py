"""Whether each ranker of a group is fit to be a number: diverged, exploded or stalled ones are set aside.

Every rule is a function of the samples alone, so a replay of the log finds the same at the same step. Of the other
rankers a rule looks at the unleaked one and its twin alone, which are in every group: adding or removing another
ranker changes nobody's health.

diverged
    A logit of a step, or at a check-up a weight, is not a finite number.
exploded
    At a check-up the largest absolute weight, of the network or of the table rows that the step reads, is above
    `WEIGHT_BOUND`; or in each of the steps of the last `PATIENCE` samples at least half of the logits lie beyond
    +-`LOGIT_BOUND`.
stalled
    A parameter that learns in a fresh ranker (`lis_online.rankers.signs.watched_parameters`) had a gradient of exactly
    0 in all check-ups of the last `PATIENCE` samples, such as behind units that are all dead; or in each of the last
    `BLOCKS` blocks of `BLOCK` samples the log loss is more than `MARGIN` times that of the constant click rate of all
    of them (by chance in fewer than one of 2**16 such windows), while the unleaked ranker's or its twin's over the
    same blocks together is below.

A check-up is every `EVERY`th step.
"""

from __future__ import annotations

import numpy as np

from lis_online.metrics.layout import TWIN, UNLEAKED

DIVERGED, EXPLODED, STALLED = "diverged", "exploded", "stalled"
REASONS = ("", DIVERGED, EXPLODED, STALLED)
"""Why a ranker is set aside, in the order of their codes in a snapshot."""

EVERY = 8
"""Steps from one check-up of weights and gradients to the next."""

WEIGHT_BOUND = 1_000.0
"""Largest absolute weight. At the default rate a weight that is pushed one way alone gets there after 70 million
steps; over 100,000 samples of simulated and real news feeds none was above 3."""

LOGIT_BOUND = 30.0
"""Logits beyond it say that a click happens or not but for one case in 10**13."""

PATIENCE = 4_096
"""Samples that a sign must last."""

BLOCK = 2_048
"""Samples of a block of the log loss, at least: it ends with a step."""

BLOCKS = 16
"""Blocks in which a ranker's loss must be above the constant's."""

MARGIN = 1.02
"""Times the loss of the constant click rate."""


PER_PLACE = ("hot", "silent", "open", "loss")
"""The arrays of a snapshot that have a row for each place."""


class Health:
    """How each place of a group fares. places: how many there are; watched: gradients that a check-up looks at."""

    def __init__(self, places: int, watched: int) -> None:
        self._steps = np.zeros(1, np.int64)
        self._hot = np.zeros(places, np.int64)  # samples of the latest steps, without a gap, with logits too large
        self._silent = np.zeros((places, watched), np.int64)  # samples since a parameter had a gradient
        self._since = np.zeros(1, np.int64)  # samples since the last check-up
        self._open = np.zeros((places, 1))  # log loss of the open block
        self._open_counts = np.zeros((2, 1), np.int64)  # its samples and clicks
        self._loss = np.full((places, BLOCKS), np.nan)  # log loss of closed blocks, newest last; NaN: was not there
        self._counts = np.zeros((2, BLOCKS), np.int64)

    @property
    def is_due(self) -> bool:
        """Whether the step that comes is a check-up."""
        return int(self._steps[0]) % EVERY == EVERY - 1

    def update(self, running: list[int], logits: np.ndarray, signs: np.ndarray, label: np.ndarray) -> dict[int, str]:
        """Judge the rankers after a step. Return place -> reason of those to set aside.

        logits: float32 [places, samples]; signs: [running, 1 + watched] of `signs_of`, or [running, 0] between
        check-ups; label: [samples], 0 or 1.
        """
        ill: dict[int, str] = {}
        places = np.array(running)
        finite = np.isfinite(logits[places]).all(axis=1)
        self._note(ill, places[~finite], DIVERGED)
        self._since += len(label)
        if signs.shape[1]:
            self._check_up(ill, places, signs)
        self._note(ill, places[self._too_large(places, logits)], EXPLODED)
        self._add_losses(places[finite], logits, label)
        if self._open_counts[0, 0] >= BLOCK:
            self._close_block()
            self._note(ill, self._above_constant(places), STALLED)
        self._steps += 1
        return ill

    def _note(self, ill: dict[int, str], places: np.ndarray, reason: str) -> None:
        for place in places.tolist():
            ill.setdefault(place, reason)

    def _check_up(self, ill: dict[int, str], places: np.ndarray, signs: np.ndarray) -> None:
        largest, gradients = signs[:, 0], signs[:, 1:]
        self._note(ill, places[~np.isfinite(largest)], DIVERGED)
        self._note(ill, places[largest > WEIGHT_BOUND], EXPLODED)
        self._silent[places] = np.where(gradients == 0, self._silent[places] + self._since, 0)
        self._since[0] = 0
        self._note(ill, places[(self._silent[places] >= PATIENCE).any(axis=1)], STALLED)

    def _too_large(self, places: np.ndarray, logits: np.ndarray) -> np.ndarray:
        beyond = (np.abs(logits[places]) > LOGIT_BOUND).mean(axis=1) >= 0.5
        self._hot[places] = np.where(beyond, self._hot[places] + logits.shape[1], 0)
        hot: np.ndarray = self._hot[places] >= PATIENCE
        return hot

    def _add_losses(self, places: np.ndarray, logits: np.ndarray, label: np.ndarray) -> None:
        x = logits[places]
        loss = np.maximum(x, 0) - x * label + np.log1p(np.exp(-np.abs(x)))
        self._open[places, 0] += loss.sum(axis=1, dtype=np.float64)
        self._open_counts[:, 0] += (len(label), int(label.sum()))

    def _close_block(self) -> None:
        self._loss = np.concatenate([self._loss[:, 1:], self._open], axis=1)
        self._counts = np.concatenate([self._counts[:, 1:], self._open_counts], axis=1)
        self._open = np.zeros_like(self._open)
        self._open_counts = np.zeros_like(self._open_counts)

    def _above_constant(self, places: np.ndarray) -> np.ndarray:
        """Return the places whose loss is above the constant's, judged by those of the unleaked and the twin."""
        samples, clicks = self._counts
        rate = clicks.sum() / max(samples.sum(), 1)
        if not 0 < rate < 1:
            return places[:0]
        constant = -clicks * np.log(rate) - (samples - clicks) * np.log1p(-rate)
        above: np.ndarray = (self._loss[places] > MARGIN * constant).all(axis=1)  # False where a block is missing
        calm = {place for place in (UNLEAKED, TWIN) if place in places and self._loss[place].sum() < constant.sum()}
        judged = [bool(calm - {place}) for place in places.tolist()]
        found: np.ndarray = places[above & np.array(judged, bool)]
        return found

    def forget(self, place: int) -> None:
        """Begin a place's record anew: another ranker is there now."""
        self._hot[place] = 0
        self._silent[place] = 0
        self._open[place] = np.nan  # it was not there for the whole of the open block
        self._loss[place] = np.nan

    def snapshot(self) -> dict[str, np.ndarray]:
        """Return the state as arrays."""
        return {name.removeprefix("_"): array.copy() for name, array in vars(self).items()}

    def restore(self, arrays: dict[str, np.ndarray]) -> None:
        """Replace the state with that of `snapshot`."""
        for name in vars(self):
            setattr(self, name, arrays[name.removeprefix("_")].copy())
