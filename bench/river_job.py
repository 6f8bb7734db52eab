"""What a rank shard does with its features, written with river: logistic regressions and rolling AUCs."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

from river import optim
from river.linear_model import LogisticRegression
from river.metrics import RollingROCAUC

from bench.river_features import Sample

READ = 1_000
WINDOW = 100_000
LEARNING_RATE = 0.06
CLICKS = 0.01
"""Share of clicks in what the windows are filled with."""


class RiverJob:
    """A logistic regression and a rolling AUC for each ranker, scored before it learns; the windows are full."""

    def __init__(self, rankers: int) -> None:
        self.models = [LogisticRegression(optimizer=optim.AdaGrad(LEARNING_RATE)) for _ in range(rankers)]
        self.metrics = [RollingROCAUC(window_size=WINDOW) for _ in range(rankers)]
        self.samples = 0
        random = Random(1)
        for metric in self.metrics:
            for _ in range(WINDOW):
                metric.update(random.random() < CLICKS, random.random())

    def update(self, samples: Sequence[Sample]) -> None:
        """Score each sample, measure it, learn from it; read the metrics once in READ samples."""
        rankers = list(zip(self.models, self.metrics, strict=True))
        for shared, own, label in samples:
            self.samples += 1
            for (model, metric), block in zip(rankers, own, strict=True):
                row = shared | block
                metric.update(label, model.predict_proba_one(row)[True])
                model.learn_one(row, label)
            if self.samples % READ == 0:
                for metric in self.metrics:
                    metric.get()
