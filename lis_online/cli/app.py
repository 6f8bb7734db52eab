"""The classes that every command is made with: one form of help, and names for every value."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import typer
from typer.core import TyperArgument, TyperCommand, TyperGroup, TyperOption

from lis_online.cli.exit_codes import REFUSED
from lis_online.cli.help_page import write_page

if TYPE_CHECKING:
    from collections.abc import Callable


class Command(TyperCommand):
    """A command whose help is a page of ours."""

    def __init__(self, name: str | None, **named: Any) -> None:
        super().__init__(name, **named)
        _name_values(self.params)

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Write the page."""
        write_page(self, ctx, formatter)


class Group(TyperGroup):
    """Commands under one word, whose help is a page of ours: it is printed where no command is given, too."""

    def __init__(self, **named: Any) -> None:
        super().__init__(**named)
        _name_values(self.params)
        self.commands = dict(sorted(self.commands.items(), key=_panel))

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Read the arguments; print the help where there are none."""
        if not args and not self.invoke_without_command and not ctx.resilient_parsing:
            typer.echo(ctx.get_help())
            ctx.exit(REFUSED)
        return super().parse_args(ctx, args)

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Write the page."""
        write_page(self, ctx, formatter)


class App(typer.Typer):
    """A Typer whose commands and groups are ours."""

    def __init__(self, **named: Any) -> None:
        super().__init__(cls=Group, pretty_exceptions_enable=False, **named)

    def command(self, name: str | None = None, **named: Any) -> Callable[[Any], Any]:
        """Return what registers a function as a command."""
        return super().command(name, cls=Command, **named)


PANELS: Final = ("Start here", "Data in", "Run", "Ask", "Look after")
"""Headings of `lis-online --help`, in order."""


def _panel(named: tuple[str, Any]) -> int:
    panel = named[1].rich_help_panel
    return PANELS.index(panel) if panel in PANELS else 0


TYPES: Final = {"int": "N", "float": "NUMBER", "Path": "PATH"}
"""What stands for a value in help, by its type; TEXT where it is none of these."""


def _name_values(parameters: list[Any]) -> None:
    """Give every argument and option that names its value in no way a name for it."""
    for one in parameters:
        if one.metavar is not None:
            continue
        described = one.type_descriptor
        if isinstance(one, TyperArgument):
            one.metavar = one.name.upper()
        elif isinstance(one, TyperOption) and one.is_flag:
            one.metavar = ""
        elif described.is_choice:
            one.metavar = "|".join(str(choice) for choice in described.choices or ())
        else:
            one.metavar = TYPES.get(getattr(described.annotation, "__name__", ""), "TEXT")
