"""`lis-online evaluate events`: a recorded log in, the summary out."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lis_online.settings import Settings
from lis_online.shards.pipeline import Pipeline
from lis_online.simulate.toml import to_toml
from tests.cli.terminal import Terminal
from tests.shards.village import feed, table

ROOT = Path(__file__).parents[2]
SHOWN = 120
"""Impressions of the log: half an hour."""

NUMBER = {"value", "stderr", "lower", "upper"}
NOTHING = {"value", "reason"}
MARKS = {"learning_noise", "samples_to_resolve", "pairs", "left_out"}


@cache
def lines() -> bytes:
    """Return the log as JSON lines."""
    out, shown = [], 0
    for topic, value in feed():
        shown += topic == "impressions"
        if shown > SHOWN:
            break
        out.append(b'{"topic":"%s","value":%s}\n' % (topic.encode(), value or b"null"))
    return b"".join(out)


@cache
def expected(metric: str = "auc") -> dict[str, Any]:
    """Return the summary of the three shards over the log, as it comes out of JSON."""
    tables = table()
    pipeline = Pipeline(Settings.of({**tables, "metrics": {**tables["metrics"], "metric": metric}}))
    for line in lines().splitlines():
        record = json.loads(line)
        pipeline.update(record["topic"], json.dumps(record["value"]).encode())
    pipeline.finish()
    summary: dict[str, Any] = json.loads(json.dumps(pipeline.summary()))
    return summary


@pytest.fixture
def log(tmp_path: Path) -> str:
    """The path of the recorded log."""
    path = tmp_path / "events.jsonl"
    path.write_bytes(lines())
    return str(path)


@pytest.fixture
def config(tmp_path: Path) -> str:
    """The path of the settings."""
    path = tmp_path / "lis-online.toml"
    path.write_text(to_toml(table()), encoding="utf-8")
    return str(path)


def npz(folder: Path, dimension: int = 3, **arrays: np.ndarray) -> str:
    """Return the path of a file of vectors of two items."""
    path = folder / "vectors.npz"
    np.savez(path, **(arrays or {"item_id": np.array(["a", "b"]), "vector": np.ones((2, dimension), np.float32)}))
    return str(path)


def test_json_is_the_summary_in_its_documented_shape(terminal: Terminal, log: str, config: str) -> None:
    """Keys exactly: dashboards and scripts are written against them. Standard output is the JSON alone."""
    printed = terminal.run("evaluate", "events", log, "-c", config, "--json")
    assert (printed.code, printed.err) == (0, "")
    summary = json.loads(printed.out)
    assert summary == expected()
    assert list(summary) == [
        "samples", "slates", "from", "to", "events", "set_aside", "unleaked", "twin", "effective_users",
        "sources", "variants", "arms", "experiments",
    ]  # fmt: skip
    assert list(summary["events"]) == ["accepted", "late", "duplicate", "dead_letters"]
    assert list(summary["unleaked"]) == ["auc", "gauc"]
    assert list(summary["sources"]) == ["full", "noise", "coclick"]
    assert list(summary["variants"]) == ["good", "random"]
    assert {arm: list(numbers) for arm, numbers in summary["arms"]["mllm-q4"].items()} == {
        arm: ["users", "impressions", "ctr"] for arm in ("control", "treatment")
    }
    experiment = summary["experiments"]["mllm-q4"]
    assert list(experiment) == [
        "control", "alpha", "correction", "sample_ratio", "arms", "comparisons", "guardrails", "reason",
    ]  # fmt: skip
    assert list(experiment["arms"]["treatment"]) == ["variant", "share", "users", "assigned", "crossed"]
    for source in summary["sources"].values():
        assert list(source) == ["lis", "past", "future", "placebo", "adjusted_lis", "bound", "coverage"]
    for variant in summary["variants"].values():
        assert list(variant) == [
            "source", "version", "ais", "adjusted_ais", "efficiency", "coverage", "pair_alignment",
            "diagnosis", "sentence",
        ]  # fmt: skip


def test_every_number_has_an_interval_or_a_reason() -> None:
    """N is value, standard error and interval, or no value and why; never a NaN."""
    summary = expected()
    numbers = [*summary["unleaked"].values(), summary["twin"]]
    for entry in (*summary["sources"].values(), *summary["variants"].values(), *summary["arms"]["mllm-q4"].values()):
        numbers += [number for number in entry.values() if isinstance(number, dict)]
    assert len(numbers) == 3 + 3 * 6 + 2 * 4 + 2
    assert all("samples_to_resolve" in source["lis"] for source in summary["sources"].values())
    for number in numbers:
        assert set(number) - MARKS == (NOTHING if number["value"] is None else NUMBER)
        assert number["value"] is None or number["lower"] <= number["value"] <= number["upper"]


def test_a_pipe_gives_the_same_numbers_as_a_file(config: str) -> None:
    """`zcat events.jsonl.gz | lis-online evaluate events - ...`, as a process of its own."""
    command = [sys.executable, "-m", "lis_online", "evaluate", "events", "-", "-c", config, "--json"]
    done = subprocess.run(command, cwd=ROOT, input=lines(), capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, b"")
    assert json.loads(done.stdout) == expected()


def test_gauc_replaces_the_metric_of_lis_and_its_kin(terminal: Terminal, log: str, config: str) -> None:
    """The unleaked ranker is reported by both in any case; LIS, AIS and the twin change."""
    summary = json.loads(terminal.run("evaluate", "events", log, "-c", config, "--metric", "gauc", "--json").out)
    assert summary == expected("gauc")
    assert summary["unleaked"] == expected()["unleaked"]
    for name, source in summary["sources"].items():
        assert source["lis"]["value"] != expected()["sources"][name]["lis"]["value"]
        assert source["coverage"] == expected()["sources"][name]["coverage"]


def test_the_table_shows_sources_variants_and_arms(
    terminal: Terminal, config: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a person reads, also from a pipe; a log with no impression has dashes and reasons."""
    empty = io.TextIOWrapper(io.BytesIO(b""))
    monkeypatch.setattr(sys, "stdin", empty)
    printed = terminal.run("evaluate", "events", "-", "-c", config)
    assert (printed.code, printed.err) == (0, "")
    for word in ("Variants", "Preference sources", "full", "coclick", "good", "random", "insufficient_data"):
        assert word in printed.out
    assert "0 slates, 0 samples" in printed.out and "no samples after the warm-up" in " ".join(printed.out.split())


