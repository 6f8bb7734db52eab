"""The worked example: a short alignment brings preferred pairs together, and the whole of it runs."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from rich.console import Console

from examples.text_alignment import steps as example
from examples.text_alignment.aligning import TEMPERATURE, align, info_nce
from examples.text_alignment.cases import mind, simulated
from examples.text_alignment.embedding import words
from examples.text_alignment.pairs import coclicks, in_sequence
from lis_online.errors import UsageError
from lis_online.metrics.estimate import Estimate
from tests.cli.conftest import terminal
from tests.cli.terminal import Terminal
from tests.documents import ROOT

__all__ = ["terminal"]


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


def pairs_of(group: np.ndarray, count: int, rng: np.random.Generator) -> np.ndarray:
    """Return pairs of items of one group each, rows [count, 2]."""
    first = rng.integers(0, len(group), count)
    found = [(a, rng.choice(np.flatnonzero(group == group[a]))) for a in first.tolist()]
    return np.array([(a, b) for a, b in found if a != b])


def test_alignment_raises_the_similarity_of_pairs_it_has_not_seen() -> None:
    """Groups hide in four of sixteen directions under louder noise; the held-out pairs and new items both tell."""
    rng = np.random.default_rng(3)
    group = rng.integers(0, 8, 400)
    vectors = np.concatenate([rng.standard_normal((8, 4))[group], 1.5 * rng.standard_normal((400, 12))], axis=1)
    vectors = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)
    known, new = np.arange(300), np.arange(300, 400)
    found = align(vectors, pairs_of(group[known], 3_000, rng), steps=75)
    assert found.before + 0.1 < found.after
    mapped = found.apply(vectors)[new]
    assert np.allclose(np.linalg.norm(mapped, axis=1), 1, atol=1e-5)
    same = group[new][:, None] == group[new][None, :]
    apart = ~np.eye(100, dtype=bool)

    def contrast(some: np.ndarray) -> float:
        cosine = some @ some.T
        return float(cosine[same & apart].mean() - cosine[~same].mean())

    assert contrast(mapped) > 2 * contrast(vectors[new])


def test_alignment_on_pairs_without_meaning_changes_nothing_much() -> None:
    """The best on the held-out pairs is kept: with nothing to find, it stays where it was, about a half."""
    rng = np.random.default_rng(4)
    vectors = rng.standard_normal((200, 8)).astype(np.float32)
    found = align(vectors, rng.integers(0, 200, (2_000, 2)), steps=50)
    assert abs(found.after - 0.5) < 0.08
    assert found.pairs + found.held_out == 2_000 and 500 < found.held_out < 1_000  # an item in five, on either side


def test_the_loss_is_that_of_its_definition() -> None:
    """Against loops, with an item that is in two pairs and so is no negative of itself."""
    rng = np.random.default_rng(5)
    items, matrix = rng.standard_normal((5, 3)), rng.standard_normal((3, 3))
    pairs = [(0, 1), (2, 3), (0, 4)]
    unit = (items @ matrix) / np.linalg.norm(items @ matrix, axis=1, keepdims=True)
    total = 0.0
    for k, pair in enumerate(pairs):
        for side in (0, 1):
            others = [p for j, p in enumerate(pairs) if j == k or (p[0] != pair[0] and p[1] != pair[1])]
            exponents = [unit[pair[side]] @ unit[p[1 - side]] / TEMPERATURE for p in others]
            total += np.log(np.exp(exponents).sum()) - unit[pair[0]] @ unit[pair[1]] / TEMPERATURE
    got = info_nce(torch.tensor(items), torch.tensor(pairs), torch.tensor(matrix))
    assert float(got) == pytest.approx(total / 6)


def test_pairs_are_of_one_user_within_the_gap() -> None:
    """The last five clicks; likes are none; an item makes no pair with itself."""
    rows = [("u", "a", 0, "click"), ("v", "b", 1, "click"), ("u", "c", 5, "click"), ("u", "d", 6, "like"),
            ("u", "c", 7, "click"), ("u", "e", 100, "click")]  # fmt: skip
    log = [("impressions", b"{}")]
    for user, item, ts, action in rows:
        event = {"user_id": user, "item_id": item, "ts": ts, "action": action}
        log.append(("feedback", json.dumps(event).encode()))
    assert coclicks(log, gap=10) == [("a", "c"), ("a", "c")]
    assert coclicks(log, gap=95) == [("a", "c"), ("a", "c"), ("c", "e"), ("c", "e")]
    assert len(in_sequence("abcdefgh")) == 0 + 1 + 2 + 3 + 4 + 5 + 5 + 5


def test_nothing_of_the_evaluated_time_is_aligned_on() -> None:
    """The clicks that are aligned on lie before every event of the log; all together are the feed's."""
    case = simulated(words, "words", 600, seed=2)
    times = [json.loads(value)["ts"] for _, value in case.log]
    whole = simulated(words, "words", 600, seed=2)
    assert case.pairs == whole.pairs and case.pairs
    later = {json.loads(value)["request_id"] for topic, value in case.log if topic == "impressions"}
    assert 200 < len(later) < 500 and max(times) - min(times) > 0
    clicked_later = coclicks(case.log, gap=10**9)
    assert len(case.pairs) < 2 * len(clicked_later)
    assert case.texts[0].count(" and ") == 1 and len(case.texts) == len(case.items) == len(case.vectors)


