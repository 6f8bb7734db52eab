"""Messages of another format become the events that the schema's own would be, or are refused in a sentence."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import settings as tries
from hypothesis import strategies as st

from lis_online.errors import EventRefused
from lis_online.events.wire import Feedback, Impression, ItemAttributes, Preference, Representation
from lis_online.mapping.codec import Codec, fields_of, needed_of
from lis_online.mapping.fields import parse_field
from lis_online.mapping.message import MessageFields
from lis_online.settings import Settings
from tests.mapping.formats import MAPPING, SETTINGS, json_of, served, tapped

CODEC = Codec(SETTINGS.mapping)


def mapped(topic: str, **changes: Any) -> Codec:
    """Return a codec whose mapping of a topic has other fields."""
    return Codec(Settings.of({"mapping": {topic: {**MAPPING[topic], **changes}}}).mapping)


def refusal(topic: str, message: Any, codec: Codec = CODEC) -> str:
    """Return why a message is refused: reason and sentence."""
    with pytest.raises(EventRefused) as caught:
        codec.events(topic, message if isinstance(message, bytes) else json_of(message))
    return str(caught.value)


def test_every_field_comes_from_its_place() -> None:
    """Paths, [*], units, renaming, numbers as ids, attributes with gaps: all of it in one message."""
    made = 1793491200000
    assert CODEC.events("impressions", json_of(served())) == [
        Impression(
            1,
            "r1",
            "7",
            1573516800250,
            "feed",
            ["11", "n12"],
            {"mllm-q4": "treatment"},
            [3, 4],
            {"11": ItemAttributes("a7", None, made), "n12": ItemAttributes()},
        )
    ]
    assert CODEC.events("feedback", json_of(tapped(dur_ms="2500"))) == [
        Feedback(1, "r1", "7", "n12", 1573516803000, "click", 2.5)
    ]
    assert CODEC.events("preferences", b'{"pair":[1,2,3],"at":5}') == [Preference(1, "search", "1", "3", 5)]
    vector = b'{"model":4,"note":"n","at":5,"vec":[1,0.5]}'
    assert CODEC.events("representations", vector) == [Representation(1, "title", "4", "n", 5, [1.0, 0.5])]


def test_topic_without_a_table_holds_the_event_schema() -> None:
    """Mapping one topic leaves the others as they are."""
    codec = Codec(Settings.of({"mapping": {"impressions": MAPPING["impressions"]}}).mapping)
    event = Feedback(1, "r", "u", "i", 5, "click")
    assert codec.events("feedback", json_of(event)) == (event,)
    assert codec.is_mapped("impressions") and not codec.is_mapped("feedback")


def test_what_may_be_missing_has_its_default() -> None:
    """Experiments, positions and attributes of the schema are optional in another format too."""
    bare = {"trace": {"id": "r"}, "viewer": {"uid": "u"}, "served_at": 5, "cards": [{"note_id": "a", "slot": 0}]}
    (event,) = CODEC.events("impressions", json_of(bare))
    assert event == Impression(1, "r", "u", 5000, "feed", ["a"], {}, [0], {"a": ItemAttributes()})
    (action,) = CODEC.events("feedback", json_of(tapped()))
    assert isinstance(action, Feedback) and action.value == 1.0


@pytest.mark.parametrize(
    ("message", "sentence"),
    [
        (b'{"trace":', "malformed: Input data was truncated"),
        (b"[]", "malformed: request_id must be at $.trace.id, got nothing at $.trace"),
        (served(viewer={}), "malformed: user_id must be at $.viewer.uid, got nothing"),
        (served(viewer=5), "malformed: user_id must be at $.viewer.uid, got nothing"),
        (served(viewer={"uid": None}), "malformed: user_id must be at $.viewer.uid, got nothing"),
        (
            served(viewer={"uid": 1.5}),
            "malformed: user_id must be text or a whole number, got a number at $.viewer.uid",
        ),
        (served(viewer={"uid": True}), "malformed: user_id must be text or a whole number, got true or false at"),
        (served(viewer={"uid": ""}), "invalid: user_id must not be empty"),
        (served(viewer={"uid": "x" * 300}), "invalid: user_id must be at most 256 characters, got 300"),
        (served(served_at="soon"), "malformed: ts must be a number, got text at $.served_at"),
        (served(served_at=-5), "invalid: ts must be >= 0 and < 2**53 ms, got -5000"),
        (served(served_at=1e300), "invalid: ts must be >= 0 and < 2**53 ms, got 1000"),
        (served(cards=[]), "invalid: items must be 1 to 1000, got 0"),
        (served(cards={"note_id": 1}), "malformed: items must be at $.cards[*].note_id, got nothing"),
        (
            served(cards=[{"note_id": "a", "slot": 0}, {"slot": 1}]),
            "malformed: items must be text or a whole number, got",
        ),
        (served(cards=[{"note_id": "a", "slot": "0"}]), "malformed: positions must be a whole number, got text"),
        (served(cards=[{"note_id": "a", "slot": n} for n in (0, 1)]), "invalid: items must differ within a slate"),
        (served(ab=["x"]), "malformed: experiments must be an object of experiments and arms, got a list at $.ab"),
        (
            served(ab={"x": {}}),
            "malformed: experiments must be text, a whole number, true or false, got an object at $.ab",
        ),
    ],
)
def test_refusal_names_the_field_the_path_and_what_stood_there(message: Any, sentence: str) -> None:
    """One sentence tells what to change: in the message, or in the settings."""
    assert refusal("impressions", message).startswith(sentence)


@pytest.mark.parametrize(
    ("unit", "given", "ts"),
    [
        ("s", 1573516800, 1573516800000),
        ("s", 1573516800.123, 1573516800123),
        ("s", "1573516800.5", 1573516800500),
        ("ms", 1573516800001, 1573516800001),
        ("us", 1573516800001999, 1573516800001),
        ("ns", "1573516800001999999", 1573516800001),
        ("rfc3339", "2019-11-12T00:00:00Z", 1573516800000),
        ("rfc3339", "2019-11-12T08:00:00.250999+08:00", 1573516800250),
    ],
)
def test_time_is_milliseconds_whatever_its_unit(unit: str, given: Any, ts: int) -> None:
    """Whole numbers stay exact: nanoseconds do not fit a float."""
    codec = mapped("feedback", ts={"path": "$.at", "unit": unit})
    message = json_of(tapped(at=given))
    assert [event.ts for event in codec.events("feedback", message)] == [ts]
    assert codec.time("feedback", message) == ts


@pytest.mark.parametrize("given", ["2019-11-12T00:00:00", "2019-11-12", "yesterday", 5, "nan", "1" * 30, None])
def test_text_that_is_no_time_with_a_zone_is_refused(given: Any) -> None:
    """A local time would be wrong by hours, in silence."""
    codec = mapped("feedback", ts={"path": "$.at", "unit": "rfc3339"})
    assert refusal("feedback", tapped(at=given), codec).startswith("malformed: ts must be")
    assert codec.time("feedback", json_of(tapped(at=given))) is None


def test_message_with_several_actions_is_several_events() -> None:
    """A client that sends in batches: what stands once holds for each; lists go together."""
    fields = {"item_id": "$.events[*].note", "action": "$.events[*].evt", "value": "$.events[*].n"}
    codec = mapped("feedback", **{**fields, "ts": "$.events[*].at"})
    events = [{"note": 1, "evt": "like", "at": 5, "n": 2}, {"note": 2, "evt": "share", "at": 9}]
    message = tapped(events=events)
    assert [event.value for event in codec.events("feedback", json_of(message))] == [2.0, 1.0]
    codec = mapped("feedback", **{**fields, "ts": "$.events[*].at", "value": {"path": fields["value"], "default": 4}})
    assert codec.events("feedback", json_of(message)) == [
        Feedback(1, "r1", "7", "1", 5, "like", 2.0),
        Feedback(1, "r1", "7", "2", 9, "share", 4.0),
    ]
    assert codec.time("feedback", json_of(message)) == 9
    assert refusal("feedback", tapped(events=[]), codec) == "invalid: actions of a message must be 1 to 1000, got 0"
    uneven = mapped("feedback", item_id="$.notes[*]", action="$.evts[*]")
    assert "must be equally many, got action 1, item_id 2" in refusal(
        "feedback", tapped(notes=["a", "b"], evts=["x"]), uneven
    )


def test_experiments_may_each_have_a_path() -> None:
    """Arms that do not stand together; one that is not there is no arm."""
    codec = mapped(
        "impressions", experiments={"q4": "$.flags.q4", "q5": {"path": "$.viewer.os", "rename": {"ios": "b"}}}
    )
    (event,) = codec.events("impressions", json_of(served()))
    assert isinstance(event, Impression) and event.experiments == {"q5": "b"}


def test_flags_that_are_true_or_false_are_arms() -> None:
    """A map of feature flags has both kinds; `rename` gives them the arms' names."""
    flags = {"dark": True, "q4": False, "density": 3, "off": None}
    whole = mapped("impressions", experiments="$.ab")
    one = mapped("impressions", experiments={"q4": {"path": "$.ab.q4", "rename": {"true": "b", "false": "a"}}})
    listed = mapped("impressions", experiments={"list": "$.ab", "name": "$.n", "arm": "$.on"})
    shown = [
        codec.events("impressions", json_of(served(ab=ab)))[0].experiments  # type: ignore[union-attr]
        for codec, ab in ((whole, flags), (one, flags), (listed, [{"n": "q4", "on": True}]))
    ]
    assert shown == [{"dark": "true", "q4": "false", "density": "3"}, {"q4": "a"}, {"q4": "true"}]


