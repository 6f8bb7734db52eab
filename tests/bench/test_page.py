"""What `make bench` writes, and what it does when a benchmark fails."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
from rich.console import Console

from bench import __main__ as runner
from bench import page
from bench.measured import Measured
from tests.documents import ROOT

FAST = Measured("fast", 25.0, 20.0, "higher", "25 a second against 1")
SLOW = Measured("slow", 2.5, 1.6, "lower", "2.5 s against 1 s")
FACT = Measured("fact", 12_345.6, None, "higher", "1 s against hours")
HERE = "2 cores of a processor, torch 2."


@pytest.fixture
def written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder where results and page are written instead."""
    monkeypatch.setattr(page, "RESULTS", tmp_path / "results" / "latest.json")
    monkeypatch.setattr(page, "PAGE", tmp_path / "performance.md")
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    page.PAGE.write_text(f"before\n{page.BEGIN}\nold\n{page.END}\nafter\n", encoding="utf-8")
    return tmp_path


def modules(monkeypatch: pytest.MonkeyPatch, **found: list[Measured] | Exception) -> None:
    """Let the runner's modules be those named, each of which returns rows or fails."""

    def run_of(name: str) -> runner.Run:
        def run(scale: float) -> list[Measured]:
            outcome = found[name]
            if isinstance(outcome, Exception):
                raise outcome
            return outcome

        return run

    monkeypatch.setattr(runner, "MODULES", tuple(found))
    monkeypatch.setattr(runner, "run_of", run_of)


@pytest.mark.parametrize(
    ("better", "ratio", "expected"),
    [("higher", 0.49, "missed"), ("higher", 0.5, "reached"), ("lower", 0.5, "reached"), ("lower", 0.51, "missed")],
)
def test_a_goal_is_reached_on_its_good_side(better: str, ratio: float, expected: str) -> None:
    """A goal of 0.5 is a floor where higher is better and a ceiling where lower is; 0.5 itself reaches it."""
    assert page.verdict(Measured("a", ratio, 0.5, better, "")) == expected  # type: ignore[arg-type]


def test_the_json_has_the_agreed_keys_and_comes_back() -> None:
    """Each row is name, ratio, goal, better and detail; a fact's goal is null; what was written is read again."""
    text = page.encode([FAST, FACT])
    assert json.loads(text)[0] == {
        "name": "fast",
        "ratio": 25.0,
        "goal": 20.0,
        "better": "higher",
        "detail": "25 a second against 1",
    }
    assert json.loads(text)[1]["goal"] is None
    assert page.decode(page.encode([FAST, SLOW])) == [FAST, SLOW]


def test_the_table_says_ratio_goal_and_verdict() -> None:
    """A line of the page follows from its row alone."""
    lines = page.table([FAST, SLOW, FACT], HERE).splitlines()
    assert lines[0] == HERE
    assert lines[-3:] == [
        "| fast | 25 | at least 20 | reached | 25 a second against 1 |",
        "| slow | 2.5 | at most 1.6 | missed | 2.5 s against 1 s |",
        "| fact | 12,300 |  | a fact | 1 s against hours |",
    ]


def test_only_what_stands_between_the_marks_is_written_anew() -> None:
    """The prose by hand stays as it is, however often the page is written."""
    once = page.replaced(f"prose\n\n{page.BEGIN}\nold\n{page.END}\n\nmore prose\n", "new")
    assert once == f"prose\n\n{page.BEGIN}\n\nnew\n\n{page.END}\n\nmore prose\n"
    assert page.replaced(once, "new") == once


def test_a_page_without_marks_is_refused() -> None:
    """Prose by hand is never overwritten because a mark was lost."""
    with pytest.raises(ValueError, match=r"must hold '<!-- measured: end -->' once, got 0"):
        page.replaced(page.BEGIN, "new")


def test_the_environment_names_no_machine() -> None:
    """The page says cores, processor and libraries."""
    import platform

    assert " of " in page.environment()
    assert "torch " in page.environment()
    assert platform.node() not in page.environment()


def test_the_committed_page_shows_the_committed_results() -> None:
    """`docs/performance.md` has every row of `bench/results/latest.json`, as the runner would write it."""
    rows = page.decode((ROOT / page.RESULTS).read_text(encoding="utf-8"))
    text = (ROOT / page.PAGE).read_text(encoding="utf-8")
    assert rows
    assert page.table(rows, "").strip() in text


def test_the_others_run_where_one_cannot_be_measured() -> None:
    """A benchmark that fails, or is not there, is told of with exit code 1, and costs no other its row."""
    shown = io.StringIO()

    def load(name: str) -> runner.Run:
        if name == "broken":
            return runner.run_of("no_such_benchmark")
        return lambda scale: [FAST] if name == "live" else [SLOW]

    rows, whole = runner.measure(["broken", "live", "last"], 1.0, Console(file=shown), load)
    assert rows == [FAST, SLOW]
    assert not whole
    reason = "ModuleNotFoundError: No module named 'bench.no_such_benchmark'"
    assert shown.getvalue().splitlines()[0] == f"broken could not be measured: {reason}"


def test_a_failure_is_an_exit_code_and_the_rest_is_written(monkeypatch: pytest.MonkeyPatch, written: Path) -> None:
    """Exit code 1 where something failed, 0 where a goal was only missed; rows that came are written."""
    modules(monkeypatch, broken=ValueError("no broker"), good=[FAST])
    assert runner.main([]) == 1
    assert page.decode(page.RESULTS.read_text(encoding="utf-8")) == [FAST]
    modules(monkeypatch, missed=[SLOW])
    assert runner.main([]) == 0


def test_rows_that_were_not_measured_now_stay(monkeypatch: pytest.MonkeyPatch, written: Path) -> None:
    """`--only` changes its own rows in their places; a whole run begins anew."""
    modules(monkeypatch, first=[FAST, FACT], second=[SLOW])
    runner.main([])
    better = Measured("fast", 30.0, 20.0, "higher", "30 a second against 1")
    modules(monkeypatch, first=[better], second=[SLOW])
    runner.main(["--only", "first"])
    assert page.decode(page.RESULTS.read_text(encoding="utf-8"))[0] == better
    assert [row.name for row in page.decode(page.RESULTS.read_text(encoding="utf-8"))] == ["fast", "fact", "slow"]
    runner.main([])
    assert [row.name for row in page.decode(page.RESULTS.read_text(encoding="utf-8"))] == ["fast", "slow"]
    assert "| fast | 30 | at least 20 | reached |" in page.PAGE.read_text(encoding="utf-8")


def test_a_run_for_trying_writes_nothing(monkeypatch: pytest.MonkeyPatch, written: Path) -> None:
    """A scale below 1 changes neither results nor page."""
    modules(monkeypatch, good=[FAST])
    before = page.PAGE.read_text(encoding="utf-8")
    assert runner.main(["--scale", "0.1"]) == 0
    assert not page.RESULTS.exists()
    assert page.PAGE.read_text(encoding="utf-8") == before


@pytest.mark.parametrize("threads", ["2", None])
def test_other_threads_are_refused(monkeypatch: pytest.MonkeyPatch, written: Path, threads: str | None) -> None:
    """Both sides of every comparison run on one thread, or nothing is measured."""
    modules(monkeypatch, good=[FAST])
    if threads is None:
        monkeypatch.delenv("OMP_NUM_THREADS")
    else:
        monkeypatch.setenv("OMP_NUM_THREADS", threads)
    with pytest.raises(SystemExit):
        runner.main([])
