from dataclasses import replace

import pytest

from lis_online.metrics.diagnosis import DIAGNOSES, _wait, diagnose
from lis_online.metrics.estimate import Estimate
from lis_online.metrics.results import SliceNumbers, SourceNumbers, VariantNumbers
from lis_online.settings.model import MetricsSettings

SETTINGS = MetricsSettings()


def interval(lower: float, upper: float, **more: object) -> Estimate:
    """Return an estimate in the middle of its interval."""
    middle = (lower + upper) / 2
    return replace(Estimate(middle, (upper - lower) / 4.08, lower, upper), **more)


def numbers(
    lis: Estimate,
    ais: Estimate | None = None,
    efficiency: Estimate | None = None,
    placebo: Estimate | None = None,
    collisions: float | None = 0.001,
    **more: object,
) -> SliceNumbers:
    """Return the numbers of a healthy slice but for what is given."""
    ok = interval(-0.0004, 0.0004)
    source = SourceNumbers(lis, ok, ok, placebo or ok, lis, ok, 0.4, collisions)
    none = Estimate.none("LIS interval includes 0")
    variant = VariantNumbers("s", ais or ok, ais or ok, efficiency or none, 0.9)
    healthy = SliceNumbers("all", 90_000, 9_000, 900, 5_000.0, {}, ok, {"s": source}, {"v": variant})
    return replace(healthy, **more)


GOOD = interval(0.004, 0.006)
CASES = {
    "few_users": (
        numbers(GOOD, GOOD, interval(0.8, 1.1), effective_users=40.0), "insufficient_data", "40 effective users",
    ),
    "few_positives": (
        numbers(GOOD, GOOD, interval(0.8, 1.1), positives=9), "insufficient_data", "9 positives are fewer",
    ),
    "few_positives_with_pairs": (
        numbers(GOOD, GOOD, interval(0.8, 1.1), positives=400), "insufficient_data", "About 160 of 400 positives",
    ),
    "collisions_took_the_pairs": (
        numbers(GOOD, GOOD, interval(0.8, 1.1), positives=400, collisions=0.5), "overloaded_sketch", "50.0%",
    ),
    "few_even_with_collisions": (
        numbers(GOOD, GOOD, interval(0.8, 1.1), positives=400, collisions=0.1), "insufficient_data", "About 160 of 400",
    ),
    "nothing": (numbers(GOOD, effective_users=None), "insufficient_data", "no samples"),
    "diverged": (numbers(Estimate.none("diverged")), "insufficient_data", "no adjusted LIS (diverged)"),
    "placebo": (
        numbers(GOOD, GOOD, interval(0.8, 1.1), placebo=interval(0.0006, 0.002)), "invalid_baseline", "+0.0006 to",
    ),
    "placebo_within_tolerance": (
        numbers(GOOD, GOOD, interval(0.8, 1.1), placebo=interval(0.0004, 0.002)), "aligned", "95%",
    ),
    "placebo_negative": (
        numbers(GOOD, GOOD, interval(0.8, 1.1), placebo=interval(-0.009, -0.002)), "aligned", "keep it",
    ),
    "collisions": (numbers(GOOD, GOOD, interval(0.8, 1.1), collisions=0.03), "overloaded_sketch", "3.0%"),
    "no_coverage": (numbers(interval(-0.0003, 0.0003), collisions=None), "weak_preference_data", "not worth"),
    "weak": (numbers(interval(-0.001, 0.0004)), "weak_preference_data", "not worth aligning"),
    "weak_but_variant_good": (
        numbers(interval(-0.001, 0.0004), interval(0.002, 0.004)), "weak_preference_data", "judge it by that",
    ),
    "too_wide": (numbers(interval(-0.001, 0.004)), "insufficient_data", "decides nothing"),
    "beyond": (numbers(interval(-0.001, 0.001), interval(0.002, 0.004)), "beyond_preference", "too sparse"),
    "beyond_known": (numbers(GOOD, interval(0.007, 0.009), interval(1.3, 1.9)), "beyond_preference", "A/B arms"),
    "misaligned": (numbers(GOOD, interval(-0.0005, 0.001), interval(-0.1, 0.3)), "misaligned", "less than 50%"),
    "aligned": (numbers(GOOD, GOOD, interval(0.7, 1.1)), "aligned", "better preference data"),
    "aligned_perhaps": (numbers(GOOD, GOOD, interval(0.3, 0.9)), "aligned", "not shown to be less"),
    "efficiency_too_wide": (numbers(GOOD, GOOD, interval(-0.1, 0.9)), "insufficient_data", "decides nothing"),
}  # fmt: skip


def test_too_few_samples_learnt_from_are_not_judged() -> None:
    """Until so many LIS and AIS rise: the sentence says how many there are and which setting decides."""
    good = numbers(GOOD, GOOD, interval(0.8, 1.1))
    early = diagnose(good, "v", SETTINGS, learnt=39_999)
    assert early.diagnosis == "insufficient_data"
    assert "39,999 of 40,000 samples" in early.sentence and "metrics.warm_up_samples" in early.sentence
    assert diagnose(good, "v", SETTINGS, learnt=40_000) == diagnose(good, "v", SETTINGS)


@pytest.mark.parametrize("case", CASES)
def test_diagnosis_follows_the_rules_in_order(case: str) -> None:
    """Each rule, at its own boundary, with the figures in its sentence."""
    found, diagnosis, words = CASES[case]
    answer = diagnose(found, "v", SETTINGS)
    assert answer.diagnosis == diagnosis
    assert words in answer.sentence and answer.sentence.endswith(".")


def test_every_diagnosis_is_reached() -> None:
    """The table covers all there are."""
    assert {diagnosis for _, diagnosis, _ in CASES.values()} == set(DIAGNOSES)


def test_warm_up_comes_first_and_says_until_when() -> None:
    """During the warm-up nothing is judged."""
    answer = diagnose(numbers(GOOD, GOOD, interval(0.8, 1.1)), "v", SETTINGS, warm_from=1_573_516_800_000)
    assert answer.diagnosis == "insufficient_data"
    assert "samples from 2019-11-12T00:00:00+00:00 on count, and come a horizon later" in answer.sentence


@pytest.mark.parametrize(("warm_up", "diagnosis"), [("auto", "insufficient_data"), (0, "aligned")])
def test_twin_louder_than_lis_is_not_judged(warm_up: object, diagnosis: str) -> None:
    """Where seeds alone make more of a difference than LIS, the rankers have not learnt; a set warm-up overrides it."""
    lis = interval(0.0009, 0.0011, learning_noise=True)
    found = numbers(lis, lis, interval(0.8, 1.1), twin=interval(0.0020, 0.0030))
    assert diagnose(found, "v", SETTINGS.model_copy(update={"warm_up": warm_up}), None).diagnosis == diagnosis


def test_thresholds_are_those_of_the_settings() -> None:
    """The useful minimum and the wanted share come from the settings."""
    found = numbers(GOOD, GOOD, interval(0.6, 0.8))
    assert diagnose(found, "v", MetricsSettings(min_efficiency=0.9)).diagnosis == "misaligned"
    assert diagnose(found, "v", MetricsSettings(min_useful_lis=0.01)).diagnosis == "weak_preference_data"


def test_samples_that_are_lacking_are_told_in_full() -> None:
    """As a person counts them, to two digits that mean something."""
    assert _wait(interval(-0.1, 0.1, samples_to_resolve=2_817_394)) == ("about 2,800,000 samples resolve 0.0005")
