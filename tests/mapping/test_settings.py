"""Mappings in the settings file: what is refused, in which sentence."""

from __future__ import annotations

import re
from typing import Any

import msgspec
import pytest

from lis_online.errors import EventRefused, SettingsError
from lis_online.events.wire import Impression
from lis_online.mapping.codec import Codec
from lis_online.settings import Settings
from tests.mapping.formats import MAPPING, SETTINGS, json_of, served


def refusal(topic: str, **changes: Any) -> str:
    """Return what is said of a mapping with other fields."""
    table = {name: field for name, field in {**MAPPING[topic], **changes}.items() if field is not ...}
    with pytest.raises(SettingsError) as caught:
        Settings.of({"mapping": {topic: table}})
    return str(caught.value).removeprefix("settings: ")


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"user_id": ...}, "mapping.impressions.user_id: is missing"),
        ({"who": "$.x"}, "mapping.impressions.who: is not a setting"),
        (
            {"user_id": "viewer.uid"},
            'mapping.impressions.user_id: must be a path that begins with $, such as "$.viewer',
        ),
        ({"user_id": "$.a[*].b"}, "mapping.impressions.user_id: must have one value, and [*] leads to several"),
        ({"user_id": 5}, 'mapping.impressions.user_id: must be a path such as "$.a.b", or a table'),
        ({"user_id": {}}, "mapping.impressions.user_id: must have either path or value"),
        ({"user_id": {"path": "$.a", "value": "b"}}, "mapping.impressions.user_id: must have either path or value"),
        (
            {"user_id": {"value": "a", "default": "b"}},
            "mapping.impressions.user_id: value must stand alone, got 'default'",
        ),
        ({"user_id": {"path": "$.a", "unit": "s"}}, "mapping.impressions.user_id: unit is for times alone"),
        ({"user_id": {"path": "$.a", "scale": 2}}, "mapping.impressions.user_id: scale is for numbers alone"),
        ({"ts": {"path": "$.a", "rename": {}}}, "mapping.impressions.ts: rename is for names alone"),
        ({"ts": {"path": "$.a", "unit": "h"}}, "mapping.impressions.ts: unit must be one of s, ms, us, ns, rfc3339"),
        (
            {"surface": {"value": ["a"]}},
            "mapping.impressions.surface: value must be text or a whole number, got a list",
        ),
        ({"surface": {"path": "$.a", "default": 1.5}}, "mapping.impressions.surface: default must be text or a whole"),
        ({"surface": {"path": "$.a", "rename": {"a": 1}}}, "mapping.impressions.surface: rename must be a table of"),
        ({"experiments": {"q4": "flags"}}, "mapping.impressions.experiments: q4: must be a path that begins with $"),
        ({"experiments": 5}, 'mapping.impressions.experiments: must be a path such as "$.ab", or a table'),
        (
            {"experiments": {"list": "$.a[*].b", "name": "$.n", "arm": "$.m"}},
            "mapping.impressions.experiments: list must be a path to one list",
        ),
        (
            {"experiments": {"list": "$.a", "name": {"value": "q4"}, "arm": "$.m"}},
            "mapping.impressions.experiments: name must have a path and no default",
        ),
        ({"experiments": {"list": "$.a", "name": "n", "arm": "$.m"}}, "mapping.impressions.experiments: name: must be"),
        ({"skip": {"path": "$.a"}}, "mapping.impressions.skip: must be a table of path and either values"),
        ({"skip": {"path": "$.a", "values": []}}, "mapping.impressions.skip: values must be a list of texts"),
        ({"skip": {"path": "$.a[*]", "values": ["x"]}}, "mapping.impressions.skip: must have one value"),
    ],
)
def test_wrong_mapping_is_one_sentence_that_names_the_field(changes: dict[str, Any], sentence: str) -> None:
    """A mapping that cannot be meant is refused before anything is read with it."""
    assert refusal("impressions", **changes).startswith(sentence)


def test_scale_of_zero_is_refused() -> None:
    """Every value would be 0."""
    assert "scale must be a number other than 0" in refusal("feedback", value={"path": "$.a", "scale": 0})


def test_mapping_comes_back_from_what_is_shown_of_it() -> None:
    """`config show` prints what could be written in the file."""
    shown = msgspec.json.decode(SETTINGS.model_dump_json())["mapping"]
    table = {topic: {name: one for name, one in section.items() if one} for topic, section in shown.items()}
    assert Settings.of({"mapping": table}).mapping == SETTINGS.mapping


LISTED = {"list": "$.tests[*]", "name": "$.test", "arm": {"path": "$.group", "rename": {"B": "treatment"}}}


def test_experiments_of_a_list_are_read() -> None:
    """Each element has a name and an arm; what has no arm is none, and the settings come back from what is shown."""
    mapping = Settings.of({"mapping": {"impressions": {**MAPPING["impressions"], "experiments": LISTED}}}).mapping
    listed = [{"test": "q4", "group": "B"}, {"test": 7, "group": "a"}, {"test": "off", "group": None}, {}]
    (shown,) = Codec(mapping).events("impressions", json_of(served(tests=listed)))
    assert isinstance(shown, Impression)
    assert shown.experiments == {"q4": "treatment", "7": "a"}
    again = {"impressions": msgspec.json.decode(mapping.model_dump_json())["impressions"]}
    again["impressions"] = {name: one for name, one in again["impressions"].items() if one}
    assert Settings.of({"mapping": again}).mapping == mapping


@pytest.mark.parametrize(
    ("tests", "sentence"),
    [
        ({"q4": "b"}, "experiments must be a list of experiments and arms, got an object at $.tests"),
        ([{"group": "b"}], "experiments must have a name for each arm, got nothing at $.tests"),
        ([{"test": "q4", "group": one} for one in "ab"], "experiments must have one arm of an experiment, got two"),
        ([{"test": "q4", "group": 1.5}], "experiments must be text, a whole number, true or false, got a number at"),
    ],
)
def test_list_of_experiments_that_cannot_be_meant_is_refused(tests: Any, sentence: str) -> None:
    """An arm that is guessed would be counted for the wrong experiment."""
    mapping = Settings.of({"mapping": {"impressions": {**MAPPING["impressions"], "experiments": LISTED}}}).mapping
    with pytest.raises(EventRefused, match=f"^malformed: {re.escape(sentence)}"):
        Codec(mapping).events("impressions", json_of(served(tests=tests)))
