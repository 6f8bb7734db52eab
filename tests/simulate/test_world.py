from __future__ import annotations

import json
from functools import cache
from itertools import islice

import msgspec
import pytest

from lis_online.events.wire import Impression
from lis_online.settings import Settings
from lis_online.settings.durations import parse_duration
from lis_online.simulate.kinds import build, endless
from lis_online.simulate.outbox import Event
from lis_online.simulate.recorded import START, generate
from lis_online.simulate.scenarios import SCENARIOS, scenario

SLATES = 200


@pytest.fixture(params=sorted(set(SCENARIOS) - {"null_2000", "null_20000", "shop_null_2000"}))
def name(request: pytest.FixtureRequest) -> str:
    """Every scenario, and of the worlds without preference the smallest and the largest."""
    return str(request.param)


@cache
def events(name: str, seed: int = 1, again: int = 0) -> list[Event]:
    """Return the events of a few slates, made once unless asked for again."""
    return list(generate(scenario(name), SLATES, seed))


def test_same_seed_gives_the_same_bytes_and_another_seed_others(name: str) -> None:
    """A world is a function of its seed."""
    assert events(name, 1) == events(name, 1, again=1)
    assert events(name, 1) != events(name, 2)


def test_events_come_in_order_of_arrival_and_none_is_late(name: str) -> None:
    """Arrivals never go back, and an event arrives after it happened by less than half the allowed lateness."""
    lateness = parse_duration(scenario(name).settings["events"]["allowed_lateness"])
    found = events(name)
    arrivals = [arrival for arrival, _, _ in found]
    assert arrivals == sorted(arrivals)
    for arrival, _, value in found:
        assert 0 <= arrival - json.loads(value)["ts"] < lateness / 2


def test_exactly_the_slates_asked_for(name: str) -> None:
    """The log has as many impressions as asked for, with ids of their own."""
    shown = [msgspec.json.decode(value, type=Impression) for _, topic, value in events(name) if topic == "impressions"]
    assert len({impression.request_id for impression in shown}) == len(shown) == SLATES


def test_feedback_belongs_to_what_was_shown(name: str) -> None:
    """Feedback arrives after its impression, by its user, on one of its items, within the attribution window."""
    settings = Settings.of(scenario(name).settings)
    shown: dict[str, Impression] = {}
    for _, topic, value in events(name):
        record = json.loads(value)
        if topic == "impressions":
            shown[record["request_id"]] = record
        elif topic == "feedback":
            impression = shown[record["request_id"]]
            assert record["user_id"] == impression["user_id"]
            assert record["item_id"] in impression["items"]
            assert record["action"] in settings.events.actions
            assert 0 < record["ts"] - impression["ts"] < settings.events.attribution_window


def test_vectors_come_before_their_item_is_shown(name: str) -> None:
    """Each variant's vector of an item arrives, with an older time, before the item's first impression."""
    variants = {variant["name"] for variant in scenario(name).settings["variant"]}
    vectors: dict[str, dict[str, int]] = {}
    for _, topic, value in events(name):
        record = json.loads(value)
        if topic == "representations":
            vectors.setdefault(record["item_id"], {}).setdefault(record["variant"], record["ts"])
        elif topic == "impressions":
            for item in record["items"]:
                assert set(vectors[item]) == variants
                assert max(vectors[item].values()) < record["ts"]


def test_arms_are_those_of_the_settings(name: str) -> None:
    """Each user is in one arm, and all arms of the experiment are there."""
    experiment = scenario(name).settings["experiment"][0]
    shown = [msgspec.json.decode(value, type=Impression) for _, topic, value in events(name) if topic == "impressions"]
    arms = {(impression.user_id, impression.experiments[experiment["name"]]) for impression in shown}
    assert len(arms) == len({user for user, _ in arms})
    assert {arm for _, arm in arms} == {arm["name"] for arm in experiment["arm"]}


def test_memory_stays_bounded_when_a_world_goes_on_and_on() -> None:
    """What waits to arrive after hours is no more than what a few minutes bring, and ids are not kept."""
    world = build(scenario("quiet").world, seed=1, start=START)
    waiting = []
    for _ in range(600):
        world.step()
        waiting.append(world.waiting)
    assert max(waiting[300:]) <= 2 * max(waiting[:100])
    assert len(world._items.ids) == scenario("quiet").world.items


def test_endless_events_are_those_of_the_log_when_time_is_the_same() -> None:
    """The live feed and the recorded log are one world: the first events agree."""
    chosen = scenario("quiet")
    count = 1_000
    live = list(islice(endless(chosen.world, 1, START), count))
    assert live == list(islice(generate(chosen, 10_000, 1, START), count))
