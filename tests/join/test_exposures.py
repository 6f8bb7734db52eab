"""Which impressions count: starts and triggers."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lis_online.events.wire import Impression, ItemAttributes
from lis_online.join.arrivals import Arrivals
from lis_online.join.exposures import Exposures, first_ms
from lis_online.settings import Settings
from tests.join.arms_oracle import meets
from tests.join.logs import TABLE

ARMS = [{"name": name, "share": 0.5} for name in "ab"]


def settings_of(*plans: dict[str, Any]) -> Settings:
    """Return settings with an experiment for each plan: e0, e1, ..."""
    given_plans = [{"name": f"e{k}", "control": "a", "arm": ARMS, **plan} for k, plan in enumerate(plans)]
    return Settings.of({**TABLE, "experiment": given_plans})


def some(*names: str) -> st.SearchStrategy[list[str]]:
    """Draw a few of these."""
    return st.lists(st.sampled_from(names), max_size=2)


TRIGGER = st.fixed_dictionaries(
    {
        "surfaces": some("feed", "ads", "gone"),
        "categories": some("news", "sport"),
        "authors": some("ann", "bob"),
        "items": some("i0", "i1", "i2"),
    }
).filter(lambda trigger: any(trigger.values()))
ATTRIBUTES = st.fixed_dictionaries(
    {"category": st.sampled_from([None, "news", "sport"]), "author": st.sampled_from([None, "ann", "bob"])}
)
SHOWN = st.fixed_dictionaries(
    {
        "surface": st.sampled_from(["feed", "ads", "tv"]),
        "items": st.lists(st.sampled_from(["i0", "i1", "i2", "i3"]), min_size=1, max_size=3, unique=True),
        "item_attributes": st.dictionaries(st.sampled_from(["i0", "i1", "i2"]), ATTRIBUTES),
    }
)


@given(TRIGGER, SHOWN)
def test_a_trigger_is_met_when_all_it_names_holds(trigger: dict[str, Any], shown: dict[str, Any]) -> None:
    """Of the impression, and what it says of items of one and the same item; no attribute is no match."""
    settings = settings_of({"trigger": trigger}, {})
    attributes = {item: ItemAttributes(**known) for item, known in shown["item_attributes"].items()}
    served = {"e0": "a", "e1": "b"}
    event = Impression(1, "r", "u", 5, shown["surface"], shown["items"], served, item_attributes=attributes)
    found = Exposures(settings).get(Arrivals(settings).impression(event))
    assert found == ((0, 1), (meets(settings.experiment[0], shown), True))


def test_an_impression_counts_from_its_experiments_start_on() -> None:
    """To the millisecond, whatever the zone the start is written in; others are not touched."""
    starts = ("1970-01-01T00:00:01Z", "1970-01-01T02:00:02+02:00", "1970-01-01T00:00:02.0001Z", None)
    settings = settings_of(*({"start": start} for start in starts))
    exposures, arrivals = Exposures(settings), Arrivals(settings)
    found = {}
    for ts in (999, 1000, 1999, 2000, 2001):
        event = Impression(1, "r", "u", ts, "feed", ["i"], {f"e{k}": "b" for k in range(4)})
        found[ts] = [arm + 1 for arm in exposures.get(arrivals.impression(event))[0]]
    assert found == {
        999: [0, 0, 0, 2],
        1000: [2, 0, 0, 2],
        1999: [2, 0, 0, 2],
        2000: [2, 2, 0, 2],
        2001: [2, 2, 2, 2],
    }


@pytest.mark.parametrize("extra", [0, 1, 999])
def test_the_first_millisecond_is_not_before_the_start(extra: int) -> None:
    """Exact in any year and zone: no float holds these times to the microsecond."""
    zone = timezone(timedelta(hours=-7))
    start = datetime(2026, 11, 1, 12, 30, 15, 123_000 + extra, tzinfo=zone)
    ms = first_ms(start)
    assert ms == round(datetime(2026, 11, 1, 19, 30, 15, tzinfo=UTC).timestamp()) * 1000 + 123 + bool(extra)
