"""The rows of the history that the experiments of a view become."""

from __future__ import annotations

from collections.abc import Iterator

from lis_online.experiments.comparison import Comparison
from lis_online.experiments.stored_moments import encode
from lis_online.history.rows import HistoryRow, LiftRow, MomentsRow, SampleRatioRow
from lis_online.shards.view import ExperimentNumbers, PublishView


def experiment_rows(view: PublishView) -> Iterator[HistoryRow]:
    """Yield each experiment's sample ratio, its arms' moments, and every arm's lifts."""
    for found in view.experiments.values():
        yield _sample_ratio_row(view, found)
        yield from _moments_rows(view, found)
        for one in found.analysis.comparisons:
            yield _lift_row(view, found.settings.name, one)


def _sample_ratio_row(view: PublishView, found: ExperimentNumbers) -> SampleRatioRow:
    ratio = found.analysis.sample_ratio
    return SampleRatioRow(
        view.end, found.settings.name, ratio.p_value, ratio.mismatch, sum(ratio.counts), ratio.reason, view.revision
    )


def _moments_rows(view: PublishView, found: ExperimentNumbers) -> Iterator[MomentsRow]:
    for arm, moments in found.moments.items():
        data = encode(found.columns, moments)
        yield MomentsRow(
            view.end, found.settings.name, arm, moments.users, moments.assigned, moments.crossed, data, view.revision
        )


def _lift_row(view: PublishView, experiment: str, one: Comparison) -> LiftRow:
    relative, absolute = one.relative, one.absolute
    return LiftRow(
        view.end, experiment, one.name, one.metric, one.arm.value, one.control.value,
        relative.value, relative.stderr, relative.sequence.lower, relative.sequence.upper,
        relative.fixed.lower, relative.fixed.upper,
        absolute.value, absolute.sequence.lower, absolute.sequence.upper,
        one.p_sequential, one.p_adjusted, one.guardrail, one.users_needed,
        relative.reason or relative.sequence.reason, view.revision,
    )  # fmt: skip
