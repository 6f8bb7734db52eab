"""The bookshop of docs/own-data.md: its settings as the page has them, and its messages."""

from __future__ import annotations

import json
import random
import re
import tomllib
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

PAGE = Path(__file__).parents[2] / "docs" / "own-data.md"
BOOKS = [9780141439518 + 7 * n for n in range(30)]
READERS = 400
SLATE = 6


def table_of_the_page() -> dict[str, Any]:
    """Return the settings that the page shows."""
    found, *_ = re.findall(r"```toml\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    return tomllib.loads(found)


def messages_of_the_page() -> list[dict[str, Any]]:
    """Return the two messages that the page shows."""
    found = re.findall(r"```json\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    return [json.loads(text) for text in found]


def messages(start: int, requests: int, step: int) -> list[tuple[str, int, dict[str, Any]]]:
    """Return (topic, reader, message) in order of time: start and step in ms. Low ISBNs are opened more."""
    chance = random.Random(7)
    found: list[tuple[int, str, int, dict[str, Any]]] = []
    for number in range(requests):
        at = start + number * step
        reader, shelf = chance.randrange(READERS), f"s{number}"
        books = chance.sample(BOOKS, SLATE)
        shown = [{"isbn": isbn, "rank": rank, "author": f"a{isbn % 5}"} for rank, isbn in enumerate(books)]
        when = datetime.fromtimestamp(at / 1000, UTC).isoformat(timespec="milliseconds")
        message = {"evt": "shelf_shown", "shelf": {"id": shelf, "scene": "home", "at": when}, "books": shown}
        found.append((at, "impressions", reader, {**message, "reader": {"no": reader, "lang": "en"}, "tests": {}}))
        if number % 50 == 0:
            found.append((at, "impressions", reader, {"evt": "shelf_scrolled", "reader": {"no": reader}}))
        for isbn in books:
            if chance.random() < 0.5 * (1 - BOOKS.index(isbn) / len(BOOKS)):
                ms = at + 1000 + chance.randrange(20_000)
                act = {"shelf": shelf, "reader": reader, "isbn": isbn, "did": "open", "ms": ms, "read_ms": 4000}
                found.append((ms, "feedback", reader, act))
    found.sort(key=lambda entry: entry[0])
    return [(topic, reader, message) for _, topic, reader, message in found]
