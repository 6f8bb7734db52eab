"""Reviews of a real history: what the terminal, the page and HTTP all show."""

from __future__ import annotations

import json
from typing import Any
from zoneinfo import ZoneInfo

import jsonschema
import pytest
from sqlalchemy import Engine, text

from lis_online.errors import UsageError
from lis_online.events.windows_log import JoinReport
from lis_online.experiments.analysis import Plan
from lis_online.experiments.known import Known
from lis_online.history.annotations import Annotation, annotate
from lis_online.history.rows import DriftRow, NumberRow
from lis_online.history.writer import HistoryWriter
from lis_online.review import alignment
from lis_online.review.arms import Arms
from lis_online.review.document import Representation, Review
from lis_online.review.gather import review
from lis_online.review.schema import schema
from lis_online.review.verdict import judge
from lis_online.settings import Settings
from lis_online.settings.model import DriftSettings
from tests.review.history import (
    AT,
    BUCKET,
    END,
    MINUTE,
    SETTINGS,
    TABLE,
    ask,
    events,
    joined,
    rows,
    write,
)

pytestmark = pytest.mark.postgres

PLAN = Plan.of(SETTINGS.experiment[0])
BERLIN = ZoneInfo("Europe/Berlin")


def of_events(start: int, end: int) -> Arms:
    """Return the arms of a join shard that is shown the impressions of [start, end) and their feedback alone."""
    shown = [one for one in events()[0] if start <= one["ts"] < end]
    requests = {one["request_id"] for one in shown}
    sent = joined(shown, [one for one in events()[1] if one["request_id"] in requests])
    last = [one for one in sent if isinstance(one, JoinReport)][-1]
    return Arms.of(PLAN, Known(0, tuple(last.columns["mllm-q4"]), {one.arm: one for one in last.arms}))


def lifts(found: Review) -> list[Any]:
    """Return everything that is said of the arms but their variants."""
    return [one.model_dump(exclude={"representation", "representation_reason"}) for one in found.arms]


def expected(arms: Arms) -> list[Any]:
    """Return the same of arms."""
    shown = arms.get(dict.fromkeys(PLAN.shares, "not looked at"))
    return [one.model_dump(exclude={"representation", "representation_reason"}) for one in shown]


def test_a_range_is_what_its_raw_events_alone_give(filled: Engine) -> None:
    """Levels, lifts, intervals, counts: those of a run over the range's impressions, rounded outward to half hours."""
    for start, end, covered in (
        (AT + 31 * MINUTE, AT + 2 * 60 * MINUTE - 1, (AT + 30 * MINUTE, AT + 120 * MINUTE)),
        (AT + 60 * MINUTE, AT + 180 * MINUTE, (AT + 60 * MINUTE, AT + 180 * MINUTE)),
    ):
        request = ask(start=start, end=end)
        found = review(filled, SETTINGS, request)
        arms = of_events(*covered)
        assert (found.scope, found.asked, found.covered) == ("range", request.span(start, end), request.span(*covered))
        assert lifts(found) == expected(arms)
        assert found.sample_ratio == arms.sample_ratio(None)
        assert found.guardrails == arms.guardrails()
        assert found.over_time[-1].value == found.arms[1].metrics[-1].relative.value  # type: ignore[union-attr]
        assert found.over_time[0].time == request.time(covered[0] + 30 * MINUTE)


def test_the_whole_experiment_is_what_all_events_give(filled: Engine) -> None:
    """Up to now, or to a time: then as it was known there."""
    found = review(filled, SETTINGS, ask())
    assert lifts(found) == expected(of_events(AT, END))
    assert (found.scope, found.asked, found.covered) == ("experiment", None, ask().span(AT, END))
    assert (found.primary_metric, found.verdict.decision, found.verdict.arm) == ("ctr", "ship", "treatment")
    assert len(found.over_time) == 2 * 18
    assert (found.quality.accepted, found.quality.reason) == (len(events()[0]) + len(events()[1]), None)
    earlier = review(filled, SETTINGS, ask(end=AT + 9 * BUCKET + 1))
    assert earlier.covered == ask().span(AT, AT + 9 * BUCKET)
    values = [one.metrics[0].level.value for one in earlier.arms]
    known_then = [one for one in events()[1] if one["ts"] < AT + 9 * BUCKET and one["action"] == "click"]
    shown_then = [one for one in events()[0] if one["ts"] < AT + 9 * BUCKET]
    of_arm = [
        sum(int(click["user_id"][1:]) % 2 == arm for click in known_then)
        / sum(int(one["user_id"][1:]) % 2 == arm for one in shown_then)
        for arm in (0, 1)
    ]
    assert values == of_arm
    assert earlier.over_time == found.over_time[: 2 * 9]


