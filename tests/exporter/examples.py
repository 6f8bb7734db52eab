"""Example views for the exporter's tests."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from lis_online.drift.event import DriftEvent
from lis_online.drift.reading import Series
from lis_online.experiments.analysis import Plan, analyse
from lis_online.metrics.alignment import PairAlignment
from lis_online.metrics.diagnosis import Diagnosis
from lis_online.metrics.estimate import Estimate
from lis_online.metrics.results import SliceNumbers, SourceNumbers, VariantNumbers
from lis_online.settings.model import ExperimentSettings
from lis_online.shards.drift_view import DriftView
from lis_online.shards.view import OVERLAP, WHOLE_RUN, ArmNumbers, ExperimentNumbers, PublishView, VersionInfo
from tests.experiments.arms import COLUMNS, arm_of, users

NONE = Estimate.none("LIS interval includes 0")


def estimate(value: float) -> Estimate:
    """Return an estimate whose standard error is 0.001."""
    return Estimate.of(value, 1e-6, samples=1_000)


def example(efficiency: Estimate = NONE) -> PublishView:
    """Return a view whose efficiency, in one slice, is as given."""
    source = SourceNumbers(*(estimate(value / 100) for value in range(1, 7)), coverage=0.4, collision_share=0.01)
    variant = VariantNumbers("coclick", estimate(0.01), estimate(0.02), efficiency, 0.9, "title", "1")
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
        versions=(VersionInfo("title", "1", BEGAN, newest=True),),
        alignment={900_000: {"title": aligned("1", 0.8)}, WHOLE_RUN: {"title": aligned("1", 0.75)}},
        experiments={"mllm-q4": experiment()},
        drift=drift(),
    )


FELL = Series("variant", "title", "pair_alignment")


def drift() -> DriftView:
    """Return one event that is open, told again once its cause was known, and one number that holds its level."""
    event = DriftEvent(
        BEGAN, BEGAN + 7_200_000, FELL, estimate(0.8), estimate(0.6), "page_hinkley", "representation", "title"
    )
    told = {(FELL, "unknown"): 1, (FELL, "representation"): 2}
    return DriftView((event,), {FELL: True, Series("unleaked", "", "auc"): False}, told)


DECLARED = ExperimentSettings.model_validate(
    {
        "name": "mllm-q4",
        "control": "control",
        "cuped": False,
        "arm": [{"name": "control", "share": 0.5}, {"name": "treatment", "share": 0.5, "variant": "title"}],
        "metric": [
            {"name": "ctr", "kind": "ratio", "numerator": "click", "denominator": "impression"},
            {
                "name": "dwell", "kind": "mean", "action": "dwell",
                "guardrail": {"direction": "decrease", "margin": 0.1},
            },
        ],
    }
)  # fmt: skip
"""An experiment with a guardrail."""


def experiment(count: int = 2000) -> ExperimentNumbers:
    """Return an experiment of so many users in each arm, of which half more crossed; treatment is better by half."""
    totals = {name: users(np.random.default_rng(seed), count, 0.5 * seed) for seed, name in enumerate(SERVED)}
    moments = {name: arm_of(found, name) for name, found in totals.items()}
    for one in moments.values():
        one.assigned = count + count // 2
    assigned = {name: one.assigned for name, one in moments.items()}
    analysis = analyse(Plan.of(DECLARED), moments, COLUMNS.names, assigned)
    return ExperimentNumbers(DECLARED, analysis, COLUMNS.names, moments)


SERVED = ("control", "treatment")


BEGAN = 1_573_516_000_000
"""Time of the first vector of version 1, ms."""


def aligned(version: str, share: float) -> PairAlignment:
    """Return the pair alignment of a version of the variant."""
    return PairAlignment("title", version, estimate(share), pairs=500, left_out=20, end=1_573_518_600_000)


def two_versions() -> PublishView:
    """Return a view in which version 2 of the variant began within every window but the overlap."""
    one = example(estimate(0.5))
    numbers = one.windows[WHOLE_RUN]["all"]
    none = Estimate.none("version 2 began within the window")
    old = numbers.variants["title"]
    new = replace(old, ais=none, adjusted_ais=none, efficiency=none, version="2")
    during = replace(old, adjusted_ais=estimate(0.03), version="2")
    whole = replace(numbers, variants={"title": new, "title@1": old})
    overlap = replace(numbers, samples=200, variants={"title": during, "title@1": old})
    waiting, kept = Diagnosis("insufficient_data", "Version 2 is new."), Diagnosis("aligned", "Keep it.")
    return replace(
        one,
        windows={WHOLE_RUN: {"all": whole}, OVERLAP: {"all": overlap}},
        diagnoses={
            WHOLE_RUN: {"all": {"title": waiting, "title@1": kept}},
            OVERLAP: {"all": {"title": kept, "title@1": kept}},
        },
        versions=(
            VersionInfo("title", "1", BEGAN, newest=False),
            VersionInfo("title", "2", BEGAN + 500_000, newest=True, began=BEGAN + 540_000),
        ),
        alignment={
            WHOLE_RUN: {"title": aligned("2", 0.6), "title@1": aligned("1", 0.75)},
            OVERLAP: {"title": aligned("2", 0.6), "title@1": aligned("1", 0.7)},
        },
    )
