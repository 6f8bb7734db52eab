"""The study of faults' parts: that they compare, change and judge as the page says."""

from __future__ import annotations

import json
from collections.abc import Callable
from copy import deepcopy
from random import Random
from typing import Any

import pytest

from lis_online.events.topics import MAIN
from studies.chaos import feed as feeds
from studies.chaos import page
from studies.chaos.__main__ import main, told
from studies.chaos.alerts import FILES, faster
from studies.chaos.faults import FAULTS, duplicates_aside, future_aside, named
from studies.chaos.feed import Feed, record
from studies.chaos.outcome import Outcome, compare
from studies.chaos.suite import is_good
from tests.alerts.rules import RULES, load

LATENESS = 5_000
"""Of the demo's settings, ms."""


@pytest.fixture(scope="module")
def feed() -> Feed:
    """A quarter of an hour of the demo's feed."""
    return record(900, seed=2)


def outcome() -> Outcome:
    """Return a small outcome."""
    rows: dict[str, dict[str, dict[str, Any]]] = {
        "numbers": {"1 a": {"value": 0.1, "bucket_end": "t1"}, "1 b": {"value": None, "bucket_end": "t1"}},
        "event_counts": {"1 duplicate": {"fate": "duplicate", "records": 3, "bucket_end": "t1"}},
    }
    return Outcome(rows, [["detail", "7", "0", "malformed", "feedback", "7b"]])


def late(feed: Feed) -> int:
    """Return how many records of main topics come behind their partition's watermark."""
    highest: dict[tuple[str, int], int] = {}
    count = 0
    for one in feed:
        if one.topic in MAIN and one.value not in feeds.MALFORMED:
            place = (one.topic, one.partition)
            count += one.ts < highest.get(place, 0) - LATENESS
            highest[place] = max(highest.get(place, 0), one.ts)
    return count


def test_every_column_row_and_dead_letter_counts() -> None:
    """What is missing, added or another value is a difference; a comparison that cannot fail proves nothing."""
    assert compare(outcome(), outcome()).none
    changes: list[Callable[[Outcome], Any]] = [
        lambda o: o.rows["numbers"]["1 a"].update(value=0.1000000000000001),
        lambda o: o.rows["numbers"]["1 b"].update(value=0.0),
        lambda o: o.rows["numbers"].pop("1 a"),
        lambda o: o.rows["numbers"].update({"1 c": {"value": 1.0}}),
        lambda o: o.rows.pop("numbers"),
    ]
    for change in changes:
        found = outcome()
        change(found)
        assert compare(outcome(), found).rows >= 1
    fewer, other = outcome(), outcome()
    fewer.letters.clear()
    other.letters[0][1] = "8"
    assert compare(outcome(), fewer).letters == 1
    assert compare(outcome(), other).letters == 2


def test_what_a_fault_may_change_is_taken_away_and_nothing_else() -> None:
    """Duplicates change their own count and offsets of dead letters; a number that differs is still found."""
    found = outcome()
    found.rows["event_counts"]["1 duplicate"]["records"] = 9
    found.letters[0][1] = "12"
    assert not compare(outcome(), found).none
    assert compare(outcome(), found, duplicates_aside).none
    found.rows["numbers"]["1 a"]["value"] = 0.2
    assert compare(outcome(), found, duplicates_aside).rows == 1
    ahead = outcome()
    ahead.letters.append(["detail", "9", "0", "too_far_ahead", "feedback", "7b"])
    assert compare(outcome(), ahead, future_aside).none
    ahead.letters.append(["detail", "9", "0", "invalid", "feedback", "7b"])
    assert not compare(outcome(), ahead, future_aside).none


def test_an_outcome_that_was_kept_is_the_one_that_was_found(tmp_path: Any) -> None:
    """Calm outcomes are read again for every fault: floats must come back to the last bit."""
    outcome().save(tmp_path / "kept.json")
    assert compare(outcome(), Outcome.load(tmp_path / "kept.json")).none


@pytest.mark.parametrize(
    "change",
    [feeds.duplicated, feeds.reordered, feeds.jumping_timestamps, feeds.held_back, feeds.an_hour_behind],
    ids=lambda change: change.__name__,
)
def test_changed_feed_has_every_record_and_none_of_them_late(
    feed: Feed, change: Callable[[Feed, Random], Feed]
) -> None:
    """Else a run would differ from the calm one rightly."""
    changed = change(feed, Random(3))
    assert late(feed) == 0
    assert late(changed) == 0
    assert {one.value for one in changed} == {one.value for one in feed}
    assert [one.due for one in changed] == sorted(one.due for one in changed)
    assert changed != feed
    assert change(feed, Random(3)) == changed