def test_the_document_is_of_the_schema_and_the_verdict_of_the_document(filled: Engine) -> None:
    """JSON goes out and comes back as it was."""
    for request in (
        ask(),
        ask(start=AT, end=END, zone=BERLIN),
        ask("mllm-q4", start=END + BUCKET, end=END + 2 * BUCKET),
    ):
        found = review(filled, SETTINGS, request)
        as_json = found.model_dump_json(by_alias=True)
        jsonschema.validate(json.loads(as_json), json.loads(schema()))
        assert Review.model_validate_json(as_json) == found
        assert judge(found) == found.verdict


def test_times_are_in_the_zone_and_numbers_are_the_same(filled: Engine) -> None:
    """One o'clock in Berlin is midnight in UTC."""
    found = review(filled, SETTINGS, ask(start=AT, end=END, zone=BERLIN))
    plain = review(filled, SETTINGS, ask(start=AT, end=END))
    assert found.covered is not None and found.covered.start.isoformat() == "2019-11-12T01:00:00+01:00"
    assert found.zone == "Europe/Berlin" and plain.zone == "UTC"
    assert lifts(found) == lifts(plain) and found.covered == plain.covered
    assert json.loads(found.model_dump_json(by_alias=True))["covered"]["from"] == "2019-11-12T01:00:00+01:00"


def test_records_are_counted_within_the_time(filled: Engine) -> None:
    """Two ranges that meet share no record; both together are the whole experiment's."""
    cut = AT + 7 * BUCKET
    parts = [review(filled, SETTINGS, ask(start=a, end=b)).quality.accepted for a, b in ((AT, cut), (cut, END))]
    applied = sum(one["ts"] < cut for one in [*events()[0], *events()[1]])
    assert parts == [applied, len(events()[0]) + len(events()[1]) - applied]


def published(number: str, kind: str) -> NumberRow:
    """Return the last row of a number in the window of the whole run."""
    return [
        row
        for row in rows()
        if isinstance(row, NumberRow) and (row.window_ms, row.slice, row.kind, row.number) == (0, "all", kind, number)
    ][-1]


def of_treatment(found: Review) -> Representation:
    """Return what treatment's variant delivers."""
    assert found.arms[1].representation is not None
    return found.arms[1].representation


def test_the_variant_of_an_arm_has_the_numbers_of_a_run_over_the_same_time(filled: Engine) -> None:
    """LIS, AIS, efficiency and intervals; control serves none and says so."""
    found = review(filled, SETTINGS, ask())
    one = of_treatment(found)
    for number, kind, value in (
        ("adjusted_lis", "source", one.adjusted_lis),
        ("lis", "source", one.lis),
        ("ais", "variant", one.ais),
        ("adjusted_ais", "variant", one.adjusted_ais),
        ("efficiency", "variant", one.efficiency),
    ):
        row = published(number, kind)
        assert (value.value, value.lower, value.upper) == (row.value, row.lower, row.upper)
    assert (one.variant, one.source, one.samples) == ("title", "coclick", published("lis", "source").samples)
    assert (found.arms[0].representation, found.arms[0].representation_reason) == (None, "serves no variant")
    assert found.alignment_covered == ask().span(AT, END)
    assert (found.agreement.agrees, found.agreement.pairs[0].better_by_ais) == (True, "treatment")
    assert len(found.alignment_over_time) == 18
    assert {(point.variant, point.window) for point in found.alignment_over_time} == {("title", "1h")}
    assert found.alignment_over_time[-1].time == ask().time(END)


