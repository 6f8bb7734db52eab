"""The same job as a rank shard's, written with river: logistic regressions on numbers that are handed to it ready."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from river import optim
from river.linear_model import LogisticRegression
from river.metrics import RollingROCAUC

from lis_online.shards.rank_features import Features

READ = 1_000
WINDOW = 100_000
LEARNING_RATE = 0.06
IDS = ("user", "item", "author", "category")


class Step(NamedTuple):
    """A step's samples in Python's own numbers.

    ids: [4][samples]; dense: [samples][width]; side: [rankers][samples][3]; label: [samples].
    """

    ids: list[list[int]]
    dense: list[list[float]]
    side: list[list[list[float]]]
    label: list[bool]

    @classmethod
    def of(cls, features: Features, label: np.ndarray) -> Step:
        """Return a step of the rank shard's features."""
        inputs = features.inputs
        return cls(inputs.ids.tolist(), inputs.dense.tolist(), features.side.tolist(), label.astype(bool).tolist())

    def rows(self) -> Iterator[tuple[list[dict[str, float]], bool]]:
        """Yield each sample as river takes it: what each ranker sees, features that are not 0, and the label."""
        for k, (row, label) in enumerate(zip(self.dense, self.label, strict=True)):
            shared = {f"dense {j}": value for j, value in enumerate(row) if value}
            shared |= {f"{name} {column[k]}": 1.0 for name, column in zip(IDS, self.ids, strict=True)}
            own = [{f"side {j}": value for j, value in enumerate(block[k]) if value} for block in self.side]
            yield [shared | block for block in own], label


class RiverJob:
    """A logistic regression and a rolling AUC for each ranker, scored before it learns."""

    def __init__(self, rankers: int) -> None:
        self.models = [LogisticRegression(optimizer=optim.AdaGrad(LEARNING_RATE)) for _ in range(rankers)]
        self.metrics = [RollingROCAUC(window_size=WINDOW) for _ in range(rankers)]
        self.samples = 0

    def update(self, step: Step) -> None:
        """Score each sample, measure it, learn from it; read the metrics once in READ samples."""
        for rows, label in step.rows():
            self.samples += 1
            for model, metric, row in zip(self.models, self.metrics, rows, strict=True):
                metric.update(label, model.predict_proba_one(row)[True])
                model.learn_one(row, label)
                if self.samples % READ == 0:
                    metric.get()