def test_faults_that_end_a_partition_take_nothing_from_the_others(feed: Feed) -> None:
    """The calm run that they are compared with has the same records."""
    kept = set(feeds.without_partition(feed, Random(3)))
    gone = [one for one in feed if one not in kept]
    assert gone
    assert {(one.topic, one.partition) for one in gone} == {(topic, 0) for topic in MAIN}
    assert min(one.due for one in gone) > feeds.silence(feed)


def test_records_from_the_future_are_added_and_differ_in_their_time_alone(feed: Feed) -> None:
    """They must be refused for their time, not for being malformed."""
    changed = feeds.from_the_future(feed, Random(3))
    added = [one for one in changed if str(feeds.AHEAD).encode() in one.value]
    assert len(added) == len(changed) - len(feed) > 10
    assert all(json.loads(one.value)["ts"] == feeds.AHEAD for one in added)


def test_rules_that_are_faster_keep_their_limits_of_event_time() -> None:
    """Only waits, ranges and limits in seconds of the wall clock shrink; else another rule would be tested."""
    (pipeline,) = [path for path in RULES if path.name == "pipeline.yml"]
    shipped = load(pipeline)
    made = faster(deepcopy(shipped), 10)
    rules = [rule for group in made["groups"] for rule in group["rules"]]
    assert not [rule["expr"] for rule in rules if "5m]" in rule["expr"] or "offset 15m" in rule["expr"]]
    by_name = {(r["alert"], r["labels"].get("sign", "")): r for r in rules}
    assert by_name["LisWorkerGone", ""]["for"] == "30000ms"
    assert by_name["LisCheckpointOld", "old"]["expr"].endswith("> 60")
    assert by_name["LisWatermarkLag", "partition"]["expr"].endswith("> 900")
    assert "> 90 * lis:records_applied" in by_name["LisConsumerLag", ""]["expr"]
    assert shipped == load(pipeline)
    assert {path.name for path in RULES} >= set(FILES)


def test_alerts_that_must_fire_are_alerts_that_there_are() -> None:
    """A misspelt name would fail an hour into the study."""
    names = {
        rule["alert"] for path in RULES for group in load(path)["groups"] for rule in group["rules"] if "alert" in rule
    }
    assert {name for fault in FAULTS for name in fault.alerts} <= names
    assert all(fault.faster for fault in FAULTS if fault.alerts)


def result(**changes: Any) -> dict[str, Any]:
    """Return what is found of the first fault."""
    base = {
        "fault": FAULTS[0].name, "times": 20, "recovered_seconds_max": 7.5, "rows_different": 0, "rows": 10_000,
        "dead_letters_different": 0, "dead_letters_repeated": 1, "max_rss_mb": {"join": 1, "rank": 2, "publish": 3},
        "alerts": [], "ended_by_themselves": 0, "holds": FAULTS[0].holds, "notes": [], "broken": [],
    }  # fmt: skip
    return {**base, **changes}


@pytest.mark.parametrize(
    "changes", [{"rows_different": 1}, {"dead_letters_different": 1}, {"broken": ["it"]}, {"failed": "it"}]
)
def test_whatever_is_not_as_it_should_be_makes_the_study_fail(changes: dict[str, Any]) -> None:
    """The verdict is what a release is judged by."""
    assert is_good(result())
    assert not is_good(result(**changes))
    assert any(str(value if key != "broken" else "it") in told(result(**changes)) for key, value in changes.items())


def test_page_and_figures_say_what_was_found() -> None:
    """Every number comes out of the run."""
    found = [result(rows_different=3), {**result(), "fault": "No rank worker", "alerts": ["LisWorkerGone"]}]
    (first, second) = page.facts(found)
    assert (first["fault"], first["times"], first["rows_different"], first["max_rss_mb"]) == (FAULTS[0].name, 20, 3, 3)
    assert second["alerts"] == ["LisWorkerGone"]
    text = page.page(found)
    assert f"| {FAULTS[0].name} | 20 | 8 | 3 | 10,000 | 0 | 1, 2, 3 | - |" in text
    assert "3 of 20,000 rows differ" in text
    assert f"- No rank worker: `LisWorkerGone`, rules {named('No rank worker').faster} times as fast" in text


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [(["--scale", "0"], "--scale must be > 0, got 0"), (["--only", "nothing"], "got 'nothing'")],
)
def test_arguments_that_cannot_be_are_refused(
    arguments: list[str], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """One sentence and 2, before anything is started."""
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2
    assert sentence in capsys.readouterr().err
