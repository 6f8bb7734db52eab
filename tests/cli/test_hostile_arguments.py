"""Every command, with every option wrong in every way: a sentence and exit code 2, never a traceback."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args
from zlib import crc32

import pytest
import typer

from lis_online.cli.main import app
from lis_online.errors import UsageError
from tests.cli.terminal import Terminal

NUMBERS = ("-1", "0", "9" * 30, "9" * 5000, "nan", "inf", "1e400", "x", "")
TEXTS = ("", " ", "x" * 10_000, "\x1b[31m", "\udcff", "²", "../..", "a/b/c", "9" * 5000, "-", "=", "a=", "=a", "a=b")
TIMES = ("soon", "2026-13-01T00:00Z", "0001-01-01T00:00", "9999-12-31T23:59:59-23:59", "0001-01-01T00:00+14:00")
ZONES = ("Mars/Olympus", "", "..", "/etc/passwd", "x" * 5000, "\x00", "Europe")


def leaves(command: Any, names: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Yield every command with its words."""
    if hasattr(command, "commands"):
        for name, inner in command.commands.items():
            yield from leaves(inner, (*names, name))
    else:
        yield names, command


COMMANDS = dict(leaves(typer.main.get_command(app)))


def is_option(parameter: Any) -> bool:
    """Say whether it is given by name."""
    return bool(parameter.param_type_name == "option")


@pytest.fixture
def files(tmp_path: Path) -> dict[str, str]:
    """Paths that are not what they should be."""
    binary, text = tmp_path / "binary", tmp_path / "broken.toml"
    binary.write_bytes(b"\x00\xff\xfe\x80" * 100)
    text.write_text("[kafka\nbootstrap = 1")
    good = tmp_path / "dead.toml"
    good.write_text(
        '[kafka]\nbootstrap = "127.0.0.1:1"\n[history]\nurl = "postgresql+psycopg://lis@127.0.0.1:1/lis"\n'
        f'[checkpoints]\ndirectory = "{tmp_path / "checkpoints"}"\n[http]\nport = 0\n'
    )
    return {
        "missing": str(tmp_path / "missing" / "file"),
        "folder": str(tmp_path),
        "binary": str(binary),
        "text": str(text),
        "below": str(binary / "file"),
        "long": str(tmp_path / ("x" * 300)),
        "good": str(good),
    }


def values(parameter: Any, files: dict[str, str]) -> list[str]:
    """Return what to try for an option or argument."""
    name, kind = parameter.name or "", parameter.type_descriptor.annotation
    paths = [path for key, path in files.items() if key != "good"]
    if name == "config" or kind is Path or "path" in name:
        return paths
    if kind in (int, float):
        return list(NUMBERS)
    if name == "zone":
        return list(ZONES)
    if name in ("start", "end", "at", "until", "now", "since", "before"):
        return [*TIMES, *TEXTS[:5]]
    return [*TEXTS, *paths[:2]]


def sampled(tried: list[str], name: str) -> list[str]:
    """Return two of the values, others for each parameter: over all commands every value has its turn."""
    step = max(1, len(tried) // 2)
    return tried[crc32(name.encode()) % step :: step][:2]


def arguments(command: Any, files: dict[str, str], changed: str, value: str) -> list[str]:
    """Return the arguments of a command: needed ones with something, one of them with the value."""
    given: list[str] = []
    for parameter in command.params:
        name = parameter.name or ""
        one = value if name == changed else _usual(parameter, files)
        if one is None:
            continue
        if is_option(parameter):
            given += [f"{max(parameter.opts, key=len)}={one}"]
        else:
            given += ["--", one] if one.startswith("-") else [one]
    return given


def _usual(parameter: Any, files: dict[str, str]) -> str | None:
    if parameter.name == "config":
        return files["good"]
    if not parameter.required:
        return None
    if parameter.name in ("start", "end"):
        return "2026-11-01T00:00:00Z" if parameter.name == "start" else "2026-11-02T00:00:00Z"
    choices = get_args(parameter.type_descriptor.annotation)
    if choices:
        return str(choices[0])
    return files["missing"] if "path" in (parameter.name or "") else "x"


@pytest.fixture
def nothing_runs(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """End those commands that would run for long once their arguments are good; what is written is the test's."""
    monkeypatch.chdir(tmp_path)

    def end(*arguments: Any, **named: Any) -> None:
        raise UsageError("the arguments were good")

    monkeypatch.setattr("lis_online.cli.demo._run", end)
    monkeypatch.setattr("lis_online.simulate.recorded.events_of", end)
    monkeypatch.setattr("uvicorn.Server.run", end)


@pytest.mark.usefixtures("nothing_runs")
@pytest.mark.parametrize("names", COMMANDS, ids=" ".join)
def test_no_argument_of_any_command_gives_a_traceback(
    names: tuple[str, ...], terminal: Terminal, files: dict[str, str]
) -> None:
    """What is wrong is said on standard error, and the exit code is 2; what happens to be right may be done."""
    command = COMMANDS[names]
    for parameter in command.params:
        if parameter.name in (None, "help") or (is_option(parameter) and parameter.is_flag):
            continue
        for value in sampled(values(parameter, files), f"{names} {parameter.name}"):
            given = [*names, *arguments(command, files, parameter.name or "", value)]
            try:
                printed = terminal.run(*given)
            except Exception as exc:
                raise AssertionError(f"{[one[:80] for one in given]} raised {exc!r}") from exc
            assert printed.code in (0, 2), (given, printed)
            assert "Traceback" not in printed.err, (given, printed)
            if printed.code:
                assert printed.err, given
