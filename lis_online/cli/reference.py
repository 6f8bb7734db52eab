"""The reference of all commands, docs/cli.md: `make reference` writes it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

import typer

from lis_online.cli.exit_codes import MEANINGS
from lis_online.cli.help_page import told
from lis_online.cli.main import app

INTRODUCTION = """\
# Commands

Every command and option of `lis-online`; `--help` says the same of each. This page is made from the commands by
`make reference`; a test holds them together.

Most commands read a settings file, `-c`, over which environment variables go ([settings.md](settings.md)). `--json`
prints JSON alone on standard output; what went wrong is a sentence on standard error all the same. In a file or a pipe
tables are plain, a row a line, and nothing is cut; `NO_COLOR`, `FORCE_COLOR` and `TERM=dumb` do what they should. How
far a long command is shows on standard error, where that is a terminal.

The option `--install-completion` of `lis-online` teaches the shell to complete commands, options and values: variants,
experiments, slices, windows and rankers of the settings file that `-c` names before them.
"""


def reference() -> str:
    """Return the page as Markdown."""
    return "\n".join(_lines())


def _lines() -> Iterator[str]:
    yield INTRODUCTION
    yield "## Exit codes\n"
    yield "| code | meaning |"
    yield "| --- | --- |"
    yield from (f"| {code} | {meaning} |" for code, meaning in MEANINGS.items())
    yield "\nWhat a worker's codes mean is in [operations.md](operations.md#roles).\n"
    for path, command in _commands("lis-online", typer.main.get_command(app)):
        yield f"## {path}\n"
        yield from _described(command.help)
        if command.params:
            yield "| argument or option | default | meaning |"
            yield "| --- | --- | --- |"
            yield from (_row(parameter) for parameter in command.params)
            yield ""


def _commands(path: str, command: Any) -> Iterator[tuple[str, Any]]:
    """Yield every command that does something, with the words that lead to it."""
    under = getattr(command, "commands", {})
    if path != "lis-online" and (not under or command.invoke_without_command):
        yield path, command
    for name, one in under.items():
        yield from _commands(f"{path} {name}", one)


def _described(text: str) -> Iterator[str]:
    """Yield a command's help, its examples as a block."""
    said = told(text)
    yield from (f"{paragraph}\n" for paragraph in (said.sentence, *said.more))
    if said.examples:
        yield "```bash\n" + "\n".join(said.examples) + "\n```\n"


def _row(parameter: Any) -> str:
    if isinstance(parameter, typer.core.TyperArgument):
        name, default = f"`{parameter.metavar}`", "" if parameter.required else "none"
    else:
        name = ", ".join(f"`{option}`" for option in (*parameter.opts, *parameter.secondary_opts))
        default = "" if parameter.required or parameter.is_flag else f"`{parameter.default}`"
    default = "none" if default == "`None`" else default
    meaning = " ".join((parameter.help or "").split()).replace("|", "\\|")
    return f"| {name} | {default} | {meaning}{' Needed.' if parameter.required else ''} |"


if __name__ == "__main__":
    sys.stdout.write(reference())
