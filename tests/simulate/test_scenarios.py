from __future__ import annotations

import tomllib

import pytest

from lis_online.errors import UsageError
from lis_online.settings import Settings
from lis_online.simulate.recorded import settings_toml
from lis_online.simulate.scenarios import SCENARIOS, scenario


@pytest.mark.parametrize("name", sorted(SCENARIOS))
def test_settings_are_valid_and_survive_the_file(name: str) -> None:
    """The settings file of a scenario is read back as the same tables, and breaks no rule."""
    table = tomllib.loads(settings_toml(scenario(name)))
    assert table == scenario(name).settings
    Settings.of(table)


@pytest.mark.parametrize("name", sorted(SCENARIOS))
def test_settings_describe_the_world_when_it_is_evaluated(name: str) -> None:
    """Topic sources, variants, dimensions, attribution window and the arms are the world's own."""
    chosen = scenario(name)
    settings, world = Settings.of(chosen.settings), chosen.world
    assert [s.name for s in settings.preference if s.kind == "topic"] == [s.name for s in world.sources]
    assert [(v.name, v.dimension) for v in settings.variant] == [(v.name, world.dimension) for v in world.variants]
    assert settings.events.attribution_window == world.window
    assert [arm.variant for arm in settings.experiment[0].arm] == [variant or None for _, variant in world.all_arms]


def test_truth_covers_exactly_the_sources_and_variants_of_the_settings() -> None:
    """A score of the sources scenario can be held against the truth, name by name."""
    chosen = scenario("sources")
    assert set(chosen.truth["sources"]) == {s["name"] for s in chosen.settings["preference"]}
    assert set(chosen.truth["variants"]) == {v["name"] for v in chosen.settings["variant"]}
    for qualities in chosen.truth.values():
        assert sorted(set(qualities.values())) == sorted(qualities.values())
        assert min(qualities.values()) == 0 and max(qualities.values()) == 1


@pytest.mark.parametrize("name", ["sources", "null"])
def test_pairs_fill_a_placebo_bucket_well_under_the_horizon(name: str) -> None:
    """Of true sources, every fold has about 400 pairs within a quarter of the horizon, at the quietest hour."""
    chosen = scenario(name)
    leakage, world = Settings.of(chosen.settings).leakage, chosen.world
    for source in world.sources:
        rate = world.pairs_per_minute * (source.true_share + source.noise_share) * (1 - world.day_amplitude)
        pairs = rate * leakage.horizon / 4 / 60_000 / leakage.folds
        assert pairs > 0.9 * leakage.placebo_pairs, source.name


def test_unknown_scenario_is_refused() -> None:
    """The error names the scenarios there are."""
    with pytest.raises(UsageError, match=r"scenario must be one of \['arms', .*'versions'\], got 'x'"):
        scenario("x")
