"""What every table of the terminal is made of."""

from __future__ import annotations

from rich.box import SIMPLE_HEAD
from rich.table import Table
from rich.text import Text

from lis_online.cli.consoles import Stacked

DASH = "-"


def short(count: float) -> str:
    """Return a count in two digits.

    >>> [short(count) for count in (0, 96, 999, 1_234, 99_700, 1_210_000, 3.2e10)]
    ['0', '96', '1k', '1.2k', '100k', '1.2M', '32B']
    """
    count = float(f"{count:.1e}")
    for size, unit in ((1e9, "B"), (1e6, "M"), (1e3, "k")):
        if count >= size:
            return f"{count / size:.2g}{unit}" if count < 100 * size else f"{count / size:.0f}{unit}"
    return f"{count:.0f}"


def titled_table(title: str, names: tuple[str, ...]) -> Table:
    """Return an empty table. title: "" for none.

    A heading of two words stands on two lines and leaves the width to the numbers.
    """
    found = Table(
        title=title or None,
        title_justify="left",
        box=SIMPLE_HEAD,
        padding=(0, 1),
        pad_edge=False,
        collapse_padding=True,
    )
    for name in names:
        found.add_column(Stacked(*map(Text, name.split(" ", 1))), overflow="fold", no_wrap=name == "diagnosis")
    return found
