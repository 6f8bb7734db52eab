"""A site of pages that are written to be read in the repository: MkDocs calls `on_files` and `on_page_markdown`.

Files outside of docs that a page links to come along, under repository/, and so do those that they link to. GitHub's
Markdown becomes Python's: lists are indented by four, and begin after an empty line.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

ROOT = Path(__file__).parents[2]
LINK = re.compile(r"(\]\()([^)\s#]+)(#[^)\s]*)?\)")
ITEM = re.compile(r"(?:[-*]|\d+\.) +")
PIPE_IN_CODE = re.compile(r"`[^`]*`")


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add what is linked to from pages and lies outside of docs."""
    seen = {f"docs/{file.src_uri}" for file in files}
    waiting = sorted(path for path in seen if path.endswith(".md"))
    while waiting:
        page = waiting.pop()
        for target in sorted(set(_targets(page)) - seen):
            seen.add(target)
            place = _place(target)
            files.append(File.generated(config, place, abs_src_path=str(ROOT / target)))
            waiting += [target] if target.endswith(".md") else []
    return files


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    """Return a page with its links as they are on the site."""
    here = _source(page.file.src_uri)
    return "\n".join(_python_markdown(_relinked(markdown, here)))


def _targets(page: str) -> Iterator[str]:
    """Yield the files of the repository that a page links to."""
    for _, target, _ in LINK.findall(_without_code((ROOT / page).read_text(encoding="utf-8"))):
        path = _resolved(page, target)
        if path is not None and (ROOT / path).is_file():
            yield path


def _resolved(page: str, target: str) -> str | None:
    return None if ":" in target else posixpath.normpath(posixpath.join(posixpath.dirname(page), target))


def _place(path: str) -> str:
    """Return where a file of the repository is on the site."""
    return path.removeprefix("docs/") if path.startswith("docs/") else f"repository/{path}"


def _source(place: str) -> str:
    """Return where a file of the site is in the repository."""
    return place.removeprefix("repository/") if place.startswith("repository/") else f"docs/{place}"


def _relinked(markdown: str, here: str) -> str:
    def change(match: re.Match[str]) -> str:
        path = _resolved(here, match[2])
        if path is None or not (ROOT / path).is_file():
            return match[0]
        there = posixpath.relpath(_place(path), posixpath.dirname(_place(here)) or ".")
        return f"{match[1]}{there}{match[3] or ''})"

    return LINK.sub(change, markdown)


def _python_markdown(markdown: str) -> Iterator[str]:
    """Yield the lines as Python-Markdown reads them. columns: where the text of the lists that are open begins."""
    columns: list[int] = []
    fence, before = "", ""
    for line in markdown.splitlines():
        text = line.lstrip(" ")
        indent = len(line) - len(text)
        if text and not fence:
            while columns and indent < columns[-1]:
                columns.pop()
        rest = max(0, indent - (columns[-1] if columns else 0))
        item = None if fence or rest >= 4 else ITEM.match(text)
        if item and before.strip() and not columns and not ITEM.match(before.lstrip()):
            yield ""
        yield f"{' ' * (4 * len(columns) + rest)}{_cells(text)}" if text else ""
        if item:
            columns.append(indent + len(item[0]))
        mark = re.match(r"`{3,}", text)
        if mark:
            fence = "" if fence else mark[0]
        before = line


def _cells(text: str) -> str:
    """Return a table's row without escapes inside code: Python-Markdown takes no column's end there."""
    return PIPE_IN_CODE.sub(lambda code: code[0].replace("\\|", "|"), text) if text.startswith("|") else text


def _without_code(text: str) -> str:
    return re.sub(r"^ *```.*?^ *```$", "", text, flags=re.MULTILINE | re.DOTALL)
