"""Numbers over any range equal, to the last bit, those of a run that published them."""

from __future__ import annotations

import json
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, text

from lis_online.errors import HistoryError, UsageError
from lis_online.events.windows_log import SlotVersion
from lis_online.history.bucket_state import Learning
from lis_online.history.configuration import configuration_id, described, fingerprint
from lis_online.history.ranges import range_numbers
from lis_online.history.rows import AlignmentRow, BucketRow, HistoryRow
from lis_online.history.stored import Group
from lis_online.history.stored_settings import read_back
from lis_online.history.writer import HistoryWriter
from lis_online.metrics import alignment
from lis_online.metrics.bins import GROUPS
from lis_online.metrics.numbers import numbers
from lis_online.metrics.presence import Presence
from lis_online.metrics.results import SliceNumbers
from lis_online.metrics.statistics import Statistics
from lis_online.metrics.whole_run import WholeRun
from lis_online.settings import Settings
from tests.history.streams import AT, FIRST, LAYOUT, MINUTE, SETTINGS, TABLE, make_row, plain_state

pytestmark = pytest.mark.postgres

HOUR = 60 * MINUTE


def write(engine: Engine, *rows: HistoryRow, under: Settings = SETTINGS) -> Group:
    """Write rows and return the rank group they belong to."""
    HistoryWriter(engine, under).write(rows)
    with engine.begin() as connection:
        return Group(configuration_id(connection, under))


def uninterrupted(rows: Sequence[BucketRow], versions: list[SlotVersion] = FIRST) -> dict[str, SliceNumbers]:
    """Return the numbers of a run over buckets, as the publish shard computes them."""
    whole = WholeRun(LAYOUT, MINUTE)
    for row in rows:
        whole.update(row.bucket_start, Statistics.decode(LAYOUT, row.data))
    window = whole.get()
    assert window is not None
    return numbers(window, LAYOUT, presence=Presence(versions))


minutes = st.sets(st.integers(0, 200), min_size=1, max_size=90)
edges = st.tuples(st.integers(-5, 210), st.integers(1, 215), st.integers(0, MINUTE - 1), st.integers(0, MINUTE - 1))


@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.data_too_large])
@given(at=minutes, edge=edges, data=st.data())
def test_any_range_of_any_buckets_gives_what_an_uninterrupted_run_gives(
    history_engine: Engine, at: set[int], edge: tuple[int, int, int, int], data: st.DataObject
) -> None:
    """Exactly: every value, interval, reason and count, in every slice, in whatever order the buckets were written."""
    with history_engine.begin() as connection:
        connection.execute(text("TRUNCATE configurations CASCADE"))
    rows = [make_row(AT + minute * MINUTE, minute % 7) for minute in sorted(at)]
    group = write(history_engine, *data.draw(st.permutations(rows)))
    start = AT + edge[0] * MINUTE + edge[2]
    end = start + edge[1] * MINUTE + edge[3] + 1
    inside = [row for row in rows if row.bucket_start < end and row.bucket_end > start]
    found = range_numbers(history_engine, group, start, end)
    assert found.buckets == len(inside)
    if inside:
        assert found.slices == uninterrupted(inside)
        assert found.covered[0] <= start < end <= found.covered[1]
    else:
        assert found.slices["all"].samples == 0
        assert found.slices["all"].sources["coclick"].lis.reason == "no samples"


def test_edges_are_rounded_outward_to_buckets_and_the_answer_says_so(history_engine: Engine) -> None:
    """A second of a bucket takes the whole of it: its samples cannot be told apart any more."""
    rows = [make_row(AT + minute * MINUTE, minute) for minute in range(4)]
    found = range_numbers(history_engine, write(history_engine, *rows), AT + MINUTE + 1, AT + 2 * MINUTE + 1)
    assert (found.start, found.end) == (AT + MINUTE + 1, AT + 2 * MINUTE + 1)
    assert found.covered == (AT + MINUTE, AT + 3 * MINUTE)
    assert found.slices == uninterrupted(rows[1:3])


def test_ranges_that_meet_at_a_buckets_edge_share_no_sample(history_engine: Engine) -> None:
    """Their samples add up to those of both."""
    rows = [make_row(AT + minute * MINUTE, minute) for minute in range(4)]
    group = write(history_engine, *rows)
    parts = [
        range_numbers(history_engine, group, AT + a * MINUTE, AT + b * MINUTE).slices["all"].samples
        for a, b in ((0, 3), (3, 4), (0, 4))
    ]
    assert parts[0] + parts[1] == parts[2] == sum(row.samples for row in rows)