def test_of_too_long_an_experiment_the_published_numbers_are_read(
    filled: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same numbers as exact ones here, where the experiment is the run; a note says what they are."""
    exact = of_treatment(review(filled, SETTINGS, ask()))
    monkeypatch.setattr(alignment, "MOST_ROWS", 2)
    found = review(filled, SETTINGS, ask())
    assert of_treatment(found).model_dump(exclude={"coverage"}) == exact.model_dump(exclude={"coverage"})
    assert of_treatment(found).coverage == pytest.approx(exact.coverage)
    assert (found.alignment_covered, found.quality.left_out) == (None, None)
    assert any("more than 2 rows" in note for note in found.notes)
    assert of_treatment(review(filled, SETTINGS, ask(start=AT, end=END))) == exact


def test_a_slice_is_of_lis_and_ais_alone_and_a_note_says_so(filled: Engine) -> None:
    """Users are assigned once, whatever they look at."""
    found = review(filled, SETTINGS, ask(slice="surface:feed"))
    plain = review(filled, SETTINGS, ask())
    assert lifts(found) == lifts(plain)
    assert of_treatment(found).samples < of_treatment(plain).samples
    assert any("are of the slice surface:feed" in note for note in found.notes)
    assert not any("slice" in note for note in plain.notes)


def test_a_range_says_what_the_whole_experiment_shows_where_they_differ(filled: Engine) -> None:
    """Half an hour has too few users for an interval; up to its end there were enough."""
    found = review(filled, SETTINGS, ask(start=AT + 9 * BUCKET, end=AT + 12 * BUCKET))
    assert found.verdict.decision == "keep_running"
    [note] = [one for one in found.notes if one.startswith("The whole experiment")]
    assert "says otherwise of treatment: ctr +" in note
    assert note.endswith("above 0 for sure; in this range it is not shown to differ from 0.")
    everything = review(filled, SETTINGS, ask(start=AT, end=END))
    assert not any(one.startswith("The whole experiment") for one in everything.notes)
    assert "A range has no pre-period, so its lifts are without CUPED." in everything.notes


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (
            "DELETE FROM user_totals WHERE bucket_start < '2019-11-12T01:00:00Z'",
            "are kept from 2019-11-12T01:00:00Z on",
        ),
        ("DELETE FROM user_totals", "users' totals of that time are not kept"),
        ("DELETE FROM user_totals; DELETE FROM moments", "users' totals of that time are not there yet"),
    ],
)
def test_a_range_whose_totals_are_gone_has_a_reason_and_no_lift(
    history_engine: Engine, change: str, reason: str
) -> None:
    """The users that are left would be other users."""
    write(history_engine)
    with history_engine.begin() as connection:
        connection.execute(text(change))
    found = review(history_engine, SETTINGS, ask(start=AT, end=END))
    assert found.covered is None and found.over_time == ()
    assert reason in (found.sample_ratio.reason or "")
    assert (found.verdict.decision, found.verdict.reasons) == ("invalid", ("no_users",))
    assert reason in found.verdict.paragraph
    assert of_treatment(found).adjusted_lis.value is not None


def test_a_range_without_totals_by_the_settings_says_which(history_engine: Engine) -> None:
    """And one of a share of the users says of how many."""
    write(history_engine)
    with history_engine.begin() as connection:
        connection.execute(text("DELETE FROM user_totals"))
    table = {**TABLE, "history": {**TABLE["history"], "user_totals_share": 0.0}}
    found = review(history_engine, Settings.of(table), ask(start=AT, end=END))
    assert found.sample_ratio.reason is not None and "history.user_totals_share" in found.sample_ratio.reason
    write(history_engine)
    table["history"] = {**TABLE["history"], "user_totals_share": 0.25}
    found = review(history_engine, Settings.of(table), ask(start=AT, end=END))
    assert any(note.startswith("The lifts are of 25.0% of the users") for note in found.notes)


def test_a_range_beyond_the_complete_totals_ends_where_they_do(history_engine: Engine) -> None:
    """A bucket is complete when the attribution window has passed after it."""
    write(history_engine)
    with history_engine.begin() as connection:
        connection.execute(text("DELETE FROM user_totals WHERE bucket_start >= '2019-11-12T02:30:00Z'"))
    found = review(history_engine, SETTINGS, ask(start=AT, end=END + BUCKET))
    assert found.covered == ask().span(AT, AT + 15 * BUCKET)
    assert "Users' totals are complete until 2019-11-12T02:30:00Z: the lifts end there." in found.notes
    assert lifts(found) == expected(of_events(AT, AT + 15 * BUCKET))


def test_how_moments_are_read_follows_the_settings_of_today(filled: Engine) -> None:
    """A guardrail that is declared afterwards judges what was measured before."""
    [declared] = TABLE["experiment"]
    ctr, dwell = declared["metric"]
    changed = {**dwell, "guardrail": {"direction": "increase", "margin": 0.1}}
    today = Settings.of({**TABLE, "experiment": [{**declared, "alpha": 0.01, "metric": [ctr, changed]}]})
    found = review(filled, today, ask())
    assert (found.alpha, found.guardrails[0].status) == (0.01, "breached")
    assert (found.verdict.decision, found.verdict.arm) == ("stop", "treatment")


def test_another_configuration_stands_beside_with_what_differs(history_engine: Engine) -> None:
    """The served variants' numbers over the same time, by a backfill."""
    write(history_engine)
    other = Settings.of({**TABLE, "leakage": {**TABLE["leakage"], "memory": "2h"}})
    write(history_engine, other)
    found = review(history_engine, SETTINGS, ask(start=AT, end=END, against=2)).against
    assert found is not None
    assert (found.configuration, found.changed, found.reason) == (2, ("leakage.memory: 1h -> 2h",), None)
    assert [one.variant for one in found.representations] == ["title"]
    assert found.representations[0] == of_treatment(review(history_engine, SETTINGS, ask(start=AT, end=END)))
    swapped = review(history_engine, SETTINGS, ask(configuration=2, against=1))
    assert swapped.configuration == 2 and swapped.against is not None
    assert swapped.against.changed == ("leakage.memory: 2h -> 1h",)


def test_drift_and_notes_of_the_time_are_listed(history_engine: Engine) -> None:
    """Of the variants that arms serve and of their sources; what is later is not."""
    write(history_engine)

    def drift(time: int, kind: str, subject: str) -> DriftRow:
        levels = (0.05, 0.04, 0.06, 0.01, 0.0, 0.02)
        return DriftRow(
            time, kind, subject, "adjusted_lis", "all", BUCKET, time, None, *levels, "stale", "It fell.", "d", 1
        )

    events_ = [
        drift(AT + BUCKET, "source", "coclick"),
        drift(AT + BUCKET, "variant", "other"),
        drift(END + 1, "source", "coclick"),
    ]
    HistoryWriter(history_engine, SETTINGS).write(events_)
    with history_engine.begin() as connection:
        annotate(connection, Annotation(AT + MINUTE, AT + 2 * MINUTE, "deploy", ("ranker",)))
    found = review(history_engine, SETTINGS, ask())
    assert [(one.time, one.variant, one.before, one.after, one.cause) for one in found.drift] == [
        (ask().time(AT + BUCKET), "coclick", 0.05, 0.01, "stale")
    ]
    assert [(one.text, one.tags, one.end) for one in found.annotations] == [
        ("deploy", ("ranker",), ask().time(AT + 2 * MINUTE))
    ]


@pytest.mark.parametrize(
    ("asked", "sentence"),
    [
        ({"experiment": "mllm"}, r"EXPERIMENT must be one of \['mllm-q4'\], got 'mllm'"),
        ({"slice": "surface:ads"}, r"--slice must be one of \['all', 'surface:feed', .*\], got 'surface:ads'"),
        ({"configuration": 9}, r"--configuration must be one of \[1\], got 9"),
        ({"against": 9}, r"--against must be one of \[1\], got 9"),
    ],
)
def test_a_name_that_is_not_known_names_those_that_are(filled: Engine, asked: dict[str, Any], sentence: str) -> None:
    """Argument, rule, value."""
    with pytest.raises(UsageError, match=sentence):
        review(filled, SETTINGS, ask(**asked))


def test_no_drift_is_not_said_where_none_was_looked_for(filled: Engine) -> None:
    """The reason stands instead; where it is looked for, an empty list says that there was none."""
    off = SETTINGS.model_copy(update={"drift": DriftSettings(enabled=False)})
    found, plain = review(filled, off, ask()), review(filled, SETTINGS, ask())
    assert found.drift == plain.drift == ()
    assert found.drift_reason == "it is not looked for (drift.enabled)" and plain.drift_reason is None


def test_a_history_without_these_settings_says_so(history_engine: Engine) -> None:
    """Empty, or written under others."""
    with pytest.raises(UsageError, match="the history is empty"):
        review(history_engine, SETTINGS, ask())
    HistoryWriter(history_engine, SETTINGS).write(rows()[:1])
    other = Settings.of({**TABLE, "leakage": {**TABLE["leakage"], "folds": 4}})
    with pytest.raises(
        UsageError, match=r"nothing was written under these settings: --configuration must be one of \[1\]"
    ):
        review(history_engine, other, ask())


def test_a_range_that_ends_before_it_begins_is_refused() -> None:
    """Before anything is read."""
    with pytest.raises(UsageError, match="--from must be before --to"):
        ask(start=END, end=AT)


def test_an_experiment_that_nobody_saw_yet_has_reasons(history_engine: Engine) -> None:
    """The first bucket may come before the first user."""
    HistoryWriter(history_engine, SETTINGS).write(rows()[:1])
    found = review(history_engine, SETTINGS, ask())
    assert (found.covered, found.alignment_covered, found.over_time) == (None, None, ())
    assert found.sample_ratio.reason == "the history knows no user of mllm-q4 yet"
    assert found.verdict.reasons == ("no_users",)
    assert found.arms[1].representation_reason == "there is no bucket of that time"
