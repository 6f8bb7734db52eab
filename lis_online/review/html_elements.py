"""HTML elements: whatever is not an element already is escaped."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from html import escape
from typing import Any, Final


class Html(str):
    """Text that is HTML already."""

    __slots__ = ()


Child = str | None | Iterable["Child"]
"""What stands in an element: text, HTML, nothing, or several of them."""
EMPTY: Final = ("br", "hr", "meta", "link")
ROLES: Final = {"table": "table", "tr": "row", "td": "cell"}
"""Said again, since the rows of a narrow page are no table to a browser once their display is changed."""


def el(name: str, /, *children: Child, **attributes: str | bool | None) -> Html:
    """Return an element. An attribute's trailing _ is left out, its other _ are hyphens; None and False: not there.

    >>> el("p", "a < b", el("b", "!"), class_="x", data_label='"')
    '<p class="x" data-label="&quot;">a &lt; b<b>!</b></p>'
    """
    role = ROLES.get(name)
    given = attributes if role is None else {"role": role, **attributes}
    shown = "".join(_attribute(key, value) for key, value in given.items() if value is not None and value is not False)
    return Html(f"<{name}{shown}>" if name in EMPTY else f"<{name}{shown}>{join(children)}</{name}>")


def join(children: Child) -> Html:
    """Return children as HTML, one after another.

    >>> join(["&", None, [Html("<br>")]])
    '&amp;<br>'
    """
    if children is None:
        return Html("")
    if isinstance(children, str):
        return children if isinstance(children, Html) else Html(escape(children))
    return Html("".join(join(child) for child in children))


def table(
    caption: str, headings: Sequence[str], rows: Iterable[Iterable[Child]], class_: str = "", unread: bool = False
) -> Html:
    """Return a table that becomes one card a row where the page is narrow. The first cell of a row is its heading.

    unread: what it says is not to be read, and it looks so.
    """
    heads = [el("th", heading, role="columnheader", scope="col") for heading in headings]
    body = [el("tr", _row(headings, list(row))) for row in rows]
    return el(
        "table",
        el("caption", caption),
        el("thead", el("tr", heads), role="rowgroup"),
        el("tbody", body, role="rowgroup"),
        class_=" ".join(filter(None, (class_, "unread" if unread else ""))) or None,
    )


def data(name: str, value: Any) -> Html:
    """Return JSON inside a page, for its script to read. No text in it ends the element."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)  # ASCII alone
    for sign in "<>&":
        text = text.replace(sign, f"\\u{ord(sign):04x}")
    return Html(f'<script type="application/json" id="{escape(name)}">{text}</script>')


def _row(headings: Sequence[str], row: Sequence[Child]) -> list[Html]:
    cells = zip(headings[1:], row[1:], strict=True)
    return [
        el("th", row[0], role="rowheader", scope="row"),
        *(el("td", cell, data_label=heading) for heading, cell in cells),
    ]


def _attribute(name: str, value: str | bool | None) -> str:
    name = name.removesuffix("_").replace("_", "-")
    return f" {name}" if value is True else f' {name}="{escape(str(value))}"'
