"""Debian's Chromium, driven by playwright: pages are read as a browser reads them.

Without it these tests are skipped with that reason; under CI=true they fail, so that CI cannot pass without them.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

NAMES = ("chromium", "chromium-browser", "google-chrome")
ARGUMENTS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """Return a browser (`playwright.sync_api.Browser`), a module's own.

    Playwright keeps an event loop running in this thread for as long as it lives; other modules run loops of theirs.
    """
    found = next(filter(None, map(shutil.which, NAMES)), None)
    if found is None:
        reason = "Chromium is not on the PATH"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=found, args=list(ARGUMENTS))
        yield opened
        opened.close()


@dataclass
class Opened:
    """A page that has drawn its charts. said: what it told the console; asked: every address that it asked for."""

    page: Any
    said: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)

    def get(self, expression: str) -> Any:
        """Return the value of a JavaScript expression."""
        return self.page.evaluate(expression)

    def close(self) -> None:
        """Close it."""
        self.page.close()


def opened(browser: Any, file: Path, width: int = 1280, scheme: str = "light") -> Opened:
    """Open a review's page from its file and wait until its charts are drawn."""
    page = browser.new_page(viewport={"width": width, "height": 800}, color_scheme=scheme)
    found = Opened(page)
    page.on("console", lambda message: found.said.append(f"{message.type}: {message.text}"))
    page.on("pageerror", lambda error: found.said.append(f"error: {error}"))
    page.on("request", lambda request: found.asked.append(request.url))
    page.on("dialog", lambda dialog: (found.said.append("dialog"), dialog.dismiss()))
    page.goto(file.as_uri())
    page.wait_for_selector("html[data-drawn]", state="attached")
    return found
