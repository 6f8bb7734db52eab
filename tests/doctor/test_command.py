"""`lis-online doctor`: what it says of a machine, and its exit code."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from sqlalchemy import Engine, make_url, text

from lis_online.doctor.machine import checkpoint_bytes, disk
from lis_online.history.engine import build_engine
from lis_online.history.rights import lacking_rights
from lis_online.history.roles import grant_writer
from lis_online.history.schema import upgrade
from lis_online.settings import Settings
from lis_online.simulate.toml import to_toml
from tests.cli.terminal import Terminal


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Terminal:
    """A terminal."""
    return Terminal(monkeypatch, capfd)


def test_dead_broker_and_database_are_wrong_and_the_rest_is_looked_at(terminal: Terminal, tmp_path: Path) -> None:
    """Exit code 1, every other check done, and what to change."""
    config = tmp_path / "lis-online.toml"
    table = {
        "kafka": {"bootstrap": "127.0.0.1:1"},
        "history": {"url": "postgresql+psycopg://lis@127.0.0.1:1/lis"},
        "checkpoints": {"directory": str(tmp_path / "checkpoints")},
        "training": {"device": "cpu"},
    }
    config.write_text(to_toml(table))
    printed = terminal.run("doctor", "--json", "-c", str(config))
    found = json.loads(printed.out)
    assert (printed.code, found["state"]) == (1, "wrong")
    states = {one["check"]: one["state"] for one in found["findings"]}
    assert {check: states[check] for check in ("brokers", "history", "device")} == {
        "brokers": "wrong",
        "history": "wrong",
        "device": "ok",
    }
    told = terminal.run("doctor", "-c", str(config))
    assert told.code == 1
    assert "WRONG   brokers: kafka.bootstrap must name a broker that answers" in told.out
    assert "        set kafka.bootstrap" in told.out


def test_settings_that_are_wrong_are_exit_code_2(terminal: Terminal, tmp_path: Path) -> None:
    """Nothing is looked at with settings that say nothing."""
    config = tmp_path / "lis-online.toml"
    config.write_text("[kafka]\npartitions = 0\n")
    assert "kafka.partitions" in terminal.refused("doctor", "-c", str(config))


@pytest.mark.postgres
def test_rights_that_a_role_lacks_are_named(history_engine: Engine, postgres_url: str) -> None:
    """The owner lacks none, nor does a writer of `db grant-writer`, until one is taken away."""
    assert lacking_rights(history_engine) == []
    name = f"writer_{history_engine.url.database}"
    grant_writer(history_engine, name)
    writer = build_engine(str(make_url(postgres_url).update_query_dict({"options": f"-c role={name}"})))
    try:
        assert lacking_rights(writer) == []
        with history_engine.begin() as connection:
            connection.execute(text(f"REVOKE INSERT ON buckets FROM {name}"))
        assert lacking_rights(writer) == ["INSERT on buckets"]
    finally:
        writer.dispose()
        with history_engine.begin() as connection:
            connection.execute(text(f"DROP OWNED BY {name}"))
            connection.execute(text(f"DROP ROLE {name}"))


@pytest.mark.postgres
def test_history_is_well_once_it_is_upgraded(terminal: Terminal, tmp_path: Path, empty_database: Engine) -> None:
    """An empty database is named with the command that mends it."""
    config = tmp_path / "lis-online.toml"
    url = empty_database.url.render_as_string(hide_password=False)
    config.write_text(to_toml({"kafka": {"bootstrap": "127.0.0.1:1"}, "history": {"url": url}}))

    def history() -> dict[str, str]:
        found = json.loads(terminal.run("doctor", "--json", "-c", str(config)).out)["findings"]
        return next(one for one in found if one["check"] == "history")

    assert (history()["state"], "run `lis-online db upgrade`" in history()["said"]) == ("wrong", True)
    upgrade(empty_database)
    assert history()["state"] == "ok"


def test_folder_that_cannot_be_written_is_wrong(tmp_path: Path) -> None:
    """A file where a folder should be; an object store is not this machine's disk."""
    (tmp_path / "file").write_text("")

    def look(directory: str) -> str:
        return disk(Settings.of({"checkpoints": {"directory": directory}})).state

    assert look(str(tmp_path / "file" / "checkpoints")) == "wrong"
    assert look(str(tmp_path / "file")) == "wrong"
    assert look("s3://bucket/lis") == "ok"


def test_room_for_checkpoints_grows_with_the_sketches() -> None:
    """Twice the sources, twice the bytes; a bit more is twice as much."""
    one, two = Settings.of({}), Settings.of({"preference": [{"name": "a"}, {"name": "b"}]})
    more = Settings.of({"leakage": {"sketch_bits": 23}})
    assert checkpoint_bytes(two) == checkpoint_bytes(more) == 2 * checkpoint_bytes(one)
    assert checkpoint_bytes(one) == 4 * 600_000_000
