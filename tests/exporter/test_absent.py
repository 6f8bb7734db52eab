"""Why numbers are absent: every sentence there is has a word, and every absent number has a series."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from lis_online.events.windows_log import SlotVersion
from lis_online.experiments import missing as of_arms
from lis_online.exporter.absent import ARMS, NUMBERS, OTHER, WORDS, word
from lis_online.exporter.absent_series import add_absent
from lis_online.exporter.families import Families
from lis_online.history.rows import NumberRow
from lis_online.metrics import missing as of_numbers
from lis_online.metrics.estimate import Estimate
from lis_online.metrics.presence import Presence
from lis_online.rankers import health
from lis_online.shards.publish_rows import view_rows
from lis_online.shards.view import PublishView
from tests.exporter.examples import estimate, example, experiment, two_versions


def sentences(module: object) -> dict[str, str]:
    """Return the sentences that a module declares, by name."""
    return {name: text for name, text in vars(module).items() if name.isupper() and isinstance(text, str)}


@pytest.mark.parametrize("sentence", sentences(of_numbers).values())
def test_every_sentence_about_numbers_has_a_word(sentence: str) -> None:
    """A new reason that nobody mapped would show as "other"."""
    assert word(sentence) != OTHER


# of CUPED alone: the lift is there without it
KNOWN_ELSEWHERE = {"NO_PRE_PERIOD", "UNRELATED"}


@pytest.mark.parametrize("name", sorted(set(sentences(of_arms)) - KNOWN_ELSEWHERE))
def test_every_sentence_about_arms_has_a_word(name: str) -> None:
    """Also with its blanks filled in."""
    assert word(sentences(of_arms)[name].format(*"ab"), ARMS) != OTHER


def test_a_version_that_began_within_the_window_has_a_word() -> None:
    """The sentence is made elsewhere, with the version in it."""
    presence = Presence([SlotVersion("title", "v 2.0", 50, 60, newest=True)], restarted={"leaked:s": 70})
    assert {word(reason) for reason in presence.absent(0).values()} == {"new_version", "restarted"}


def test_the_reasons_of_rankers_are_words_themselves() -> None:
    """A ranker that was set aside takes its numbers along, with its reason."""
    assert [word(reason) for reason in (health.DIVERGED, health.EXPLODED, health.STALLED)] == [
        "diverged",
        "exploded",
        "stalled",
    ]


def test_words_are_few_and_plain() -> None:
    """They are label values; what is not known, or not said, is one of them."""
    assert word(None) == word("bad luck") == word("no luck", NUMBERS) == OTHER
    assert len(WORDS) < 30
    assert all(re.fullmatch("[a-z_]+", one) for one in WORDS)


def absent(view: PublishView) -> list[dict[str, str]]:
    """Return the labels of every absent number."""
    families = Families()
    add_absent(families, view)
    return [sample.labels for family in families.get() for sample in family.samples]


@pytest.mark.parametrize("view", [example(), example(estimate(0.5)), two_versions()])
def test_absent_numbers_are_those_that_the_history_keeps_without_a_value(view: PublishView) -> None:
    """The same numbers under the same names, by another way: rows of the history have every number there is."""
    unjudged = {length: {name: {} for name in slices} for length, slices in view.windows.items()}
    rows = [row for row in view_rows(replace(view, diagnoses=unjudged)) if isinstance(row, NumberRow)]
    windows = {0: "run", -1: "overlap", 900_000: "15m"}
    wanted = {
        (windows[row.window_ms], row.slice, row.kind, row.subject.partition("@")[0], row.version, row.number)
        for row in rows
        if row.value is None
    }
    found = [
        tuple(labels[name] for name in ("window", "slice", "kind", "subject", "version", "number"))
        for labels in absent(view)
        if labels["kind"] in ("unleaked", "source", "variant")
    ]
    assert set(found) == wanted
    assert len(found) == len(set(found))


def test_the_reason_stands_beside_the_number() -> None:
    """An efficiency that is absent because LIS may be 0 is another matter than one without samples."""
    why = {(one["number"], one["window"]): one["reason"] for one in absent(example())}
    assert why["efficiency", "15m"] == "no_lis"
    assert why["gauc", "run"] == "no_mixed_slate"
    assert why["effective_users", "run"] == "no_samples"
    began = [one for one in absent(two_versions()) if one["reason"] == "new_version"]
    assert {(one["subject"], one["version"], one["number"]) for one in began} == {
        ("title", "2", number) for number in ("ais", "adjusted_ais", "efficiency")
    }


def test_arms_without_users_say_so() -> None:
    """The lift, its interval and the test of the shares, each with a word."""
    view = replace(example(), experiments={"mllm-q4": experiment(0)})
    arms = [replace(view.arms[0], ctr=Estimate.none("no users"))]
    found = {
        (one["kind"], one["subject"], one["number"]): one["reason"]
        for one in absent(replace(view, arms=tuple(arms)))
        if one["kind"] in ("arm", "experiment")
    }
    assert found.pop(("experiment", "mllm-q4", "sample_ratio")) == "no_users"
    assert found == dict.fromkeys(
        (
            ("arm", "mllm-q4/treatment", number)
            for number in ("ctr", "lift:ctr", "lift:dwell", "lift_interval:ctr", "lift_interval:dwell")
        ),
        "no_users",
    )
