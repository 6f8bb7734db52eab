"""The series of a publish shard's numbers: sources, variants, rankers and arms."""

from __future__ import annotations

from lis_online.exporter import names
from lis_online.exporter.absent_series import add_absent
from lis_online.exporter.drift_series import add_drift
from lis_online.exporter.experiment_series import add_experiment
from lis_online.exporter.families import Families
from lis_online.exporter.labels import SET_ASIDE_REASONS
from lis_online.history.windows import window_name
from lis_online.metrics.diagnosis import DIAGNOSES
from lis_online.metrics.results import SliceNumbers, SourceNumbers, VariantNumbers
from lis_online.metrics.version_keys import variant_of
from lis_online.shards.view import PublishView


def add_view(families: Families, view: PublishView) -> None:
    """Add everything a publish shard knows after its newest bucket."""
    families.add(names.PUBLISHED, view.end / 1000 if view.end else None)
    families.add(names.WARM, float(view.warm))
    families.add(names.WARM_FROM, None if view.warm_from is None else view.warm_from / 1000)
    families.add(names.LATE_SIDE, view.late_side)
    families.add(names.LEFT_OUT, view.left_out)
    for length, slices in view.windows.items():
        for numbers in slices.values():
            at = {"window": window_name(length), "slice": numbers.slice}
            _add_slice(families, numbers, view.metric, at)
            for name, source in numbers.sources.items():
                _add_source(families, source, view.metric, {"source": name, **at})
            for name, variant in numbers.variants.items():
                _add_variant(families, variant, view.metric, {**_of_version(name, variant.version), **at})
    _add_diagnoses(families, view)
    _add_alignment(families, view)
    _add_versions(families, view)
    _add_rankers(families, view)
    _add_arms(families, view)
    for found in view.experiments.values():
        add_experiment(families, found)
    if view.drift is not None:
        add_drift(families, view.drift)
    add_absent(families, view)


def _add_slice(families: Families, numbers: SliceNumbers, metric: str, at: dict[str, str]) -> None:
    for name, estimate in numbers.unleaked.items():
        families.add_interval(names.UNLEAKED, estimate, metric=name, **at)
    families.add_interval(names.TWIN, numbers.twin, metric=metric, **at)
    families.add(names.LEARNING_NOISE, _learning_noise(numbers), **at)
    for ranker, level in numbers.levels.items():
        families.add(names.LEVEL, level, ranker=ranker, metric=metric, **at)
    families.add(names.EFFECTIVE_USERS, numbers.effective_users, **at)
    families.add(names.SAMPLES, numbers.samples, **at)
    families.add(names.SLATES, numbers.slates, **at)
    families.add(names.POSITIVES, numbers.positives, **at)


def _learning_noise(numbers: SliceNumbers) -> float | None:
    """Return whether any difference is marked, None where there is no difference."""
    marked = [source.lis.learning_noise for source in numbers.sources.values() if source.lis.value is not None]
    marked += [variant.ais.learning_noise for variant in numbers.variants.values() if variant.ais.value is not None]
    return float(any(marked)) if marked else None


def _add_source(families: Families, source: SourceNumbers, metric: str, at: dict[str, str]) -> None:
    for series, estimate in (
        (names.ADJUSTED_IMPACT, source.adjusted_lis),
        (names.IMPACT, source.lis),
        (names.PAST, source.past),
        (names.FUTURE, source.future),
        (names.PLACEBO, source.placebo),
        (names.BOUND, source.bound),
    ):
        families.add_interval(series, estimate, metric=metric, **at)
    families.add(names.IMPACT_NEEDS, source.adjusted_lis.samples_to_resolve, metric=metric, **at)
    families.add(names.SOURCE_COVERAGE, source.coverage, **at)
    families.add(names.SOURCE_COLLISIONS, source.collision_share, **at)


def _add_variant(families: Families, variant: VariantNumbers, metric: str, at: dict[str, str]) -> None:
    for series, estimate in (
        (names.ADJUSTED_IMPROVEMENT, variant.adjusted_ais),
        (names.IMPROVEMENT, variant.ais),
        (names.EFFICIENCY, variant.efficiency),
    ):
        families.add_interval(series, estimate, metric=metric, **at)
    families.add(names.IMPROVEMENT_NEEDS, variant.adjusted_ais.samples_to_resolve, metric=metric, **at)
    families.add(names.VARIANT_COVERAGE, variant.coverage, **at)


def _of_version(key: str, version: str) -> dict[str, str]:
    """Return the labels of a variant's version. key: as in `SliceNumbers.variants`, "v" or "v@1"."""
    return {"variant": variant_of(key), "version": version}


def _add_diagnoses(families: Families, view: PublishView) -> None:
    for length, slices in view.diagnoses.items():
        for name, variants in slices.items():
            numbers = view.windows[length][name].variants
            for key, found in variants.items():
                at = {**_of_version(key, numbers[key].version), "window": window_name(length), "slice": name}
                for diagnosis in DIAGNOSES:
                    families.add(names.DIAGNOSIS, float(diagnosis == found.diagnosis), diagnosis=diagnosis, **at)


def _add_alignment(families: Families, view: PublishView) -> None:
    for length, variants in view.alignment.items():
        for key, found in variants.items():
            at = {**_of_version(key, found.version), "window": window_name(length)}
            families.add_interval(names.PAIR_ALIGNMENT, found.share, **at)
            families.add(names.PAIRS, found.pairs, **at)
            families.add(names.PAIRS_LEFT_OUT, found.left_out, **at)


def _add_versions(families: Families, view: PublishView) -> None:
    for found in view.versions:
        at = {"variant": found.variant, "version": found.version}
        families.add(names.VERSION_SINCE, None if found.since is None else found.since / 1000, **at)
        families.add(names.VERSION_NEWEST, float(found.newest), **at)


def _add_rankers(families: Families, view: PublishView) -> None:
    """Add what does not depend on the window: which source a variant belongs to, which rankers are set aside."""
    sources: dict[str, str] = {}
    rankers: dict[str, None] = {}
    for slices in view.windows.values():
        for numbers in slices.values():
            sources |= {variant_of(key): variant.source for key, variant in numbers.variants.items()}
            rankers |= dict.fromkeys(numbers.levels)
    for variant, source in sources.items():
        families.add(names.VARIANT, 1, variant=variant, source=source)
    for ranker in {**rankers, **dict.fromkeys(view.set_aside)}:
        why = view.set_aside.get(ranker)
        for reason in {**dict.fromkeys(SET_ASIDE_REASONS), **({} if why is None else {why: None})}:
            families.add(names.SET_ASIDE, float(reason == why), ranker=ranker, reason=reason)


def _add_arms(families: Families, view: PublishView) -> None:
    for arm in view.arms:
        at = {"experiment": arm.experiment, "arm": arm.arm}
        families.add(names.ARM_USERS, arm.users, **at)
        families.add(names.ARM_CROSSED, arm.crossed, **at)
        families.add(names.ARM_IMPRESSIONS, arm.impressions, **at)
        families.add(names.ARM_CLICKS, arm.clicks, **at)
        families.add_interval(names.ARM_CTR, arm.ctr, **at)
