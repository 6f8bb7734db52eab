"""`lis-online config`: what is wrong with settings, before anything is started with them."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.terminal import Terminal

GOOD = """
[privacy]
user_key = "hush-hush, sixteen"
[kafka]
security_protocol = "SASL_SSL"
sasl_mechanism = "PLAIN"
username = "lis"
password = "hush-hush"
[history]
url = "postgresql://lis:hush-hush@db/lis"
[[variant]]
name = "title"
preference = "coclick"
dimension = 64
[[experiment]]
name = "e"
control = "a"
[[experiment.arm]]
name = "a"
share = 0.5
[[experiment.arm]]
name = "b"
share = 0.5
variant = "title"
"""


def written(folder: Path, text: str) -> str:
    """Return the path of a settings file."""
    path = folder / "lis-online.toml"
    path.write_text(text, encoding="utf-8")
    return str(path)


def test_good_settings_are_said_to_be_good(terminal: Terminal, tmp_path: Path) -> None:
    """What they ask for, so that a missing source or variant is noticed."""
    printed = terminal.run("config", "check", "-c", written(tmp_path, GOOD))
    assert (printed.code, printed.err) == (0, "")
    assert printed.out == (
        "settings are good: 1 preference sources, 1 variants, 1 experiments; 8 rankers in 6 slices\n"
    )


def test_settings_without_a_key_are_good_and_say_what_that_means(terminal: Terminal) -> None:
    """The defaults are for trying things out: one sentence on standard error, and exit code 0."""
    printed = terminal.run("config", "check")
    assert printed.code == 0
    assert printed.err == (
        "lis-online: privacy.user_key is not set: whoever knows the id of a user can find the user in logs and "
        "checkpoints; LIS_PRIVACY__USER_KEY takes one, of 16 random bytes or more\n"
    )


def test_bad_settings_are_named_key_by_key_in_one_line(terminal: Terminal, tmp_path: Path) -> None:
    """All of them, with rule and value; exit code 2."""
    path = written(tmp_path, "[leakage]\nfolds = 1\nfold = 8\n[metrics]\nmetric = 'acc'\n[[variant]]\nname = 'v'\n")
    assert terminal.refused("config", "check", "-c", path) == (
        f"{path}: leakage.folds: must be >= 2, got 1; leakage.fold: is not a setting, but folds is; "
        "metrics.metric: must be 'auc' or 'gauc', got 'acc'; variant.0.preference: is missing; "
        "variant.0.dimension: is missing"
    )


def test_the_environment_is_checked_with_the_file(
    terminal: Terminal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An override obeys the same rules, and a misspelt one is noticed."""
    path = written(tmp_path, GOOD)
    monkeypatch.setenv("LIS_LEAKAGE__FOLDS", "1")
    monkeypatch.setenv("LIS_LEAKAGE_HORIZON", "1h")
    assert terminal.refused("config", "check", "-c", path) == (
        f"{path}: leakage.folds: must be >= 2, got '1'; LIS_LEAKAGE_HORIZON: is not a setting: "
        "a variable is LIS_TABLE__KEY"
    )


def test_settings_are_shown_whole_and_secrets_masked(terminal: Terminal, tmp_path: Path) -> None:
    """What came out of file, environment and defaults, as JSON that a script can read."""
    printed = terminal.run("config", "show", "-c", written(tmp_path, GOOD))
    shown = json.loads(printed.out)
    assert shown["variant"] == [{"name": "title", "preference": "coclick", "dimension": 64, "versions": 2}]
    assert shown["leakage"]["horizon"] == 1_800_000
    assert shown["kafka"]["password"] == shown["history"]["url"] == shown["privacy"]["user_key"] == "**********"
    assert "hush-hush" not in printed.out + printed.err


def test_checking_settings_loads_nothing_heavy(tmp_path: Path) -> None:
    """An editor's hook or a deployment runs it often, on machines that have no torch."""
    code = (
        "import sys\nfrom lis_online.cli.main import run\ntry: run()\n"
        "except SystemExit as end: assert not end.code, end.code\n"
        "print(*{'torch', 'numba', 'faust', 'kafka', 'sqlalchemy', 'pyarrow'} & set(sys.modules))"
    )
    arguments = [sys.executable, "-c", code, "config", "check", "-c", written(tmp_path, GOOD)]
    done = subprocess.run(arguments, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[1:] == [""]


@pytest.mark.parametrize("command", ["check", "show"])
def test_a_missing_file_is_said_to_be_missing(terminal: Terminal, tmp_path: Path, command: str) -> None:
    """Nothing falls back to the defaults in silence."""
    path = tmp_path / "nowhere.toml"
    assert (
        terminal.refused("config", command, "-c", str(path))
        == f"{path}: cannot read the file: No such file or directory"
    )