def test_the_whole_example_runs_on_a_tiny_feed(terminal: Terminal, tmp_path: Path) -> None:
    """No model is needed; what it writes can be evaluated by hand, with the same numbers."""
    case = simulated(words, "words", 900, seed=1)
    case.settings["leakage"] |= {"horizon": "3m", "memory": "4m", "sketch_bits": 12}
    case.settings["metrics"] |= {"warm_up": "1s", "min_effective_users": 5}
    case.settings["training"] = {"embedding": 4, "hidden": [8], "user_bits": 8, "item_bits": 8}
    console = Console(record=True, width=150, force_terminal=False, file=(tmp_path / "said").open("w"))
    try:
        outcome = example.run(case, tmp_path, console, steps=20)
    finally:
        console.file.close()
    said = console.export_text()
    assert said.count("\nsent ") == 2 and "words-aligned less words, on the same samples: " in said
    variants = outcome.summary["variants"]
    assert list(variants) == ["words", "words-aligned"]
    difference = variants["words-aligned"]["ais"]["value"] - variants["words"]["ais"]["value"]
    assert outcome.more.value == pytest.approx(difference, abs=1e-9)
    written = json.loads((tmp_path / "outcome.json").read_text())
    assert written["variants"]["words"]["ais"] == variants["words"]["ais"]
    by_hand = terminal.run(
        "evaluate",
        "events",
        str(tmp_path / "with-words-aligned.jsonl"),
        "-c",
        str(tmp_path / "lis-online.toml"),
        "--json",
    )
    assert json.loads(by_hand.out) == json.loads(json.dumps(outcome.summary))


BEHAVIORS = [
    f"{n}\tU{n % 40}\t11/12/2019 {n // 60 + 1}:{n % 60:02d}:00 AM\tN{n % 7} N{n % 5} N{n % 9}\tN{n % 8}-1 N9-0"
    for n in range(300)
]
"""Lines in MIND's format, one a minute."""


def test_real_titles_are_read_where_they_are(tmp_path: Path) -> None:
    """MIND's two files; without titles its vectors, and a sentence where there is neither."""
    (tmp_path / "behaviors.tsv").write_text("\n".join(BEHAVIORS))
    with pytest.raises(UsageError, match=r"--data must hold news\.tsv or title-svd64\.npz"):
        mind(tmp_path, words, "words")
    np.savez(tmp_path / "title-svd64.npz", item_id=np.array(["N1"]), vector=np.ones((1, 2), np.float16))
    case = mind(tmp_path, words, "words")
    assert (case.name, case.items, case.texts) == ("title", ["N1"], ())
    (tmp_path / "above").mkdir()
    (tmp_path / "above" / "mind-sample").symlink_to(tmp_path)
    assert mind(tmp_path / "above", words, "words").pairs == case.pairs
    with pytest.raises(UsageError, match="the earlier part must hold 100 pairs of items with vectors, got 0"):
        example.run(case, tmp_path / "out", Console(quiet=True))
    (tmp_path / "news.tsv").write_text("".join(f"N{n}\tnews\tworld\tTitle {n}\tAbstract\n" for n in range(10)))
    case = mind(tmp_path, words, "words")
    assert (case.name, case.texts[3], len(case.items)) == ("words", "Title 3", 10)
    split = min(json.loads(value)["ts"] for _, value in case.log)
    impressions = [json.loads(value) for topic, value in case.log if topic == "impressions"]
    assert len(impressions) == 180 and min(one["ts"] for one in impressions) == split
    (tmp_path / "news.tsv").write_text("N1\tnews\n")
    with pytest.raises(UsageError, match="line 1: must have id, category, subcategory and title"):
        mind(tmp_path, words, "words")


@pytest.mark.parametrize(
    ("more", "sentence"),
    [
        (Estimate.of(0.01, 1e-6), "+0.0100 [0.0080, 0.0120]. Aligning on co-clicks helped."),
        (Estimate.of(-0.01, 1e-6), "-0.0100 [-0.0120, -0.0080]. Aligning on co-clicks hurt."),
        (Estimate.of(0.01, 1e-2), "These clicks do not tell whether aligning helped."),
        (Estimate.none("no samples"), "on the same samples: none, no samples."),
    ],
)
def test_the_answer_says_no_more_than_the_interval(more: Estimate, sentence: str) -> None:
    """An interval that holds 0 is no answer."""
    none = {"ais": {"value": None, "reason": "no samples"}}
    aligned = align(np.eye(4, dtype=np.float32), np.tile([[0, 1]], (10, 1)), steps=0)
    outcome = example.Outcome(aligned, {"variants": {"a": none, "b": none}}, more)
    assert example.answer(outcome, "a", "b").endswith(sentence)


COMMAND = [sys.executable, "-m", "examples.text_alignment", "--model", "words", "--slates", "500", "--out"]


def test_a_folder_that_is_a_file_is_one_sentence(tmp_path: Path) -> None:
    """What a person can mend is no traceback."""
    (tmp_path / "taken").write_text("")
    with pytest.raises(UsageError, match=r"--out must be a folder that can be written to, got \S+taken: File exists"):
        example.make_folder(tmp_path / "taken")


def test_ctrl_c_is_one_sentence(tmp_path: Path) -> None:
    """Whoever stops it learns that nothing has to be cleared away."""
    with subprocess.Popen(
        [*COMMAND, str(tmp_path)], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert "items, for example" in process.stdout.readline()
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=60)
    assert (process.returncode, said) == (130, f"example: stopped; start it again, and it begins anew in {tmp_path}\n")
