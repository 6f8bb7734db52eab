"""The page that `--help` prints: usage, what the command does, examples, options, and for groups their commands.

It has no frames, and is the same in a pipe as on a terminal but for the colours.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Iterator
from typing import Any, Final, NamedTuple

from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

WIDTH: Final = 100
"""Columns of a page where no terminal is narrower."""


class Told(NamedTuple):
    """What a docstring says. sentence: its first paragraph; more: the others; examples: commands, in order."""

    sentence: str
    more: list[str]
    examples: list[str]


def told(text: str | None) -> Told:
    r"""Return the parts of a command's docstring.

    >>> told("Do it.\n\nTwice is\nas good.\n\nExample: lis-online do it\n\nExample: lis-online do that")
    Told(sentence='Do it.', more=['Twice is as good.'], examples=['lis-online do it', 'lis-online do that'])
    """
    paragraphs = [" ".join(one.split()) for one in inspect.cleandoc(text or "").split("\n\n")]
    word = "Example: "
    examples = [one.removeprefix(word) for one in paragraphs[1:] if one.startswith(word)]
    return Told(paragraphs[0], [one for one in paragraphs[1:] if not one.startswith(word)], examples)


def write_page(command: Any, context: Any, formatter: Any) -> None:
    """Write the page of a command into what Typer prints of it."""
    terminal = sys.stdout.isatty()
    console = Console(highlight=False, width=None if terminal else WIDTH, height=None if terminal else 25)
    width = min(console.width, WIDTH)
    with console.capture() as captured:
        console.print(Group(*_parts(command, context)), width=width, crop=False)  # an example is to be copied: whole
    formatter.write("\n".join(line.rstrip() for line in captured.get().rstrip().split("\n")))


def _parts(command: Any, context: Any) -> Iterator[RenderableType]:
    said = told(command.help)
    yield Text.assemble(("Usage: ", "bold"), usage(command, context.command_path), "\n")
    yield Text("\n\n".join([said.sentence, *said.more]))
    if said.examples:
        yield _heading("Example" if len(said.examples) == 1 else "Examples")
        yield from (Text(f"  {one}", "cyan", no_wrap=True, overflow="ignore") for one in said.examples)
    shown = [one for one in command.get_params(context) if not getattr(one, "hidden", False)]
    yield from _section("Arguments", [_row(one) for one in shown if one.param_type_name == "argument"])
    yield from _section("Options", [_row(one) for one in shown if one.param_type_name == "option"])
    for title, commands in _panels(command, context):
        yield from _section(title, [(Text(name, "bold cyan"), Text(told(one.help).sentence)) for name, one in commands])
    if command.epilog:
        yield Text(f"\n{command.epilog}")


def usage(command: Any, path: str) -> str:
    """Return how a command is called: its words, [OPTIONS], its arguments."""
    words = [path, "[OPTIONS]"]
    for one in command.params:
        if one.param_type_name == "argument":
            name = one.metavar + ("..." if one.nargs != 1 else "")
            words.append(name if one.required else f"[{name}]")
    return " ".join([*words, "COMMAND ..."] if getattr(command, "commands", None) else words)


def _panels(command: Any, context: Any) -> Iterator[tuple[str, list[tuple[str, Any]]]]:
    """Yield the headings of a group's commands, in the order of their first, and what stands below each."""
    found: dict[str, list[tuple[str, Any]]] = {}
    for name, one in getattr(command, "commands", {}).items():
        panel = one.rich_help_panel
        found.setdefault(panel if isinstance(panel, str) else "Commands", []).append((name, one))
    yield from found.items()


def _row(parameter: Any) -> tuple[Text, Text]:
    if parameter.param_type_name == "argument":
        name = Text(parameter.metavar, "bold cyan")
    else:
        options = sorted([*parameter.opts, *parameter.secondary_opts], key=len)
        name = Text.assemble((", ".join(options), "bold cyan"), f" {parameter.metavar}" if parameter.metavar else "")
    said = Text(" ".join((parameter.help or "").split()))
    return name, said.append("".join(f" {note}" for note in notes(parameter)), "dim")


def notes(parameter: Any) -> Iterator[str]:
    """Yield what is to be known of a parameter beside its help: choices, range, default, that it is needed."""
    if parameter.param_type_name == "argument" and parameter.type_descriptor.is_choice:
        yield f"[{'|'.join(map(str, parameter.type_descriptor.choices))}]"
    low, high = parameter.min, parameter.max
    if low is not None:
        yield f"[at least {low:,}]" if high is None else f"[{low:,} to {high:,}]"
    if parameter.required:
        yield "[needed]"
    elif parameter.default not in (None, False, ()) and not getattr(parameter, "is_flag", False):
        yield f"[default: {parameter.default}]"


def _section(title: str, rows: list[tuple[Text, Text]]) -> Iterator[RenderableType]:
    if not rows:
        return
    table = Table.grid(padding=(0, 2))
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for row in rows:
        table.add_row(*row)
    yield _heading(title)
    yield Padding(table, (0, 0, 0, 2))


def _heading(title: str) -> Text:
    return Text(f"\n{title}", "bold")
