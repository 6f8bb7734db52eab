"""The project's documents, and what they quote: commands, links, code."""

from __future__ import annotations

import re
import shlex
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[1]
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
FENCE = re.compile(r"^(?P<indent> *)```(?P<language>\w*)\n(?P<body>.*?)^(?P=indent)```$", re.MULTILINE | re.DOTALL)
SHELLS = ("bash", "console", "sh")


class Quote(NamedTuple):
    """Something that a document quotes. where: its path from the root; line: from 1; language: of a block."""

    where: str
    text: str
    line: int = 0
    language: str = ""


def blocks(*languages: str) -> list[Quote]:
    """Return the fenced blocks of some languages, of every document."""
    return [block for block in every_block() if block.language in languages]


def every_block() -> list[Quote]:
    """Return all fenced blocks; their line is that of the first line within."""
    return [
        Quote(name, textwrap.dedent(match["body"]), text.count("\n", 0, match.start()) + 2, match["language"])
        for name, text in _texts()
        for match in FENCE.finditer(text)
    ]


def commands() -> list[Quote]:
    """Return every line of the shell blocks, continued lines joined, without prompts."""
    return [command for block in blocks(*SHELLS) for command in commands_of(block)]


def commands_of(block: Quote) -> list[Quote]:
    """Return the commands of one shell block."""
    found: list[Quote] = []
    begun = ""
    for number, line in enumerate(block.text.splitlines(), block.line):
        begun += line.strip().removesuffix("\\")
        if not line.endswith("\\"):
            command, begun = " ".join(begun.removeprefix("$ ").split()), ""
            found += [Quote(block.where, command, number)] if command and not command.startswith("#") else []
    return found


def code_spans() -> list[Quote]:
    """Return the inline code of every document, as one line each."""
    return [
        Quote(name, " ".join(span.split()))
        for name, text in _texts()
        for span in re.findall(r"`([^`]+)`", FENCE.sub("", text))
    ]


def links() -> list[Quote]:
    """Return the targets of links and pictures that lead to files."""
    targets = [Quote(name, t) for name, text in _texts() for t in re.findall(r"\]\(([^)\s]+)\)", FENCE.sub("", text))]
    return [target for target in targets if not re.match(r"https?://|mailto:|#", target.text)]


def split(command: str) -> tuple[dict[str, str], list[str], list[str]]:
    """Return a command's variables, words, and the files that its output goes to.

    >>> split("LIS_HTTP__PORT=1 .venv/bin/lis-online topics check > out.txt")
    ({'LIS_HTTP__PORT': '1'}, ['lis-online', 'topics', 'check'], ['out.txt'])
    """
    words = shlex.split(command)
    files = [words[at + 1] for at, word in enumerate(words) if word == ">"]
    words = words[: words.index(">")] if ">" in words else words
    variables: dict[str, str] = {}
    while words and re.match(r"[A-Z_]+=", words[0]):
        name, _, variables[name] = words.pop(0).partition("=")
    return variables, [words[0].removeprefix(".venv/bin/"), *words[1:]], files


def _texts() -> Iterator[tuple[str, str]]:
    for path in DOCUMENTS:
        yield path.relative_to(ROOT).as_posix(), path.read_text(encoding="utf-8")
