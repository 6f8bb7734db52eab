"""Example views for the exporter's tests."""

from __future__ import annotations

from lis_online.metrics.diagnosis import Diagnosis
from lis_online.metrics.estimate import Estimate
from lis_online.metrics.results import SliceNumbers, SourceNumbers, VariantNumbers
from lis_online.shards.view import WHOLE_RUN, ArmNumbers, PublishView

NONE = Estimate.none("LIS interval includes 0")


def estimate(value: float) -> Estimate:
    """Return an estimate whose standard error is 0.001."""
    return Estimate.of(value, 1e-6, samples=1_000)


def example(efficiency: Estimate = NONE) -> PublishView:
    """Return a view whose efficiency, in one slice, is as given."""
    source = SourceNumbers(*(estimate(value / 100) for value in range(1, 7)), coverage=0.4, collision_share=0.01)
    variant = VariantNumbers("coclick", estimate(0.01), estimate(0.02), efficiency, coverage=0.9)
    numbers = SliceNumbers(
        slice="all",
        samples=1_000,
        slates=100,
        positives=70,
        effective_users=None,
        unleaked={"auc": estimate(0.7), "gauc": Estimate.none("no slate with both labels")},
        twin=estimate(0.0001),
        sources={"coclick": source},
        variants={"title": variant},
        levels={"unleaked": 0.7, "leaked:coclick": None},
    )
    diagnosis = Diagnosis("aligned", "Keep it.")
    return PublishView(
        end=1_573_516_800_500,
        revision=9,
        metric="auc",
        windows={900_000: {"all": numbers}, WHOLE_RUN: {"all": numbers}},
        diagnoses={900_000: {"all": {"title": diagnosis}}},
        arms=(ArmNumbers("mllm-q4", "treatment", 50, 400, 40, estimate(0.1), crossed=2),),
        counts={"accepted": 1_000},
        set_aside={"leaked:coclick": "diverged"},
        late_side=3,
        left_out=5,
        warm_from=1_573_516_700_000,
        warm=True,
    )
