"""The series that says why numbers are absent."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from lis_online.exporter import names
from lis_online.exporter.absent import ARMS, word
from lis_online.exporter.families import Families
from lis_online.history.rows import PAIR_ALIGNMENT
from lis_online.history.windows import window_name
from lis_online.metrics.layout import ALL
from lis_online.metrics.missing import NO_SAMPLES
from lis_online.metrics.results import SliceNumbers, SourceNumbers, VariantNumbers
from lis_online.metrics.version_keys import variant_of
from lis_online.shards.publish_rows import SOURCE_ESTIMATES, SOURCE_SHARES, VARIANT_ESTIMATES
from lis_online.shards.view import WHOLE_RUN, ExperimentNumbers, PublishView

Reasons = Iterator[tuple[str, str | None]]
"""Number, and why it is absent."""

SO_FAR: Final = {"version": "", "window": window_name(WHOLE_RUN), "slice": ALL}
"""The labels of what is known of arms: everything since their first event."""


def add_absent(families: Families, view: PublishView) -> None:
    """Add the word for every number of a view that is not there."""
    for length, slices in view.windows.items():
        for numbers in slices.values():
            _add_slice(families, numbers, {"window": window_name(length), "slice": numbers.slice})
    for length, variants in view.alignment.items():
        for key, found in variants.items():
            if found.share.value is None:
                of = {"kind": "variant", "subject": variant_of(key), "version": found.version}
                at = {"number": PAIR_ALIGNMENT, "window": window_name(length), "slice": ALL}
                families.add(names.ABSENT, 1, reason=word(found.share.reason), **of, **at)
    for arm in view.arms:
        if arm.ctr.value is None:
            of = {"kind": "arm", "subject": f"{arm.experiment}/{arm.arm}", "number": "ctr"}
            families.add(names.ABSENT, 1, reason=word(arm.ctr.reason, ARMS), **of, **SO_FAR)
    for experiment in view.experiments.values():
        _add_experiment(families, experiment)


def _add_slice(families: Families, numbers: SliceNumbers, at: dict[str, str]) -> None:
    _add(families, _of_unleaked(numbers), {"kind": "unleaked", "subject": "", "version": "", **at})
    for name, source in numbers.sources.items():
        _add(families, _of_source(source), {"kind": "source", "subject": name, "version": "", **at})
    for key, variant in numbers.variants.items():
        of = {"kind": "variant", "subject": variant_of(key), "version": variant.version}
        _add(families, _of_variant(variant), {**of, **at})


def _add(families: Families, reasons: Reasons, of: dict[str, str]) -> None:
    for number, reason in reasons:
        families.add(names.ABSENT, 1, number=number, reason=word(reason), **of)


def _of_unleaked(numbers: SliceNumbers) -> Reasons:
    for number, estimate in {**numbers.unleaked, "twin": numbers.twin}.items():
        if estimate.value is None:
            yield number, estimate.reason
    if numbers.effective_users is None:
        yield "effective_users", NO_SAMPLES


def _of_source(source: SourceNumbers) -> Reasons:
    for number in SOURCE_ESTIMATES:
        estimate = getattr(source, number)
        if estimate.value is None:
            yield number, estimate.reason
    for number in SOURCE_SHARES:
        if getattr(source, number) is None:
            yield number, NO_SAMPLES


def _of_variant(variant: VariantNumbers) -> Reasons:
    for number in VARIANT_ESTIMATES:
        estimate = getattr(variant, number)
        if estimate.value is None:
            yield number, estimate.reason
    if variant.coverage is None:
        # a version that began within the window has no coverage of it for the same reason as no AIS
        yield "coverage", variant.ais.reason or NO_SAMPLES


def _add_experiment(families: Families, found: ExperimentNumbers) -> None:
    """Add why lifts and their intervals, and the test of the shares, are not there."""
    ratio, name = found.analysis.sample_ratio, found.settings.name
    if ratio.p_value is None:
        of = {"kind": "experiment", "subject": name, "number": "sample_ratio"}
        families.add(names.ABSENT, 1, reason=word(ratio.reason, ARMS), **of, **SO_FAR)
    for one in found.analysis.comparisons:
        of = {"kind": "arm", "subject": f"{name}/{one.name}"}
        change = one.relative
        if change.value is None:
            families.add(names.ABSENT, 1, reason=word(change.reason, ARMS), number=f"lift:{one.metric}", **of, **SO_FAR)
        if change.sequence.lower is None and change.sequence.upper is None:
            why = word(change.sequence.reason, ARMS)
            families.add(names.ABSENT, 1, reason=why, number=f"lift_interval:{one.metric}", **of, **SO_FAR)