def test_hours_without_a_bucket_are_named_and_minutes_summed(history_engine: Engine) -> None:
    """An outage inside a range is no quiet night."""
    at = (0, 2, 100, 101)
    group = write(history_engine, *(make_row(AT + minute * MINUTE, minute) for minute in at))
    found = range_numbers(history_engine, group, AT, AT + 5 * HOUR)
    assert found.gaps == ((AT + 3 * MINUTE, AT + 100 * MINUTE), (AT + 102 * MINUTE, AT + 5 * HOUR))
    assert found.short_gaps == MINUTE


def test_one_slice_is_answered_alone_and_an_unknown_one_names_the_known(history_engine: Engine) -> None:
    """Slices are named as in the settings that the numbers were made under."""
    group = write(history_engine, make_row(AT, 1))
    found = range_numbers(history_engine, group, AT, AT + MINUTE, ["surface:feed"])
    assert list(found.slices) == list(found.diagnoses) == ["surface:feed"]
    with pytest.raises(UsageError, match=r"--slice must be one of \['all', 'surface:feed', .*got 'surface:ads'"):
        range_numbers(history_engine, group, AT, AT + MINUTE, ["all", "surface:ads"])


def test_a_version_that_began_within_the_range_is_missing_with_the_reason(history_engine: Engine) -> None:
    """Before it began its rankers saw none of the samples; from its beginning on it has numbers beside the older."""
    both = [SlotVersion("v", "1", 0, 0, newest=False), SlotVersion("v#2", "2", AT, AT + 2 * MINUTE, newest=True)]
    later = plain_state(both, learning={"v#2": Learning(AT + 2 * MINUTE, 20_000, AT + 3 * MINUTE)})
    rows = [make_row(AT + k * MINUTE, k) for k in range(2)]
    rows += [make_row(AT + k * MINUTE, k, slots=(0, 1), state=later) for k in range(2, 5)]
    group = write(history_engine, *rows)
    whole = range_numbers(history_engine, group, AT, AT + 5 * MINUTE)
    assert whole.slices == uninterrupted(rows, both)
    assert whole.slices["all"].variants["v"].ais.reason == "version 2 began within the window"
    assert whole.slices["all"].variants["v@1"].ais.value is not None
    before = range_numbers(history_engine, group, AT, AT + 2 * MINUTE).slices["all"].variants
    assert {key: one.version for key, one in before.items()} == {"v": "1"}
    young = range_numbers(history_engine, group, AT + 2 * MINUTE, AT + 5 * MINUTE)
    assert young.slices["all"].variants["v"].ais.value is not None
    assert "first 20000 samples are among these" in young.diagnoses["all"]["v"].sentence
    assert "first 20000" not in young.diagnoses["all"]["v@1"].sentence
    learnt = range_numbers(history_engine, group, AT + 3 * MINUTE, AT + 5 * MINUTE)
    assert "first 20000" not in learnt.diagnoses["all"]["v"].sentence


def test_a_ranker_that_was_restarted_within_the_range_has_no_number(history_engine: Engine) -> None:
    """As in a window."""
    again = plain_state(restarted={"leaked:coclick": AT + 2 * MINUTE})
    rows = [make_row(AT + k * MINUTE, k, state=again if k else None) for k in range(4)]
    group = write(history_engine, *rows)
    found = range_numbers(history_engine, group, AT, AT + 4 * MINUTE).slices["all"].sources["coclick"]
    assert found.lis.reason == "restarted within the window"
    later = range_numbers(history_engine, group, AT + 2 * MINUTE, AT + 4 * MINUTE)
    assert later.slices["all"].sources["coclick"].lis.value is not None


def test_the_warm_up_is_kept_out_and_said_unless_there_is_nothing_else(history_engine: Engine) -> None:
    """LIS rises until the pair memory is full: the whole run leaves it out as well."""
    under = Settings.of({**TABLE, "metrics": {**TABLE["metrics"], "warm_up": "2m"}})  # type: ignore[dict-item]
    rows = [make_row(AT + k * MINUTE, k) for k in range(5)]
    group = write(history_engine, *rows, under=under)
    found = range_numbers(history_engine, group, AT, AT + 5 * MINUTE)
    assert found.slices == uninterrupted(rows[2:])
    assert (found.warm_up_buckets, found.covered) == (2, (AT + 2 * MINUTE, AT + 5 * MINUTE))
    early = range_numbers(history_engine, group, AT, AT + 2 * MINUTE)
    assert early.slices == uninterrupted(rows[:2])
    assert early.diagnoses["all"]["v"].sentence.startswith("Warming up")


