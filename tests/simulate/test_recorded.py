from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from lis_online.errors import UsageError
from lis_online.events.recorded_log import read
from lis_online.settings import load
from lis_online.simulate.recorded import generate, truth, write
from lis_online.simulate.scenarios import scenario


def test_files_are_the_log_the_settings_and_the_truth(tmp_path: Path) -> None:
    """The log is read back record by record, the settings load, the truth is the scenario's."""
    chosen = scenario("quiet")
    told: list[int] = []
    write(chosen, 50, 3, tmp_path / "new" / "folder", progress=told.append)
    folder = tmp_path / "new" / "folder"
    written = [(topic, value) for topic, value in read(str(folder / "events.jsonl"))]
    assert written == [(topic, value) for _, topic, value in generate(chosen, 50, 3)]
    assert [source.name for source in load(folder / "lis-online.toml").preference] == ["full", "noise", "coclick"]
    assert json.loads((folder / "truth.json").read_text()) == truth(chosen)
    assert sum(told) == 50


def test_no_slates_are_refused() -> None:
    """An empty log is a mistake, said before anything is written."""
    with pytest.raises(UsageError, match="slates must be >= 1, got 0"):
        next(generate(scenario("quiet"), 0, 1))


def test_command_writes_the_same_files_twice(tmp_path: Path) -> None:
    """`lis-online simulate` is deterministic and says how to evaluate what it wrote."""
    from lis_online.cli.main import app

    logs = []
    for name in ("one", "two"):
        arguments = ["simulate", "--scenario", "quiet", "--slates", "30", "--seed", "5", "--out", str(tmp_path / name)]
        result = CliRunner().invoke(app, arguments)
        assert result.exit_code == 0, result.output
        assert "lis-online evaluate events" in result.stdout
        logs.append((tmp_path / name / "events.jsonl").read_bytes())
    assert logs[0] == logs[1]