def test_a_variant_of_the_command_line_joins_the_first_source(terminal: Terminal, tmp_path: Path) -> None:
    """Without a settings file: the co-click source and the variants given."""
    path = tmp_path / "empty.jsonl"
    path.write_bytes(b"")
    summary = json.loads(
        terminal.run("evaluate", "events", str(path), "--representation", f"v={npz(tmp_path)}", "--json").out
    )
    assert list(summary["sources"]) == ["coclick"]
    assert summary["variants"]["v"]["source"] == "coclick" and summary["variants"]["v"]["coverage"] is None


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (None, "cannot be read: "),
        (b"not a log\n", "line 1: must be "),
        (b'{"topic":"clicks","value":{}}\n', "topic must be one of"),
    ],
)
def test_a_log_that_cannot_be_read_is_refused(
    terminal: Terminal, tmp_path: Path, config: str, content: bytes | None, sentence: str
) -> None:
    """One line with the path; no traceback, no empty summary."""
    path = tmp_path / "other.jsonl"
    if content is not None:
        path.write_bytes(content)
    line = terminal.refused("evaluate", "events", str(path), "-c", config, "--json")
    assert str(path) in line and sentence in line


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ("title", "--representation must be NAME=PATH, got 'title'"),
        ("=x.npz", "--representation must be NAME=PATH, got '=x.npz'"),
        ("title=/nowhere.npz", "/nowhere.npz: cannot be read: No such file or directory"),
    ],
)
def test_a_wrong_representation_is_refused(terminal: Terminal, log: str, given: str, sentence: str) -> None:
    """Before the log is read: a night's run must not end with it."""
    assert terminal.refused("evaluate", "events", log, "--representation", given).startswith(sentence)


def test_vectors_that_do_not_fit_are_refused(terminal: Terminal, log: str, config: str, tmp_path: Path) -> None:
    """Twice the same name, other arrays, another dimension than the settings say."""
    path = npz(tmp_path)
    twice = ["--representation", f"v={path}", "--representation", f"v={path}"]
    assert "names must differ, got 'v' twice" in terminal.refused("evaluate", "events", log, *twice)
    line = terminal.refused("evaluate", "events", log, "-c", config, "--representation", f"good={path}")
    assert line == "--representation good must have dimension 32 (of the settings), got 3"
    other = npz(tmp_path, item=np.array(["a"]))
    line = terminal.refused("evaluate", "events", log, "--representation", f"v={other}")
    assert line == f"{other}: must hold the arrays item_id and vector, got ['item']"


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("preference = []", "variant v: preference must be one of [], got 'coclick'"),
        ("preference = 5", "preference: must be a valid list, got 5"),
        ("[[preference]]\nkind = 'topic'", "preference.0.name: is missing"),
        ("metrics = 5", "metrics: must be a table, got 5"),
        ("variant = ['x']", "variant.0: must be a table, got 'x'"),
        ("variant = 'x'", "variant: must be a valid list, got 'x'"),
        ("[leakage]\nfolds = 1", "leakage.folds: must be >= 2, got 1"),
        ("[leakage", "is not TOML: "),
    ],
)
def test_wrong_settings_are_refused_in_one_line(terminal: Terminal, tmp_path: Path, text: str, sentence: str) -> None:
    """Whatever their shape: options are worked into tables that nothing has checked yet."""
    path = tmp_path / "wrong.toml"
    path.write_text(text, encoding="utf-8")
    options = ["-c", str(path), "--representation", f"v={npz(tmp_path)}", "--metric", "gauc"]
    assert terminal.refused("evaluate", "events", "-", *options).startswith(f"{path}: {sentence}")


def test_an_unknown_metric_is_a_usage_error(terminal: Terminal, log: str) -> None:
    """The command says which there are."""
    printed = terminal.run("evaluate", "events", log, "--metric", "acc")
    assert printed.code == 2 and printed.out == ""
    assert "auc" in printed.err and "gauc" in printed.err and "Traceback" not in printed.err


def test_what_is_refused_is_told_with_the_first_reason(terminal: Terminal, log: str) -> None:
    """A log whose sources and variants the settings do not name: a count of dead letters alone explains nothing."""
    printed = terminal.run("evaluate", "events", log)
    assert printed.code == 0
    assert " of preferences refused, unknown_source: source must be one of [], got " in printed.err
    assert " of representations refused, unknown_variant: variant must be one of [], got " in printed.err


def test_a_log_shorter_than_the_warm_up_says_how_long_both_are(terminal: Terminal, log: str, config: str) -> None:
    """No number comes of it, and more of the same would not help."""
    assert "warm-up of 390m from the first on" in terminal.run("evaluate", "events", log).err
    assert terminal.run("evaluate", "events", log, "-c", config).err == ""
