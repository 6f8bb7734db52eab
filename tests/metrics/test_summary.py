import json
from dataclasses import replace

from lis_online.metrics.alignment import PairAlignment
from lis_online.metrics.diagnosis import Diagnosis
from lis_online.metrics.estimate import Estimate
from lis_online.metrics.summary import Judged, events_summary, numbers_summary
from tests.metrics.test_diagnosis import GOOD, interval, numbers

KEEP = {"v": Diagnosis("aligned", "Keep it.")}


def test_summary_has_the_published_shape() -> None:
    """Names and nesting of the JSON are API: sources and variants with every number, a diagnosis as one word."""
    found = numbers(GOOD, GOOD, interval(0.7, 1.1), unleaked={"auc": GOOD, "gauc": Estimate.none("no samples")})
    table = json.loads(json.dumps(numbers_summary(Judged(found, KEEP))))
    assert set(table) == {"samples", "slates", "unleaked", "twin", "effective_users", "sources", "variants"}
    assert table["unleaked"]["gauc"] == {"value": None, "reason": "no samples"}
    source, variant = table["sources"]["s"], table["variants"]["v"]
    assert set(source) == {"lis", "past", "future", "placebo", "adjusted_lis", "bound", "coverage"}
    measured = ["ais", "adjusted_ais", "efficiency", "coverage", "pair_alignment", "diagnosis", "sentence"]
    assert list(variant) == ["source", "version", *measured]
    assert variant["pair_alignment"] == {"value": None, "reason": "no pairs"}
    assert (variant["source"], variant["diagnosis"], variant["coverage"]) == ("s", "aligned", 0.9)
    assert set(variant["efficiency"]) == {"value", "stderr", "lower", "upper"}


def test_a_difference_says_how_many_samples_resolve_it_and_a_level_does_not() -> None:
    """Two standard errors of 0.0005: 4 times the samples halve a standard error. Two digits, as sure as it is."""
    given = Estimate.of(0.005, 0.00123**2, samples=90_000)
    level = Estimate.of(0.7, 1e-6, samples=90_000)
    found = numbers(given, given, interval(0.7, 1.1), unleaked={"auc": level, "gauc": level}, twin=given)
    table = numbers_summary(Judged(found, KEEP))
    needed = 90_000 * (2 * 0.00123 / 0.0005) ** 2  # 2,178,576
    assert abs(needed - 2_200_000) < 50_000
    for difference in (table["twin"], table["sources"]["s"]["adjusted_lis"], table["variants"]["v"]["ais"]):
        assert difference["samples_to_resolve"] == 2_200_000
    assert "samples_to_resolve" not in table["unleaked"]["auc"]
    assert "samples_to_resolve" not in table["variants"]["v"]["efficiency"]


def test_versions_are_compared_over_their_overlap_and_the_newest_is_the_variants_own() -> None:
    """Where there is one version there is no "versions"; where there are two, both are of the same samples."""
    pairs = PairAlignment("v", "2", interval(0.5, 0.75), pairs=70, left_out=3, end=9)
    of_one = numbers(GOOD, GOOD, interval(0.7, 1.1), unleaked={"auc": GOOD, "gauc": GOOD})
    old = replace(of_one.variants["v"], variant="v", version="1")
    none = Estimate.none("version 2 began within the window")
    new = replace(old, version="2", ais=none, adjusted_ais=none, efficiency=none)
    diagnoses = {**KEEP, "v@1": Diagnosis("misaligned", "Retrain it.")}
    whole = Judged(replace(of_one, variants={"v": new, "v@1": old}), diagnoses, {"v": pairs})
    during = replace(of_one, samples=500, variants={"v": replace(old, version="2"), "v@1": old})
    overlap = Judged(during, diagnoses, {"v": pairs})
    table = json.loads(json.dumps(numbers_summary(whole, overlap, {"v": 120_000, "v@1": 60_000})))
    assert "versions" not in numbers_summary(Judged(of_one, KEEP))["variants"]["v"]
    assert list(table["variants"]) == ["v"]
    variant = table["variants"]["v"]
    assert (variant["version"], variant["ais"]["reason"]) == ("2", "version 2 began within the window")
    assert variant["pair_alignment"]["value"] == 0.625 and variant["pair_alignment"]["pairs"] == 70
    assert list(variant["versions"]) == ["1", "2"], "the oldest first"
    first, second = variant["versions"].values()
    assert (first["newest"], second["newest"]) == (False, True)
    assert (first["since"], second["since"]) == ("1970-01-01T00:01:00+00:00", "1970-01-01T00:02:00+00:00")
    assert (first["samples"], first["diagnosis"], first["ais"]["value"]) == (500, "misaligned", GOOD.value)
    assert second["diagnosis"] == "aligned" and first["pair_alignment"]["reason"] == "no pairs"


def test_a_version_that_began_within_the_run_keeps_its_numbers_when_the_old_one_retires() -> None:
    """The whole run has none of it for good; the time since it began does."""
    during = numbers(GOOD, GOOD, interval(0.7, 1.1), unleaked={"auc": GOOD, "gauc": GOOD})
    none = Estimate.none("version 2 began within the window")
    new = replace(during.variants["v"], version="2")
    whole = replace(during, variants={"v": replace(new, ais=none, adjusted_ais=none, efficiency=none)})
    during = replace(during, variants={"v": new})
    variant = numbers_summary(Judged(whole, KEEP), Judged(during, KEEP), {"v": 0})["variants"]["v"]
    assert variant["adjusted_ais"]["value"] is None
    assert {version: found["ais"]["value"] for version, found in variant["versions"].items()} == {"2": GOOD.value}
    steady = numbers_summary(Judged(during, KEEP), Judged(during, KEEP), {"v": 0})["variants"]["v"]
    assert "versions" not in steady, "another variant's new version is no matter of this one"


def test_a_version_whose_samples_are_still_to_come_shows_its_pairs() -> None:
    """The early signal is there a horizon before AIS, and must not wait for it."""
    found = numbers(GOOD, GOOD, interval(0.7, 1.1), unleaked={"auc": GOOD, "gauc": GOOD})
    found = replace(found, variants={"v": replace(found.variants["v"], variant="v", version="1")})
    pairs = {key: PairAlignment("v", key[-1:], interval(0.5, 0.75), 70, 3, 9) for key in ("v", "v@2")}
    pairs["v"] = replace(pairs["v"], version="1")
    table = json.loads(json.dumps(numbers_summary(Judged(found, KEEP, pairs))))
    versions = table["variants"]["v"]["versions"]
    assert list(versions) == ["1", "2"]
    assert set(versions["1"]) == set(versions["2"])
    assert versions["2"]["pair_alignment"]["value"] == 0.625
    assert versions["2"]["adjusted_ais"] == {"value": None, "reason": "no samples of version 2 yet"}
    assert versions["1"]["adjusted_ais"]["value"] == GOOD.value


def test_every_fate_of_an_event_has_its_place() -> None:
    """Late impressions and feedback add up; dead letters are those of every reason."""
    counts = {"accepted": 9, "late_impression": 1, "late_feedback": 2, "duplicate": 3, "malformed": 4, "too_large": 5}
    expected = {"accepted": 9, "late": 3, "duplicate": 3, "dead_letters": 9}
    assert events_summary({**counts, "unattributed": 7}) == expected
