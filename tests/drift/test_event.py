"""What a reader is told."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from lis_online.drift import event as events
from lis_online.drift import reading as names
from lis_online.drift.event import ADVICE, CAUSES, WORDS, DriftEvent
from lis_online.drift.reading import INPUT, SOURCE, UNLEAKED, VARIANT, Series
from lis_online.metrics.estimate import Estimate
from tests.drift.feeds import START, at

EVENT = DriftEvent(
    time=START,
    detected_at=at(3),
    series=Series(VARIANT, "title", names.PAIR_ALIGNMENT),
    before=Estimate.of(0.84, 1e-6),
    after=Estimate.of(0.5, 1e-4),
    detector="page_hinkley",
    cause="representation",
    about="title",
    version="2",
    also=(Series(VARIANT, "title", names.ADJUSTED_AIS),),
)


def test_sentence_says_what_when_why_and_what_to_look_at() -> None:
    """Word for word: it goes to people."""
    assert EVENT.sentence == (
        "Pair alignment of title fell from 0.84 to 0.5 around 2026-01-05T00:00Z, seen at 2026-01-05T03:00Z. "
        "With it: adjusted AIS of title. The vectors changed while the source held: look at what was published, "
        "and the model behind it."
    )


def test_sentence_of_a_version_names_both_and_that_it_is_over() -> None:
    """So that nobody has to look up which version came before."""
    event = replace(EVENT, cause="version", earlier="1", also=(), until=at(9))
    assert "Version 2 of title follows 1." in event.sentence
    assert event.sentence.endswith("It is back since 2026-01-05T09:00Z.")


@pytest.mark.parametrize(
    ("series", "start"),
    [
        (Series(SOURCE, "coclick", names.ADJUSTED_LIS), "Adjusted LIS of coclick rose from 0.0400 to 0.0520"),
        (Series(UNLEAKED, "", names.AUC), "The AUC of the unleaked ranker rose"),
        (Series(INPUT, "", names.TRAFFIC), "The logarithm of the number of samples rose"),
    ],
)
def test_number_is_named_by_what_it_is_of(series: Series, start: str) -> None:
    """A source, the unleaked ranker, the input; small numbers with four decimals."""
    event = replace(EVENT, series=series, before=Estimate.of(0.04, 0), after=Estimate.of(0.052, 0))
    assert event.sentence.startswith(start)


def test_every_cause_has_its_advice_and_every_number_its_words() -> None:
    """A cause without a next step is no help."""
    assert set(ADVICE) == set(CAUSES)
    numbers = {value for name, value in vars(names).items() if name.isupper() and isinstance(value, str)}
    assert set(WORDS) == numbers - set(names.KINDS)


def test_restored_event_is_the_same() -> None:
    """From JSON."""
    closed = replace(EVENT, until=at(9))
    again = events.restore(json.loads(json.dumps(events.snapshot(closed))))
    assert (again.sentence, again.series, again.until, again.also) == (
        closed.sentence, closed.series, closed.until, closed.also,
    )  # fmt: skip
    assert again.after.stderr == pytest.approx(0.01)