def test_buckets_without_a_state_count_and_nothing_is_claimed_of_their_versions(history_engine: Engine) -> None:
    """Code of the schema before wrote none; its statistics are as good."""
    rows = [make_row(AT + k * MINUTE, k) for k in range(2)]
    group = write(history_engine, *(BucketRow(*(getattr(r, n) for n in r.__struct_fields__[:6])) for r in rows))
    found = range_numbers(history_engine, group, AT, AT + 2 * MINUTE)
    assert found.state is None
    assert found.slices["all"].sources == uninterrupted(rows)["all"].sources
    assert found.slices["all"].variants["v"].version == ""


def test_the_pairs_made_in_the_range_are_aligned_over_it(history_engine: Engine) -> None:
    """Pair alignment is in pair time: of these pairs, by the versions that are measured at the range's end."""
    rng = np.random.default_rng(0)

    def tallies(version: str) -> bytes:
        pairs = rng.integers(1, 9, GROUPS)
        nothing = [np.zeros(GROUPS, np.int64)] * (alignment.ROWS - 2)
        counts = np.stack([rng.integers(0, 2 * pairs), pairs, *nothing])
        return alignment.encode({("v", version): counts})

    data = [tallies("1") for _ in range(4)] + [tallies("0")]
    pairs = [AlignmentRow(AT + k * MINUTE, AT + (k + 1) * MINUTE, 0, one, 1) for k, one in enumerate(data)]
    group = write(history_engine, make_row(AT + MINUTE, 1), *pairs)
    [found] = range_numbers(history_engine, group, AT + MINUTE, AT + 3 * MINUTE).alignment.values()
    inside = [alignment.decode(one)["v", "1"] for one in data[1:3]]
    assert found.share == alignment.share(np.stack(inside))
    assert (found.version, found.pairs) == ("1", int(sum(one[alignment.PAIRS].sum() for one in inside)))


def test_groups_and_configurations_do_not_mix(history_engine: Engine) -> None:
    """A range is of one rank group under one configuration: other settings make other numbers."""
    rows = [make_row(AT, 1), make_row(AT, 2, group=1)]
    group = write(history_engine, *rows)
    write(history_engine, make_row(AT, 3), under=Settings.of({**TABLE, "leakage": {"folds": 4}}))
    assert range_numbers(history_engine, group, AT, AT + MINUTE).slices == uninterrupted(rows[:1])
    other = range_numbers(history_engine, Group(group.configuration, 1), AT, AT + MINUTE)
    assert other.slices == uninterrupted(rows[1:])


def test_settings_come_back_from_a_configuration_as_they_were() -> None:
    """The layout of old statistics is that of the settings of their time, not of today's."""
    arms = [{"name": "a", "share": 0.5}, {"name": "b", "share": 0.5, "variant": "v"}]
    table = {
        **TABLE,
        "training": {"half_lives": ["30m", "6h"]},
        "experiment": [{"name": "e", "control": "a", "start": "2019-11-01T00:00:00Z", "arm": arms}],
    }
    for settings_ in (Settings.of({}), SETTINGS, Settings.of(table)):
        back = read_back(json.loads(json.dumps(described(settings_))))
        assert fingerprint(back) == fingerprint(settings_)
        assert back.model_dump(exclude={"history"}) == settings_.model_dump(exclude={"history"})


def test_a_configuration_that_is_not_there_or_of_another_version_is_an_error(history_engine: Engine) -> None:
    """Rather than numbers under the wrong names."""
    with pytest.raises(HistoryError, match="the history has no configuration 77"):
        range_numbers(history_engine, Group(77), AT, AT + MINUTE)
    group = write(history_engine, make_row(AT, 1))
    with history_engine.begin() as connection:
        connection.execute(text("""UPDATE configurations SET settings = settings || '{"leakage": {"phases": 1}}'"""))
    with pytest.raises(HistoryError, match=r"configuration \d+ cannot be read by this version: .*leakage.phases"):
        range_numbers(history_engine, group, AT, AT + MINUTE)


def test_a_range_without_an_instant_is_refused(history_engine: Engine) -> None:
    """Argument, rule, value."""
    with pytest.raises(UsageError, match="--from must be before --to"):
        range_numbers(history_engine, Group(1), AT, AT)
