from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from lis_online.settings import Settings
from lis_online.simulate.scenarios import scenario
from tests.simulate.joined import Joined, joined, records
from tests.simulate.oracle import difference, pair_features, placebo, predictions, similarity_features

SLATES = {"versions": 4_500, "shop": 3_000, "burst": 2_000}
"""Slates by scenario; 6,000 of the others."""


@cache
def log_of(name: str) -> Joined:
    """Return a joined log, made once for all tests: fewer users, so that histories are long sooner."""
    chosen = scenario(name)
    world = replace(chosen.world, users=min(1_000, chosen.world.users))
    return joined(records(replace(chosen, world=world), SLATES.get(name, 6_000), seed=1))


def adjusted_lis(name: str, source: str) -> tuple[float, float]:
    """Return what a source's pairs give over their placebo, and the standard error."""
    log, settings = log_of(name), Settings.of(scenario(name).settings)
    pairs = log.pairs[source]
    permuted = placebo(pairs, settings, np.random.default_rng(0))
    leaked, baseline = (predictions(log, pair_features(log, p, settings)) for p in (pairs, permuted))
    return difference(log, leaked, baseline)


def adjusted_ais(name: str, variant: str) -> tuple[float, float]:
    """Return what a variant's vectors give over permuted ones, and the standard error."""
    log = log_of(name)
    vectors = log.vectors[variant]
    permuted = np.random.default_rng(0).permutation(vectors)
    aligned, baseline = (predictions(log, similarity_features(log, v)) for v in (vectors, permuted))
    return difference(log, aligned, baseline)


@pytest.mark.parametrize("world", ["sources", "shop"])
@pytest.mark.parametrize(("name", "measure"), [("sources", adjusted_lis), ("variants", adjusted_ais)])
def test_usefulness_orders_as_the_truth_when_measured_by_other_means(name: str, measure, world: str) -> None:
    """The known qualities are the order of what the sources and variants really give; quality 0 gives nothing."""
    truth = scenario(world).truth[name]
    found = {entry: measure(world, entry) for entry in truth}
    assert sorted(found, key=lambda entry: -found[entry][0]) == sorted(truth, key=lambda entry: -truth[entry])
    for entry, quality in truth.items():
        gain, stderr = found[entry]
        assert (gain > 3 * stderr) if quality else (abs(gain) < 3 * stderr + 0.001), (entry, gain, stderr)


def test_plain_features_learn_something_but_not_everything() -> None:
    """The world is neither noise nor a lookup table: what is no preference data gives an AUC of 0.6 to 0.8."""
    log = log_of("sources")
    assert 0.58 < roc_auc_score(log.label[len(log.label) // 2 :], predictions(log)) < 0.8


@pytest.mark.parametrize(
    ("measure", "name"),
    [(adjusted_lis, "noise_a"), (adjusted_lis, "noise_b"), (adjusted_ais, "random_a"), (adjusted_ais, "random_b")],
)
def test_nothing_is_found_when_there_is_nothing(measure, name: str) -> None:
    """In a world without tastes no source and no variant gives anything."""
    gain, stderr = measure("null", name)
    assert abs(gain) < 3 * stderr + 0.001


def test_bursts_leak_what_is_no_preference() -> None:
    """In the world of bursts pairs without any meaning rank better than no pairs, by more than the tolerance."""
    log, settings = log_of("burst"), Settings.of(scenario("burst").settings)
    permuted = placebo(log.pairs["fashion"], settings, np.random.default_rng(0))
    gain, stderr = difference(log, predictions(log, pair_features(log, permuted, settings)), predictions(log))
    assert gain - 3 * stderr > settings.metrics.placebo_tolerance


def test_later_versions_are_as_good_as_their_qualities_say() -> None:
    """What is published at the switch makes one variant better than the steady one, and the broken one useless."""
    better, steady, broken = (adjusted_ais("versions", name) for name in ("better", "steady", "broken"))
    assert better[0] > steady[0] + 3 * better[1] and steady[0] > 3 * steady[1]
    assert abs(broken[0]) < 3 * broken[1] + 0.001
