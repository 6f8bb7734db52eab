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


def test_every_fate_of_an_event_has_its_place() -> None:
    """Late impressions and feedback add up; dead letters are those of every reason."""
    counts = {"accepted": 9, "late_impression": 1, "late_feedback": 2, "duplicate": 3, "malformed": 4, "too_large": 5}
    expected = {"accepted": 9, "late": 3, "duplicate": 3, "dead_letters": 9}
    assert events_summary({**counts, "unattributed": 7}) == expected
