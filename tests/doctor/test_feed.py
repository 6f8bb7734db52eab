"""What the doctor sees in a feed: each fault, planted, is found and named, and a healthy feed has none."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from lis_online.doctor.feed import check_feed
from lis_online.doctor.finding import Finding
from lis_online.doctor.sample import sample_of
from lis_online.records import Record
from lis_online.settings import Settings

START = 1_795_161_600_000
EXPERIMENT = {
    "name": "q4",
    "control": "a",
    "arm": [{"name": "a", "share": 0.5}, {"name": "b", "share": 0.5}],
}
SETTINGS = Settings.of({"events": {"attribution_window": "2m"}, "experiment": [EXPERIMENT]})

Change = Callable[[str, int, dict[str, Any]], dict[str, Any]]


def nothing(topic: str, number: int, event: dict[str, Any]) -> dict[str, Any]:
    """Change no event."""
    return event


def feed(
    change: Change = nothing, *, partition: Change | None = None, sent: int = 500, settings: Settings = SETTINGS
) -> list[Finding]:
    """Return the findings on 400 slates, 1 s apart, with a click 5 s after each."""
    events: list[tuple[int, str, int, dict[str, Any]]] = []
    for number in range(400):
        at, user = START + number * 1000, f"u{number % 50}"
        head = {"schema_version": 1, "request_id": f"r{number}", "user_id": user}
        shown = {**head, "ts": at, "surface": "feed", "items": ["a", "b"], "experiments": {"q4": "b"}}
        events.append((at, "impressions", number, shown))
        events.append((at + 5000, "feedback", number, {**head, "ts": at + 5000, "item_id": "a", "action": "click"}))
    records = []
    for offset, (at, topic, number, event) in enumerate(sorted(events, key=lambda entry: entry[0])):
        home = number % 50 % 2 if partition is None else partition(topic, number, {})["partition"]
        value = msgspec.json.encode(change(topic, number, event))
        records.append(Record(topic, home, offset, at + sent, value))
    return check_feed(settings, sample_of(records, settings.mapping))


def faults(findings: list[Finding]) -> list[tuple[str, str]]:
    """Return check and state of what is not in order."""
    return [(one.check, one.state) for one in findings if one.state != "ok"]


def test_healthy_feed_has_no_fault() -> None:
    """Every check says what it saw, and none asks for a change."""
    found = feed()
    assert faults(found) == []
    assert {one.check for one in found} == {
        "messages", "partitions", "clocks", "order", "slates", "attribution", "duplicates", "names",
    }  # fmt: skip
    assert all(one.change is None for one in found)


def of_feedback(**fields: Any) -> Change:
    """Return a change of all feedback."""
    return lambda topic, number, event: {**event, **fields} if topic == "feedback" else event


def later(topic: str, number: int, event: dict[str, Any]) -> dict[str, Any]:
    """Let a tenth of the clicks come after three minutes."""
    return {**event, "ts": event["ts"] + 180_000} if topic == "feedback" and number % 10 == 0 else event


def slow(topic: str, number: int, event: dict[str, Any]) -> dict[str, Any]:
    """Let a tenth of the clicks come later than the sample can follow."""
    return {**event, "ts": event["ts"] + 240_000} if topic == "feedback" and number % 10 == 0 else event


def orphaned(topic: str, number: int, event: dict[str, Any]) -> dict[str, Any]:
    """Let a tenth of the clicks be on requests that nobody showed."""
    return {**event, "request_id": f"x{number}"} if topic == "feedback" and number % 10 == 0 else event


def shuffled(topic: str, number: int, event: dict[str, Any]) -> dict[str, Any]:
    """Let a tenth of the impressions be two minutes older than those around them."""
    return {**event, "ts": event["ts"] - 120_000} if topic == "impressions" and number % 10 == 0 else event


@pytest.mark.parametrize(
    ("change", "fault", "said", "asked"),
    [
        (of_feedback(item_id="z"), ("slates", "wrong"), "400 of 400 feedback on known", "the same item ids"),
        (of_feedback(user_id="z"), ("slates", "wrong"), "400 of 400 feedback on known", "the same user ids"),
        (of_feedback(request_id="z"), ("slates", "wrong"), "though their users are the same", "other request ids"),
        (of_feedback(request_id="z", user_id="z"), ("slates", "warning"), "none of 400 feedback", "take more"),
        (orphaned, ("slates", "warning"), "28 of 284 feedback is on requests that are not among", "counts nowhere"),
        (slow, ("attribution", "warning"), "come within 2m", '"5m" or more, and take more with --sample'),
        (of_feedback(action="tap"), ("names", "wrong"), "none of 400 feedback is 'click'", "events.label"),
        (of_feedback(action="tap"), ("names", "warning"), "1 actions are not in the settings: 'tap' 400", "events.act"),
        (of_feedback(ts=5.5), ("messages", "wrong"), "400 of 400 messages of feedback are refused", "topics peek"),
        (later, ("attribution", "warning"), "89.6% of 201 click come within 2m", 'events.attribution_window = "4m"'),
        (shuffled, ("order", "warning"), "39 of 400 impressions are more than 30s", 'events.allowed_lateness = "2m"'),
        (
            lambda t, n, e: {**e, "surface": "home"} if "surface" in e else e,
            ("names", "warning"),
            "1 surfaces are not in the settings: 'home' 400 times",
            "events.surfaces",
        ),
        (
            lambda t, n, e: {**e, "experiments": {"q4": "c"}} if "surface" in e else e,
            ("names", "warning"),
            "1 arms are not in the settings: 'q4=c' 400 times",
            "experiment.arm",
        ),
        (
            lambda t, n, e: {**e, "request_id": f"r{n // 2}"},
            ("duplicates", "warning"),
            "200 of 400 impressions came again",
            "a request id names one slate",
        ),
        (
            lambda t, n, e: {**e, "ts": e["ts"] - 10_000} if t == "feedback" else e,
            ("attribution", "wrong"),
            "happen before their impression",
            "clocks",
        ),
    ],
)
def test_planted_fault_is_found_and_named(change: Change, fault: tuple[str, str], said: str, asked: str) -> None:
    """One fault at a time: the check that is about it says so, with a number and what to change."""
    mine = [one for one in feed(change) if (one.check, one.state) == fault]
    assert any(said in one.said and asked in (one.change or "") for one in mine), mine


@pytest.mark.parametrize(
    ("sent", "state", "said"),
    [
        (-2000, "warning", "-2.0 s"),
        (-400_000, "wrong", "400 of 400 impressions are over 5m ahead"),
        (3 * 86_400_000, "warning", "3 d after"),
    ],
)
def test_clock_that_is_off_is_found(sent: int, state: str, said: str) -> None:
    """Event time against the time of sending: ahead, too far ahead, or days behind."""
    (first, *_) = [one for one in feed(sent=sent) if one.check == "clocks"]
    assert (first.state, said in first.said) == (state, True), first


def test_topics_that_are_partitioned_apart_are_found() -> None:
    """By another number, or by no user at all."""
    apart = feed(partition=lambda t, n, e: {"partition": n % 50 % 2 if t == "feedback" else (n + 1) % 2})
    assert faults(apart) == [("partitions", "wrong")]
    assert "50 of 50 users have their feedback in another" in next(o.said for o in apart if o.check == "partitions")
    spread = feed(partition=lambda t, n, e: {"partition": n // 7 % 2 if t == "feedback" else n % 2})
    assert "users of feedback are in several partitions" in spread[2].said


def test_window_beyond_the_horizon_asks_for_both() -> None:
    """A window alone that is longer than the horizon would not load."""
    short = Settings.of({"events": {"attribution_window": "2m"}, "leakage": {"horizon": "2m"}})
    (found,) = [one for one in feed(later, settings=short) if one.check == "attribution"]
    assert found.change is not None and "and leakage.horizon (2m) as long" in found.change


def test_few_clicks_are_too_few_to_tell() -> None:
    """No share is made up of a handful."""
    found = feed(lambda t, n, e: {**e, "action": "like"} if t == "feedback" and n % 100 else e)
    (attribution,) = [one for one in found if one.check == "attribution"]
    assert (attribution.state, "too few" in attribution.said) == ("warning", True)


def test_empty_feed_says_so() -> None:
    """Before the first message."""
    found = check_feed(SETTINGS, sample_of([], SETTINGS.mapping))
    assert {(one.check, one.state) for one in found} == {("messages", "warning"), ("partitions", "warning")}