@pytest.mark.parametrize(
    ("rule", "skipped"),
    [
        ({"path": "$.page", "values": ["home"]}, True),
        ({"path": "$.page", "values": ["search"]}, False),
        ({"path": "$.page", "unless": ["home"]}, False),
        ({"path": "$.nowhere", "unless": ["home"]}, True),
        ({"path": "$.viewer.uid", "values": [7]}, True),
        ([{"path": "$.page", "values": ["x"]}, {"path": "$.viewer.os", "values": ["ios"]}], True),
    ],
)
def test_messages_that_are_not_ours_are_no_events(rule: Any, skipped: bool) -> None:
    """They are passed over before any field is looked for, so what they lack is no fault of theirs."""
    codec = mapped("impressions", skip=rule)
    assert (codec.events("impressions", json_of(served())) == ()) is skipped
    if skipped and "nowhere" not in str(rule):
        assert codec.events("impressions", json_of({**served(), "served_at": None})) == ()


def test_size_and_depth_are_bounded_before_anything_is_read() -> None:
    """The limits of the schema are those of every format."""
    assert refusal("impressions", b" " * ((1 << 20) + 1)).startswith("too_large")
    assert "nesting" in refusal("impressions", b'{"x":' + b"[" * 200 + b"]" * 200 + b"}")


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=8,
)  # fmt: skip
PATHS = st.sampled_from(
    ["$.a", "$.a.b", "$.a.b.c", "$.a[0]", "$.a[-1].b", "$.a[*]", "$.a[*].b", "$.b[*].c.a", "$.b[1][0]", "$.b"]
)


