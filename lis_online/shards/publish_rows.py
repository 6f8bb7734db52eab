"""The rows of the history that a view becomes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from lis_online.history.rows import PAIR_ALIGNMENT, ArmRow, CountRow, DiagnosisRow, HistoryRow, NumberRow
from lis_online.metrics.estimate import Estimate
from lis_online.metrics.layout import ALL
from lis_online.metrics.missing import NO_SAMPLES
from lis_online.metrics.results import SliceNumbers
from lis_online.shards.experiment_rows import experiment_rows
from lis_online.shards.view import PublishView

SOURCE_ESTIMATES = ("lis", "past", "future", "placebo", "adjusted_lis", "bound")
SOURCE_SHARES = ("coverage", "collision_share")
VARIANT_ESTIMATES = ("ais", "adjusted_ais", "efficiency")

Numbered = tuple[str, str, str, Estimate]


def view_rows(view: PublishView) -> list[HistoryRow]:
    """Return the rows of a view. A slice without samples has none, but for "all"."""
    rows: list[HistoryRow] = []
    for length, slices in view.windows.items():
        for name, found in slices.items():
            if not found.samples and name != ALL:
                continue
            versions = {variant: numbers.version for variant, numbers in found.variants.items()}
            rows += [
                NumberRow(
                    view.end, length, name, kind, subject, number,
                    e.value, e.stderr, e.lower, e.upper, e.reason, found.samples, view.revision,
                    versions[subject] if kind == "variant" else "",
                    e.samples_to_resolve, None if e.value is None else e.learning_noise,
                )
                for kind, subject, number, e in _numbered(found)
            ]  # fmt: skip
            rows += [
                DiagnosisRow(view.end, length, name, key, d.diagnosis, d.sentence, view.revision, versions[key])
                for key, d in view.diagnoses[length][name].items()
            ]
    return [*rows, *_alignment_rows(view), *report_rows(view)]


def _alignment_rows(view: PublishView) -> Iterator[NumberRow]:
    """Yield the rows of pair alignment: of every pair whatever its slice, known a horizon before the other numbers."""
    for length, variants in view.alignment.items():
        for key, found in variants.items():
            e = found.share
            yield NumberRow(
                view.end, length, ALL, "variant", key, PAIR_ALIGNMENT,
                e.value, e.stderr, e.lower, e.upper, e.reason, found.pairs, view.revision, found.version,
                None, None if e.value is None else False,
            )  # fmt: skip


def report_rows(view: PublishView) -> list[HistoryRow]:
    """Return the rows of what the join shards report: arms, experiments, fates of records."""
    counts = [CountRow(view.end, fate, records, view.revision) for fate, records in view.counts.items() if records]
    return [*_arm_rows(view), *experiment_rows(view), *counts]


def _arm_rows(view: PublishView) -> list[ArmRow]:
    return [
        ArmRow(
            view.end, arm.experiment, arm.arm, arm.users, arm.impressions, arm.clicks,
            arm.ctr.value, arm.ctr.stderr, arm.ctr.lower, arm.ctr.upper, arm.crossed, view.revision,
        )
        for arm in view.arms
    ]  # fmt: skip


def _numbered(found: SliceNumbers) -> Iterator[Numbered]:
    for number, estimate in found.unleaked.items():
        yield "unleaked", "", number, replace(estimate, samples_to_resolve=None)  # a level is not there to be 0
    yield "unleaked", "", "twin", found.twin
    yield "unleaked", "", "effective_users", _plain(found.effective_users)
    for name, source in found.sources.items():
        for number in SOURCE_ESTIMATES:
            yield "source", name, number, getattr(source, number)
        for number in SOURCE_SHARES:
            yield "source", name, number, _plain(getattr(source, number))
    for name, variant in found.variants.items():
        for number in VARIANT_ESTIMATES:
            yield "variant", name, number, getattr(variant, number)
        yield "variant", name, "coverage", _plain(variant.coverage)


def _plain(value: float | None) -> Estimate:
    """Return a number that has no interval."""
    return Estimate.none(NO_SAMPLES) if value is None else Estimate(value)
