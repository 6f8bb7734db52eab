"""What a variant's numbers mean, as one word and the sentence that says what to do next.

The rules are tried in the order of `DIAGNOSES`: what makes the numbers unreadable comes before what they
say. Two cases are undecided, and `insufficient_data`: the interval of adjusted LIS reaches from below 0 to above the
useful minimum, or that of efficiency from below 0 to above the wanted share.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from lis_online.metrics.estimate import Estimate
from lis_online.metrics.results import SliceNumbers, SourceNumbers, VariantNumbers
from lis_online.settings.model import MetricsSettings

INSUFFICIENT: Final = "insufficient_data"
INVALID_BASELINE: Final = "invalid_baseline"
OVERLOADED_SKETCH: Final = "overloaded_sketch"
WEAK: Final = "weak_preference_data"
BEYOND: Final = "beyond_preference"
MISALIGNED: Final = "misaligned"
ALIGNED: Final = "aligned"
DIAGNOSES: Final = (INSUFFICIENT, INVALID_BASELINE, OVERLOADED_SKETCH, WEAK, BEYOND, MISALIGNED, ALIGNED)
MOST_COLLISIONS: Final = 0.02
"""Share of the coverage seen that collisions may explain: beyond, they destroy LIS."""
FORKED_SAMPLES: Final = 20_000
"""Samples that the rankers of a version learn from before it is judged, where it came later than the group.

They begin like the unleaked ranker and must learn what their vectors mean; the rankers of the older version knew it.
Measured with a version that repeats the vectors of the one before, on three simulated feeds: its adjusted AIS was 78 to
89 % short on the first 2,000 samples, 12 % on those up to 20,000, 7 % up to 60,000, 2 % up to 80,000. From 2,000 on it
was within the interval of the older one's, window by window of up to 20,000 samples."""


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """One of `DIAGNOSES`, and what the reader should do next, with the figures it rests on."""

    diagnosis: str
    sentence: str


def diagnose(
    numbers: SliceNumbers,
    variant: str,
    settings: MetricsSettings,
    warm_from: int | None = None,
    learning: int | None = None,
    learnt: int | None = None,
) -> Diagnosis:
    """Return the diagnosis of a variant's version, by its key.

    warm_from: time at which the warm-up ends, ms since 1970, where the numbers begin before it; else None.
    learning: samples its rankers have learnt from, where the numbers begin before they had `FORKED_SAMPLES`; else None.
    learnt: samples that the whole group has learnt from so far; None where that is not known.
    """
    found = numbers.variants[variant]
    source = numbers.sources[found.source]
    return (
        _too_little(numbers, settings, warm_from)
        or _too_young(found, learning)
        or _too_early(settings, learnt)
        or _missing(source, found)
        or _uncovered(numbers, found, source, settings)
        or _loud(numbers, source, settings)
        or _unreadable(found.source, source, settings)
        or _verdict(variant, found, source, settings)
    )


def _too_little(numbers: SliceNumbers, settings: MetricsSettings, warm_from: int | None) -> Diagnosis | None:
    if warm_from is not None:
        until = datetime.fromtimestamp(warm_from / 1000, UTC).isoformat(timespec="seconds")
        return Diagnosis(
            INSUFFICIENT,
            f"Warming up: LIS rises until the pair memory is full; samples from {until} on count, "
            "and come a horizon later.",
        )
    users = numbers.effective_users
    if users is None:
        return Diagnosis(
            INSUFFICIENT,
            "There are no samples; check that impressions and feedback arrive, and that the rank role keeps up.",
        )
    if users < settings.min_effective_users:
        return Diagnosis(
            INSUFFICIENT,
            f"{users:.0f} effective users are fewer than {settings.min_effective_users:g}; "
            "wait, or read a longer window or a larger slice.",
        )
    if numbers.positives < settings.min_positives:
        return Diagnosis(
            INSUFFICIENT,
            f"{numbers.positives} positives are fewer than {settings.min_positives}; "
            "wait, or read a longer window or a larger slice.",
        )
    return None


def _too_early(settings: MetricsSettings, learnt: int | None) -> Diagnosis | None:
    """Return that LIS and AIS still rise: histories that began empty fill, and rankers learn (docs/validation.md)."""
    if learnt is None or learnt >= settings.warm_up_samples:
        return None
    return Diagnosis(
        INSUFFICIENT,
        f"The rankers have learnt from {learnt:,} of {settings.warm_up_samples:,} samples, and LIS and AIS rise until "
        "then; wait, or set metrics.warm_up_samples.",
    )


def _too_young(found: VariantNumbers, learning: int | None) -> Diagnosis | None:
    if learning is None:
        return None
    began = f"The rankers of version {found.version} of {found.variant} began like the unleaked one"
    if learning < FORKED_SAMPLES:
        return Diagnosis(INSUFFICIENT, f"{began} and have learnt from {learning} of {FORKED_SAMPLES} samples: wait.")
    return Diagnosis(
        INSUFFICIENT,
        f"{began}, and their first {FORKED_SAMPLES} samples are among these; read a window that begins later.",
    )


def _missing(source: SourceNumbers, variant: VariantNumbers) -> Diagnosis | None:
    parts = {"placebo": source.placebo, "adjusted LIS": source.adjusted_lis, "adjusted AIS": variant.adjusted_ais}
    for name, estimate in parts.items():
        if estimate.value is None:
            return Diagnosis(INSUFFICIENT, f"There is no {name} ({estimate.reason}); see to that first.")
    return None