@tries(max_examples=300)
@given(ANYTHING, st.lists(PATHS, min_size=1, max_size=4))
def test_compiled_reading_is_reading_step_by_step(message: Any, paths: list[str]) -> None:
    """What is compiled into types finds what walking the whole document finds, or leaves it to that."""
    names = [f"categories{number}" for number in range(len(paths))]
    fields = MessageFields({name: parse_field("sparse_ids", path) for name, path in zip(names, paths, strict=True)})
    value = json_of(message)

    def outcome(read: Any) -> Any:
        try:
            return read(value)
        except EventRefused as refused:
            return str(refused)

    assert outcome(fields.read) == outcome(fields._explained)


@tries(max_examples=200)
@given(st.sampled_from(sorted(MAPPING)), ANYTHING, st.data())
def test_any_message_is_events_or_a_refusal_and_names_no_user(topic: str, ill: Any, data: st.DataObject) -> None:
    """Nothing else may come out of a stranger's bytes; and a sentence goes into headers and logs."""
    user = "person-7"
    good: dict[str, Any] = served() if topic == "impressions" else tapped(pair=["a", "b"], model="1", vec=[1.0])
    key = data.draw(st.sampled_from([*good, "uid", "trace"]))
    bad = data.draw(st.just(ill) | st.just({"uid": user, "id": user}) | st.just([user]) | st.just(user))
    try:
        events = CODEC.events(topic, json_of({**good, key: bad}))
    except EventRefused as refused:
        assert user not in str(refused)
    else:
        assert len(events) <= 1


def test_fields_and_needs_are_those_of_the_section() -> None:
    """What peek shows and what is refused for lack of it come from one list."""
    section = SETTINGS.mapping.feedback
    assert section is not None
    assert list(fields_of(section)) == ["request_id", "user_id", "item_id", "ts", "action", "value"]
    assert needed_of("feedback") == ["request_id", "user_id", "item_id", "ts", "action"]
    assert msgspec.json.decode(SETTINGS.model_dump_json())["mapping"]["feedback"]["ts"] == {
        "path": "$.at",
        "unit": "us",
    }
