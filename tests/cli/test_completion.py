"""What the shell completes: commands, options, and names of the settings file."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest

from tests.cli.terminal import Terminal

SETTINGS = """
[events]
surfaces = ["feed", "search"]
[metrics]
windows = ["15m", "6h"]
[[variant]]
name = "title"
preference = "coclick"
dimension = 4
[[variant]]
name = "image"
preference = "coclick"
dimension = 4
[[experiment]]
name = "q4"
control = "a"
arm = [{ name = "a", share = 0.5 }, { name = "b", share = 0.5 }]
"""


@pytest.fixture
def config(tmp_path: Path) -> str:
    """A settings file with names to complete."""
    path = tmp_path / "lis-online.toml"
    path.write_text(SETTINGS)
    return str(path)


def completed(terminal: Terminal, monkeypatch: pytest.MonkeyPatch, line: str) -> list[str]:
    """Return what bash offers at the end of a line."""
    words = shlex.split(line) + ([""] if line.endswith(" ") else [])
    monkeypatch.setenv("_LIS_ONLINE_COMPLETE", "complete_bash")
    monkeypatch.setenv("COMP_WORDS", line)
    monkeypatch.setenv("COMP_CWORD", str(len(words) - 1))
    printed = terminal.run(*words[1:])
    assert (printed.code, printed.err) == (0, "")
    return printed.out.split()


@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("lis-online ev", ["evaluate"]),
        ("lis-online evaluate ", ["events", "mind", "open-bandit"]),
        ("lis-online evaluate events --met", ["--metric"]),
        ("lis-online evaluate events --metric ", ["auc", "gauc"]),
        ("lis-online worker j", ["join"]),
        ("lis-online history -c {config} --variant ", ["title", "image"]),
        ("lis-online vectors send x.npz -c {config} --variant t", ["title"]),
        ("lis-online review -c {config} ", ["q4"]),
        ("lis-online history -c {config} --slice ", ["all", "surface:feed", "surface:search", "arm:q4/a", "arm:q4/b"]),
        ("lis-online history -c {config} --window ", ["15m", "6h", "run", "overlap"]),
        ("lis-online rankers reset -c {config} unl", ["unleaked"]),
        ("lis-online checkpoints list --role ", ["join", "rank", "publish"]),
        ("lis-online topics peek --as f", ["feedback"]),
        ("lis-online dead-letters list --reason malf", ["malformed"]),
        ("lis-online simulate --scenario so", ["sources"]),
        ("lis-online history range --zone Europe/Berl", ["Europe/Berlin"]),
        ("lis-online history -c {config}.none --variant ", []),
    ],
)
def test_a_line_is_completed(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch, config: str, line: str, offered: list[str]
) -> None:
    """A settings file that is missing offers nothing, and says nothing in the middle of a line."""
    assert completed(terminal, monkeypatch, line.format(config=config)) == offered


def test_a_wrong_settings_file_offers_nothing(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """What is wrong with it is said when the command runs."""
    path = tmp_path / "wrong.toml"
    path.write_text("[kafka\n")
    assert completed(terminal, monkeypatch, f"lis-online history -c {path} --variant ") == []


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_script_of_a_shell_is_printed(terminal: Terminal, monkeypatch: pytest.MonkeyPatch, shell: str) -> None:
    """It asks lis-online itself, so that it is never older than the commands."""
    monkeypatch.setenv("_LIS_ONLINE_COMPLETE", f"source_{shell}")
    printed = terminal.run()
    assert (printed.code, printed.err) == (0, "")
    assert "_LIS_ONLINE_COMPLETE" in printed.out and f"complete_{shell}" in printed.out
