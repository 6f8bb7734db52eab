"""The reference of all commands, docs/cli.md: `make reference` writes it."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from typing import Any

import typer

from lis_online.cli.main import app

INTRODUCTION = """\
# Commands

Every command and option of `lis-online`; `--help` says the same of each. This page is made from the commands by
`make reference`; a test holds them together.

Exit codes: 0, done; 2, something that a person can mend, in one line on standard error; 130, Ctrl-C. A worker also ends
with 1 where something could not go on and a restart helps: [operations.md](operations.md#roles).

Most commands read a settings file, `-c`, over which environment variables go ([settings.md](settings.md)). `--json`
prints what a program reads. The option `--install-completion` of `lis-online` teaches the shell to complete commands.
"""


def reference() -> str:
    """Return the page as Markdown."""
    return "\n".join(_lines())


def _lines() -> Iterator[str]:
    yield INTRODUCTION
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
    """Yield a command's help, its example as a block."""
    told, _, example = text.partition("Example: ")
    yield f"{told.strip()}\n" if not example or told.endswith("\n\n") else f"{told.strip()} Example:\n"
    if example:
        command, _, rest = re.sub(r"\s+", " ", example).strip().partition(", ")
        yield f"```bash\n{command}\n```\n"
        if rest:
            yield f"{rest[0].upper()}{rest[1:].rstrip('.')}.\n"


def _row(parameter: Any) -> str:
    if isinstance(parameter, typer.core.TyperArgument):
        name, default = f"`{parameter.metavar or parameter.name.upper()}`", "" if parameter.required else "none"
    else:
        name = ", ".join(f"`{option}`" for option in (*parameter.opts, *parameter.secondary_opts))
        default = "" if parameter.required or parameter.is_flag else f"`{parameter.default}`"
    default = "none" if default == "`None`" else default
    meaning = " ".join((parameter.help or "").split()).replace("|", "\\|")
    return f"| {name} | {default} | {meaning}{' Needed.' if parameter.required else ''} |"


if __name__ == "__main__":
    sys.stdout.write(reference())
