"""The three shards in one process: a hostile log, end to end."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

import msgspec
import pytest

from lis_online.shards.pipeline import Pipeline
from tests.shards.village import SETTINGS, Log, feed

YEAR = 365 * 86_400_000
NUMBERS = ("samples", "slates", "from", "to", "unleaked", "twin", "effective_users", "sources", "variants")


def run(log: Log) -> Pipeline:
    """Return a pipeline that has read a whole log."""
    pipeline = Pipeline(SETTINGS)
    for topic, value in log:
        pipeline.update(topic, value)
    pipeline.finish()
    return pipeline


@cache
def clean() -> dict[str, Any]:
    """Return the summary of the log as it is."""
    return run(feed()).summary()


def event(topic: str, number: int = 0) -> dict[str, Any]:
    """Return one of the log's records of a topic, decoded."""
    found: dict[str, Any] = msgspec.json.decode([value or b"" for name, value in feed() if name == topic][number])
    return found


def encoded(event: dict[str, Any], **more: Any) -> bytes:
    """Return a record, changed, as it arrives; NaN as Python writes it."""
    return json.dumps({**event, **more}).encode()


def hostile() -> list[tuple[str, bytes, str]]:
    """Return records that must change no number: (topic, value, reason)."""
    shown, acted, pair, vector = (
        event(name, 50) for name in ("impressions", "feedback", "preferences", "representations")
    )
    numbers = vector["vector"] if isinstance(vector["vector"], list) else [0.5] * 32
    return [
        *((topic, b'{"schema_version": 1, "ts"', "malformed") for topic in ("impressions", "feedback")),
        *((topic, b"\xff\xfe not text", "malformed") for topic in ("preferences", "representations")),
        ("impressions", b"[]", "malformed"),
        ("impressions", encoded(shown, request_id="new", items="i1"), "malformed"),
        ("impressions", encoded(shown, request_id="new", items=[]), "invalid"),
        ("impressions", encoded(shown, request_id="new", ts=-5), "invalid"),
        ("impressions", encoded(shown, schema_version=7), "schema_version"),
        ("impressions", encoded(shown, request_id="far", ts=shown["ts"] + YEAR), "too_far_ahead"),
        ("feedback", encoded(acted, ts=acted["ts"] + YEAR), "too_far_ahead"),
        ("feedback", encoded(acted, value=float("nan")), "malformed"),
        ("feedback", encoded(acted).replace(b'"value": 1.0', b'"value": 1e999'), "malformed"),
        ("feedback", encoded(acted, item_id=""), "invalid"),
        ("representations", encoded(vector, vector=[*numbers, 0.5]), "wrong_dimension"),
        ("representations", encoded(vector, vector=[]), "wrong_dimension"),
        ("representations", encoded(vector, vector=[float("nan"), *numbers[1:]]), "malformed"),
        ("representations", encoded(vector, vector=[1e6, *[0.0] * 31]), "invalid"),
        ("representations", encoded(vector, variant="nobody"), "unknown_variant"),
        ("preferences", encoded(pair, source="nowhere"), "unknown_source"),
        ("preferences", encoded(pair, weight=0), "invalid"),
        ("preferences", encoded(pair, item_b=pair["item_a"]), "invalid"),
    ]


def spread(records: list[tuple[str, bytes, str]]) -> Log:
    """Return the log with records put in, all over it: at the start, between, and close to the end."""
    log = list(feed())
    for number, (topic, value, _) in enumerate(records):
        log.insert(number * len(feed()) // (len(records) - 1), (topic, value))
    return log


def test_the_clean_log_has_numbers() -> None:
    """What the tests below compare is there to compare."""
    summary = clean()
    assert summary["samples"] > 500 and summary["events"]["dead_letters"] == 0
    for source in summary["sources"].values():
        assert source["lis"]["value"] is not None
    for variant in summary["variants"].values():
        assert variant["ais"]["value"] is not None
    json.dumps(summary, allow_nan=False)


def test_records_that_must_be_refused_change_no_number() -> None:
    """Malformed, ill-typed, not finite, of a wrong dimension, a year ahead: each a dead letter under its reason."""
    bad = hostile()
    pipeline = run(spread(bad))
    summary, reasons = pipeline.summary(), [reason for _, _, reason in bad]
    assert {name: summary[name] for name in NUMBERS} == {name: clean()[name] for name in NUMBERS}
    assert summary["arms"] == clean()["arms"]
    assert summary["events"] == {**clean()["events"], "dead_letters": len(bad)}
    counts = pipeline.join.counts
    assert {reason: counts[reason] for reason in set(reasons)} == {reason: reasons.count(reason) for reason in reasons}


def test_a_side_record_a_year_ahead_changes_no_number() -> None:
    """In a recorded log nothing tells that it is ahead; it waits for a time that no sample reaches."""
    pair, vector = event("preferences", 50), event("representations", 50)
    bad = [
        ("preferences", encoded(pair, ts=pair["ts"] + YEAR), ""),
        ("representations", encoded(vector, ts=YEAR * 99), ""),
    ]
    assert run(spread(bad)).summary() == clean()


def test_duplicates_are_dropped_and_counted() -> None:
    """The same request, and the same action on the same item at the same time, count once."""
    log: Log = []
    again = 0
    for number, (topic, value) in enumerate(feed()):
        log.append((topic, value))
        if topic in ("impressions", "feedback") and number % 3 == 0:
            log.append((topic, value))
            again += 1
    summary = run(log).summary()
    assert summary["events"] == {**clean()["events"], "duplicate": again} and again > 100
    assert {name: summary[name] for name in NUMBERS} == {name: clean()[name] for name in NUMBERS}


@cache
def with_arms(**experiments: str) -> Pipeline:
    """Return a pipeline that has read the log with other arms on one impression."""
    chosen = [value for topic, value in feed() if topic == "impressions"][40]
    changed = encoded(event("impressions", 40), experiments=experiments)
    return run([(topic, changed if value == chosen else value) for topic, value in feed()])


@pytest.mark.parametrize("experiments", [{"mllm-q4": "nobody"}, {"mllm-q4": "nobody", "other": "control"}])
def test_an_unknown_arm_is_counted_and_the_slate_is_kept(experiments: dict[str, str]) -> None:
    """The impression is good: it counts for every number but the arms', as if it had named no arm."""
    assert "mllm-q4" in event("impressions", 40)["experiments"]
    pipeline, bare = with_arms(**experiments), with_arms()
    assert pipeline.join.counts["unknown_arm"] == 1 and "unknown_arm" not in bare.join.counts
    summary = pipeline.summary()
    assert summary == bare.summary()
    assert {name: summary[name] for name in NUMBERS} == {name: clean()[name] for name in NUMBERS}
    assert summary["arms"] != clean()["arms"]


def test_an_empty_log_has_no_number_and_says_why() -> None:
    """No data is None with a reason, never 0."""
    summary = run([]).summary()
    assert summary["samples"] == 0 and summary["from"] is None
    for source in summary["sources"].values():
        assert source["lis"] == {"value": None, "reason": "no samples after the warm-up"}
    assert {variant["diagnosis"] for variant in summary["variants"].values()} == {"insufficient_data"}


def test_a_log_without_an_end_gives_no_less_than_its_watermark_allows() -> None:
    """Until it is finished, the last horizon of samples waits; nothing that waits is in a number."""
    pipeline = Pipeline(SETTINGS)
    for topic, value in feed():
        pipeline.update(topic, value)
    before = pipeline.summary()["samples"]
    pipeline.finish()
    assert 0 < before < pipeline.summary()["samples"]
    assert pipeline.summary() == clean()
