"""Which settings split a history, and which may change while it goes on."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import Engine, select

from lis_online.history.configuration import configuration_id, fingerprint
from lis_online.history.tables import configurations
from lis_online.history.writer import HistoryWriter
from lis_online.settings import Settings
from tests.history.streams import AT, SETTINGS, make_row

TABLE: dict[str, Any] = {
    "variant": [{"name": "v", "preference": "coclick", "dimension": 4}],
    "experiment": [
        {
            "name": "e",
            "control": "a",
            "arm": [{"name": "a", "share": 0.5}, {"name": "b", "share": 0.5, "variant": "v"}],
            "metric": [{"name": "ctr", "kind": "ratio", "numerator": "click", "denominator": "impression"}],
        }
    ],
}


def changed(change: Callable[[dict[str, Any]], object]) -> Settings:
    """Return the settings with a change of the experiment."""
    table = copy.deepcopy(TABLE)
    change(table["experiment"][0])
    return Settings.of(table)


READ = {
    "alpha": lambda e: e.update(alpha=0.01),
    "correction": lambda e: e.update(correction="none"),
    "tightest_at_users": lambda e: e.update(tightest_at_users=1000),
    "minimum_effect": lambda e: e["metric"][0].update(minimum_effect=0.5),
    "guardrail": lambda e: e["metric"][0].update(guardrail={"direction": "decrease", "margin": 0.01}),
    "share": lambda e: (e["arm"][0].update(share=0.9), e["arm"][1].update(share=0.1)),
    "variant": lambda e: e["arm"][0].update(variant="v"),
}
DECIDE = {
    "name": lambda e: e.update(name="f"),
    "start": lambda e: e.update(start="2019-11-12T00:00:00Z"),
    "cuped": lambda e: e.update(cuped=False),
    "trigger": lambda e: e.update(trigger={"surfaces": ["feed"]}),
    "arm": lambda e: e["arm"][1].update(name="c"),
    "cap": lambda e: e["metric"][0].update(cap=10),
    "metric": lambda e: e["metric"].append({"name": "likers", "kind": "proportion", "action": "like"}),
}


@pytest.mark.parametrize("key", READ)
def test_how_moments_are_read_splits_no_history(key: str) -> None:
    """A guardrail that is declared on Wednesday must not hide what came before."""
    assert fingerprint(changed(READ[key])) == fingerprint(Settings.of(TABLE))


@pytest.mark.parametrize("key", DECIDE)
def test_what_decides_numbers_splits_it(key: str) -> None:
    """Moments of two sets of users, or of other columns, are not comparable."""
    assert fingerprint(changed(DECIDE[key])) != fingerprint(Settings.of(TABLE))


@pytest.mark.postgres
def test_the_newest_settings_of_a_configuration_are_kept(history_engine: Engine) -> None:
    """A reader takes alpha and guardrails from the row; it stays one row."""
    for settings in (Settings.of(TABLE), changed(READ["guardrail"]), changed(READ["alpha"])):
        HistoryWriter(history_engine, settings).write([make_row(AT, 1)])
    with history_engine.connect() as connection:
        [stored] = connection.execute(select(configurations.c.settings)).scalars()
    assert (stored["experiment"][0]["alpha"], stored["experiment"][0]["metric"][0]["guardrail"]) == (0.01, None)


@pytest.mark.postgres
def test_a_note_says_what_a_configuration_was_made_from_until_a_worker_comes(history_engine: Engine) -> None:
    """Live numbers have none, and a backfill gives them none; live ones that join a backfill's take its note away."""
    HistoryWriter(history_engine, SETTINGS).write([make_row(AT, 1)])
    HistoryWriter(history_engine, SETTINGS, "backfill of x").write([make_row(AT, 1)])
    HistoryWriter(history_engine, Settings.of(TABLE), "backfill of y").write([make_row(AT, 1)])
    with history_engine.begin() as connection:
        notes = select(configurations.c.note).order_by(configurations.c.id)
        assert connection.execute(notes).scalars().all() == [None, "backfill of y"]
        configuration_id(connection, Settings.of(TABLE))
        assert connection.execute(notes).scalars().all() == [None, None]
