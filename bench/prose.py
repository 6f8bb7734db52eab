"""Pages that are made: paragraphs are filled, tables, headings and code stay as they are."""

from __future__ import annotations

from collections.abc import Iterable
from textwrap import fill
from typing import Any, Final

WIDTH: Final = 120
WHOLE: Final[Any] = {"break_long_words": False, "break_on_hyphens": False}


def page_of(sections: Iterable[str]) -> str:
    r"""Return a page. Its blocks have an empty line between them; one that begins with a hyphen is an item.

    >>> print(page_of(["# A\n\nSome\nwords.", "- an\nitem"]), end="")
    # A
    <BLANKLINE>
    Some words.
    <BLANKLINE>
    - an item
    """
    blocks = [block for section in sections for block in section.strip().split("\n\n")]
    return "\n\n".join(map(_filled, blocks)) + "\n"


def _filled(block: str) -> str:
    if block.startswith(("|", "#", "`")):
        return block
    return fill(" ".join(block.split()), WIDTH, subsequent_indent="  " if block.startswith("- ") else "", **WHOLE)


def table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """Return a Markdown table.

    >>> print(table(["a", "b"], [["1", "2"]]))
    | a | b |
    | --- | --- |
    | 1 | 2 |
    """
    head = list(head)
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
