from __future__ import annotations

import json
from dataclasses import replace

import pytest

from lis_online.simulate.kinds import build, events_of
from lis_online.simulate.parameters import CommonParameters, VersionParameters
from lis_online.simulate.recorded import START
from lis_online.simulate.scenarios import scenario

MINUTE = 60_000
SINCE = 3 * MINUTE + 20_000


def vectors(world: CommonParameters, slates: int) -> dict[tuple[str, str], dict[str, int]]:
    """Return item and time of every vector by (variant, version)."""
    found: dict[tuple[str, str], dict[str, int]] = {}
    for _, topic, value in events_of(build(world, seed=1, start=START), slates):
        if topic == "representations":
            record = json.loads(value)
            found.setdefault((record["variant"], record["version"]), {})[record["item_id"]] = record["ts"]
    return found


@pytest.mark.parametrize("name", ["versions", "shop"])
def test_all_live_items_are_published_anew_when_a_version_begins(name: str) -> None:
    """At its time, to the millisecond, the version has every item that is alive; later ones follow at their birth."""
    chosen = scenario(name).world
    variant = chosen.variants[0].name
    found = vectors(replace(chosen, versions=(VersionParameters(variant, 0.9, SINCE),)), 400)
    begun = [item for item, ts in found[variant, "2"].items() if ts == START + SINCE]
    assert len(begun) == chosen.items
    old, new = found[variant, "1"], found[variant, "2"]
    assert min(new.values()) == START + SINCE
    assert max(old.values()) < START + SINCE + MINUTE
    others = found[chosen.variants[1].name, "1"]
    assert set(others) == set(old) | set(new)


def test_version_before_goes_on_for_its_overlap() -> None:
    """Items that are born in the overlap have a vector of both versions."""
    chosen = scenario("versions").world
    found = vectors(
        replace(chosen, lifetime=30 * MINUTE, versions=(VersionParameters("better", 0.9, SINCE, "2", 2 * MINUTE),)), 500
    )
    both = set(found["better", "1"]) & {item for item, ts in found["better", "2"].items() if ts > START + SINCE}
    assert both
    end = START + SINCE + 2 * MINUTE
    assert all(found["better", "1"][item] < end + MINUTE for item in both)


def test_same_version_replaces_without_a_word() -> None:
    """A version that calls itself 1 is published over the first one."""
    chosen = scenario("versions").world
    found = vectors(replace(chosen, versions=(VersionParameters("broken", 0.0, SINCE, version="1"),)), 300)
    assert {version for variant, version in found if variant == "broken"} == {"1"}
    assert list(found["broken", "1"].values()).count(START + SINCE) == chosen.items
