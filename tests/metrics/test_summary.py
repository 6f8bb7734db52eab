import json

from lis_online.metrics.diagnosis import Diagnosis
from lis_online.metrics.estimate import Estimate
from lis_online.metrics.summary import events_summary, numbers_summary
from tests.metrics.test_diagnosis import GOOD, interval, numbers


def test_summary_has_the_published_shape() -> None:
    """Names and nesting of the JSON are API: sources and variants with every number, a diagnosis as one word."""
    found = numbers(GOOD, GOOD, interval(0.7, 1.1), unleaked={"auc": GOOD, "gauc": Estimate.none("no samples")})
    table = json.loads(json.dumps(numbers_summary(found, {"v": Diagnosis("aligned", "Keep it.")})))
    assert set(table) == {"samples", "slates", "unleaked", "twin", "effective_users", "sources", "variants"}
    assert table["unleaked"]["gauc"] == {"value": None, "reason": "no samples"}
    source, variant = table["sources"]["s"], table["variants"]["v"]
    assert set(source) == {"lis", "past", "future", "placebo", "adjusted_lis", "bound", "coverage"}
    assert set(variant) == {"source", "ais", "adjusted_ais", "efficiency", "coverage", "diagnosis", "sentence"}
    assert (variant["source"], variant["diagnosis"], variant["coverage"]) == ("s", "aligned", 0.9)
    assert set(variant["efficiency"]) == {"value", "stderr", "lower", "upper"}


def test_a_difference_says_how_many_samples_resolve_it_and_a_level_does_not() -> None:
    """Two standard errors of 0.0005: 4 times the samples halve a standard error. Two digits, as sure as it is."""
    given = Estimate.of(0.005, 0.00123**2, samples=90_000)
    level = Estimate.of(0.7, 1e-6, samples=90_000)
    found = numbers(given, given, interval(0.7, 1.1), unleaked={"auc": level, "gauc": level}, twin=given)
    table = numbers_summary(found, {"v": Diagnosis("aligned", "Keep it.")})
    needed = 90_000 * (2 * 0.00123 / 0.0005) ** 2  # 2,178,576
    assert abs(needed - 2_200_000) < 50_000
    for difference in (table["twin"], table["sources"]["s"]["adjusted_lis"], table["variants"]["v"]["ais"]):
        assert difference["samples_to_resolve"] == 2_200_000
    assert "samples_to_resolve" not in table["unleaked"]["auc"]
    assert "samples_to_resolve" not in table["variants"]["v"]["efficiency"]


def test_every_fate_of_an_event_has_its_place() -> None:
    """Late impressions and feedback add up; dead letters are those of every reason."""
    counts = {"accepted": 9, "late_impression": 1, "late_feedback": 2, "duplicate": 3, "malformed": 4, "too_large": 5}
    expected = {"accepted": 9, "late": 3, "duplicate": 3, "dead_letters": 9}
    assert events_summary({**counts, "unattributed": 7}) == expected
