import json
from pathlib import Path

from studies.tasks import Task, results, run_tasks


def double(value: int, log: str) -> dict[str, int]:
    """Return twice a value; say that it was asked for."""
    with Path(log).open("a") as file:
        file.write(f"{value}\n")
    return {"value": 2 * value}


def test_what_has_a_result_is_not_run_again(tmp_path: Path) -> None:
    """A study goes on where it was stopped: a result that is there stays, whatever a new run would say."""
    log = tmp_path / "log"
    (tmp_path / "runs").mkdir()
    (tmp_path / "runs" / "a.json").write_text(json.dumps({"value": -1}))

    run_tasks(tmp_path / "runs", {name: Task(double, (n, str(log))) for n, name in enumerate("abc")}, jobs=1)

    assert results(tmp_path / "runs") == {"a": {"value": -1}, "b": {"value": 2}, "c": {"value": 4}}
    assert log.read_text() == "1\n2\n"


def test_a_run_that_was_killed_leaves_no_result(tmp_path: Path) -> None:
    """A result is written whole or not at all: what was being written is not read."""
    (tmp_path / "a.unfinished").write_text('{"val')

    assert results(tmp_path) == {}
    assert results(tmp_path / "not there") == {}
