"""A backfill in a real history: beside the live numbers, and the same however often it is run."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import Engine, select

from lis_online.backfill.beginning import records_from
from lis_online.backfill.run import Backfill
from lis_online.backfill.stretch import Stretch
from lis_online.errors import UsageError
from lis_online.history.backfills import check_backfill
from lis_online.history.configuration import find_configuration
from lis_online.history.engine import transaction
from lis_online.history.ranges import RangeNumbers, range_numbers
from lis_online.history.rows import BucketRow, HistoryRow
from lis_online.history.stored import Group
from lis_online.history.tables import CONFIGURATION, TABLES, configurations
from lis_online.history.writer import HistoryWriter
from lis_online.mapping.codec import Codec
from lis_online.metrics.summary import Judged, numbers_summary
from lis_online.settings import Settings
from lis_online.shards.pipeline import Pipeline
from tests.backfill.village import BUCKET, SETTINGS, backfilled, calm, feed, middle, whole
from tests.shards.village import table

pytestmark = pytest.mark.postgres

NOTE = "backfill of a test"
NUMBERS = ("samples", "slates", "unleaked", "twin", "effective_users", "sources", "variants")
OTHER = Settings.of(table(leakage={**table()["leakage"], "horizon": "12m"}, history={"rollup": "4m"}))


def write(engine: Engine, stretch: Stretch, settings: Settings = SETTINGS, stop_after: int | None = None) -> None:
    """Backfill the village's log into a history; stop_after: press Ctrl-C after so many writes."""
    writer, writes = HistoryWriter(engine, settings, note=NOTE), 0

    def write(rows: list[HistoryRow]) -> None:
        nonlocal writes
        if writes == stop_after:
            raise KeyboardInterrupt
        writer.write(rows)
        writes += 1

    run = Backfill(settings, stretch, write, at_once=200)
    run.run(records_from(feed(), stretch.reads_from, Codec(SETTINGS.mapping).time))


def contents(engine: Engine, configuration: int = 1) -> dict[str, list[Any]]:
    """Return every row of a configuration, without its id."""
    found = {}
    with engine.connect() as connection:
        for of in TABLES.values():
            columns = [column for column in of.c if column.name != CONFIGURATION]
            mine = select(*columns).where(of.c[CONFIGURATION] == configuration)
            found[of.name] = list(connection.execute(mine.order_by(*of.primary_key.columns)).all())
    return found


def of_range(engine: Engine, configuration: int, stretch: Stretch) -> RangeNumbers:
    """Return the numbers of a stretch."""
    return range_numbers(engine, Group(configuration), stretch.start, stretch.end)


def test_a_range_of_the_whole_backfill_is_what_evaluate_says(history_engine: Engine) -> None:
    """Numbers, intervals and diagnoses, to the last bit: of rows that went through PostgreSQL."""
    write(history_engine, whole())
    found = of_range(history_engine, 1, whole())
    judged = Judged(found.slices["all"], found.diagnoses["all"], found.alignment)
    offline = Pipeline(SETTINGS)
    for topic, value in feed():
        offline.update(topic, value)
    offline.finish()
    summary = offline.summary()
    ours = numbers_summary(judged)
    for variant in (*ours["variants"].values(), *summary["variants"].values()):
        del variant["pair_alignment"]  # a run's has the pairs of its warm-up too, a range's those made in it
    assert {name: summary[name] for name in NUMBERS} == {name: ours[name] for name in NUMBERS}
    assert summary["sources"]["full"]["lis"]["value"] is not None


def test_another_horizon_is_another_configuration_with_other_numbers(history_engine: Engine) -> None:
    """Beside the first, which keeps every row."""
    write(history_engine, whole())
    before = contents(history_engine)
    write(history_engine, whole(), OTHER)
    assert contents(history_engine) == before
    one, other = (of_range(history_engine, k, whole()).slices["all"].sources["full"].lis for k in (1, 2))
    assert None not in (one.value, other.value) and one.value != other.value
    with transaction(history_engine) as connection:
        assert find_configuration(connection, OTHER) == 2
        assert connection.execute(select(configurations.c.note)).scalars().all() == [NOTE, NOTE]


def test_a_backfill_that_was_stopped_is_completed_by_running_it_again(history_engine: Engine) -> None:
    """What was written stays; then every row is that of a run that nobody stopped, and a third run changes nothing."""
    HistoryWriter(history_engine, OTHER, note=NOTE).write(calm()[0])
    unstopped = contents(history_engine)
    with pytest.raises(KeyboardInterrupt):
        write(history_engine, whole(), stop_after=2)
    stopped = contents(history_engine, 2)
    assert 0 < len(stopped["buckets"]) < len(unstopped["buckets"]) == calm()[1].buckets
    assert set(stopped["numbers"]) < set(unstopped["numbers"])
    write(history_engine, whole())
    assert contents(history_engine, 2) == unstopped
    HistoryWriter(history_engine, SETTINGS, note=NOTE).write(calm()[0])
    assert contents(history_engine, 2) == unstopped


@pytest.mark.parametrize("later_first", [False, True])
def test_where_two_backfills_overlap_the_one_that_began_earlier_stands(
    history_engine: Engine, later_first: bool
) -> None:
    """Whichever ran first: its rankers had learnt longer. So no bucket has numbers of two runs."""
    settings = Settings.of(table(preference=[{"name": "coclick", "gap": "1m"}], variant=[], experiment=[]))
    early = middle(settings)
    late = Stretch.of(settings, early.start + BUCKET, early.end + BUCKET)
    runs = [backfilled(stretch, settings)[0] for stretch in (early, late)]
    one, other = ([row for row in rows if isinstance(row, BucketRow)] for rows in runs)
    assert one[1].bucket_start == other[0].bucket_start and one[1].data != other[0].data
    for rows in reversed(runs) if later_first else runs:
        HistoryWriter(history_engine, settings, note=NOTE).write(rows)
    found = contents(history_engine)
    assert [row.data for row in found["buckets"]] == [one[0].data, one[1].data, other[1].data]
    assert {row.revision for row in found["numbers"]} == {row.revision for row in found["buckets"]}
    assert [row.revision for row in found["buckets"]] == [one[0].revision, one[1].revision, other[1].revision]


def test_settings_of_a_live_configuration_are_refused(history_engine: Engine) -> None:
    """Its numbers are there already, and would be mixed; the sentence names the command that reads them."""
    check_backfill(history_engine, SETTINGS)
    HistoryWriter(history_engine, SETTINGS).write(calm()[0][:5])
    with pytest.raises(UsageError, match=r"got those of configuration 1.*history range --configuration 1"):
        check_backfill(history_engine, SETTINGS)
    check_backfill(history_engine, OTHER)
    HistoryWriter(history_engine, OTHER, note=NOTE).write(calm()[0][:5])
    check_backfill(history_engine, OTHER)
