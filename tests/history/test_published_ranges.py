"""A range of everything that a publish shard has written is what it published itself."""

from __future__ import annotations

import pytest
from sqlalchemy import Engine

from lis_online.history.configuration import configuration_id
from lis_online.history.ranges import range_numbers
from lis_online.history.stored import Group
from lis_online.history.writer import HistoryWriter
from tests.shards import test_publish as published

pytestmark = pytest.mark.postgres


def test_a_range_of_the_whole_run_is_the_publish_shards_own(history_engine: Engine) -> None:
    """Numbers, intervals and diagnoses of the window `run`, without the warm-up; samples beyond caps are counted."""
    shard, rows = published.run(list(published.log()))
    view = shard.current
    assert view is not None
    HistoryWriter(history_engine, published.SETTINGS).write(rows)
    with history_engine.begin() as connection:
        group = Group(configuration_id(connection, published.SETTINGS))
    found = range_numbers(history_engine, group, published.START, view.end)
    assert found.slices == view.windows[0]
    assert found.diagnoses == view.diagnoses[0]
    assert (found.warm_from, found.warm_up_buckets, found.covered[1]) == (view.warm_from, 3, view.end)
    assert found.left_out == sum(published.statistics(minute).left_out[0] for minute in range(3, published.BUCKETS))
