"""Pages as Debian's Chromium shows them, as small PNG files."""

from __future__ import annotations

import io
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from PIL import Image

from lis_online.errors import UsageError
from tests.browser import ARGUMENTS, NAMES

WIDTH: Final = 1280
MARGIN: Final = 8
"""Pixels under the last thing shown."""
COLOURS: Final = 128
"""Of a picture: flat pages lose nothing that is seen, and are a third as large."""
PATIENCE: Final = 180_000.0
"""Milliseconds for a page to draw itself, beside a demo that takes every core."""


@contextmanager
def chromium() -> Iterator[Any]:
    """Run a browser (`playwright.sync_api.Browser`). Raises UsageError where there is none."""
    from playwright.sync_api import sync_playwright

    found = next(filter(None, map(shutil.which, NAMES)), None)
    if found is None:
        raise UsageError(f"pictures need one of {', '.join(NAMES)} on the PATH, got none")
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=found, args=list(ARGUMENTS))
        try:
            yield opened
        finally:
            opened.close()


def shoot(browser: Any, address: str, last: str, **paths: Path) -> None:
    """Write a page that has drawn itself, down to the end of the element `last`. paths: where to, by colour scheme."""
    page = browser.new_page(viewport={"width": WIDTH, "height": 900})
    page.set_default_timeout(PATIENCE)
    page.goto(address)
    page.wait_for_selector("html[data-drawn]", state="attached")
    for scheme, path in paths.items():
        page.emulate_media(color_scheme=scheme)
        end = page.locator(last).first.bounding_box()
        clip = {"x": 0, "y": 0, "width": WIDTH, "height": end["y"] + end["height"] + MARGIN}
        save(page.screenshot(animations="disabled", full_page=True, clip=clip), path)
    page.close()


def save(png: bytes, path: Path) -> None:
    """Write a picture in a palette of its own."""
    with Image.open(io.BytesIO(png)) as picture:
        few = picture.convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE)
        few.save(path, optimize=True)