def _uncovered(
    numbers: SliceNumbers, variant: VariantNumbers, source: SourceNumbers, settings: MetricsSettings
) -> Diagnosis | None:
    """Return that too few positives have a pair to be ranked by: elsewhere leaked and placebo see the same, nothing.

    Where collisions took those that there would be, it is the sketch that is too small.
    """
    covered = numbers.positives * (source.coverage or 0.0)
    if covered >= settings.min_positives:
        return None
    seen = covered / (1 - min(source.collision_share or 0.0, 0.999))
    overloaded = _overloaded(variant.source, source) if seen >= settings.min_positives else None
    return overloaded or Diagnosis(
        INSUFFICIENT,
        f"About {covered:.0f} of {numbers.positives} positives have a pair of {variant.source} with the user's "
        f"history, fewer than {settings.min_positives}; wait for more, or lengthen leakage.memory.",
    )


def _loud(numbers: SliceNumbers, source: SourceNumbers, settings: MetricsSettings) -> Diagnosis | None:
    """Return that the twin is not quiet: seeds alone make more of a difference than what is to be judged."""
    twin, lis = numbers.twin, source.adjusted_lis
    if settings.warm_up != "auto" or twin.value is None or lis.value is None or not lis.learning_noise:
        return None
    if abs(twin.value) <= max(abs(lis.value), settings.min_useful_lis):
        return None
    return Diagnosis(
        INSUFFICIENT,
        f"Two unleaked rankers that differ by their seed alone differ by {_interval(twin)}, more than adjusted LIS, "
        f"{_interval(lis)}; wait until they have learnt, or lower training.learning_rate.",
    )


def _unreadable(name: str, source: SourceNumbers, settings: MetricsSettings) -> Diagnosis | None:
    assert source.placebo.lower is not None
    if source.placebo.lower > settings.placebo_tolerance:
        return Diagnosis(
            INVALID_BASELINE,
            f"The placebo of {name} gains {_interval(source.placebo)} without any preference in it: something else "
            "leaks. Trust no number of this source; check its users and the times of its pairs.",
        )
    return _overloaded(name, source)


def _overloaded(name: str, source: SourceNumbers) -> Diagnosis | None:
    if source.collision_share is None or source.collision_share <= MOST_COLLISIONS:
        return None
    return Diagnosis(
        OVERLOADED_SKETCH,
        f"Hash collisions explain {source.collision_share:.1%} of the coverage of {name}, more than "
        f"{MOST_COLLISIONS:.0%}; raise leakage.sketch_bits or shorten leakage.memory.",
    )


def _verdict(name: str, variant: VariantNumbers, source: SourceNumbers, settings: MetricsSettings) -> Diagnosis:
    lis, ais = source.adjusted_lis, variant.adjusted_ais
    assert lis.upper is not None and ais.lower is not None
    beyond = ais.lower > lis.upper
    if lis.upper < settings.min_useful_lis:
        also = f" {name} itself brings {_interval(ais)}, from elsewhere: judge it by that." if beyond else ""
        return Diagnosis(
            WEAK,
            f"Preference data {variant.source} can bring {_interval(lis)}, less than {settings.min_useful_lis:g}: "
            f"it is not worth aligning on. Improve the data or choose other data.{also}",
        )
    if beyond:
        return Diagnosis(
            BEYOND,
            f"{name} brings {_interval(ais)}, more than this table of pairs, {_interval(lis)}: {variant.source} is too "
            "sparse to bound it. Judge the variant by its AIS and the A/B arms.",
        )
    return _share_verdict(name, variant, lis, settings)


def _share_verdict(name: str, variant: VariantNumbers, lis: Estimate, settings: MetricsSettings) -> Diagnosis:
    share, wanted = variant.efficiency, settings.min_efficiency
    if share.value is None or share.lower is None or share.upper is None:
        return Diagnosis(
            INSUFFICIENT,
            f"Adjusted LIS of {variant.source} is {_interval(lis)}: that includes 0 and more than "
            f"{settings.min_useful_lis:g}, so it decides nothing; {_wait(lis)}.",
        )
    delivers = f"{name} delivers {_share(share)} of what {variant.source} can bring, {_interval(lis)}"
    if share.upper < wanted:
        return Diagnosis(
            MISALIGNED, f"{delivers}, less than {wanted:.0%}: the data is good and the alignment loses it. Retrain it."
        )
    if share.lower >= wanted:
        return Diagnosis(ALIGNED, f"{delivers}: keep it; to gain more, look for better preference data.")
    if share.lower > 0:
        return Diagnosis(
            ALIGNED, f"{delivers}: not shown to be less than {wanted:.0%}; keep it and watch the interval."
        )
    return Diagnosis(
        INSUFFICIENT,
        f"{delivers}: that includes 0 and more than {wanted:.0%}, so it decides nothing; "
        f"{_wait(variant.adjusted_ais)}.",
    )


def _interval(estimate: Estimate) -> str:
    return f"{estimate.value:+.4f} ({estimate.lower:+.4f} to {estimate.upper:+.4f})"


def _share(estimate: Estimate) -> str:
    return f"{estimate.value:.0%} ({estimate.lower:.0%} to {estimate.upper:.0%})"


def _wait(estimate: Estimate) -> str:
    if estimate.samples_to_resolve is None:
        return "wait for more samples"
    return f"about {float(f'{estimate.samples_to_resolve:.2g}'):,.0f} samples resolve 0.0005"
