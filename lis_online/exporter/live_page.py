"""The live page: files of the package, served as they are."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Final

from lis_online.exporter.page import Page

FOLDER: Final = "static"

TYPES: Final = {"html": "text/html", "css": "text/css", "js": "text/javascript", "svg": "image/svg+xml"}

NAMES: Final = (
    "live.html",
    "live.css",
    "live.svg",
    "live.js",
    "live_charts.js",
    "live_elements.js",
    "live_tables.js",
    "live_words.js",
)

FILES: Final = {f"/{name}": f"{TYPES[name.rpartition('.')[2]]}; charset=utf-8" for name in NAMES}
"""Path -> content type."""

POLICY: Final = "default-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
"""Nothing from elsewhere, no script or style within the page."""


def wants_page(accept: str) -> bool:
    """Return whether a browser asks: it names HTML, curl and Prometheus do not.

    >>> wants_page("text/html,application/xhtml+xml,*/*;q=0.8"), wants_page("*/*")
    (True, False)
    """
    return "text/html" in accept


@cache
def static(path: str) -> Page:
    """Return a file of `FILES`."""
    body = files("lis_online.exporter").joinpath(FOLDER, path.removeprefix("/")).read_bytes()
    return Page(
        body, content_type=FILES[path], headers={"Content-Security-Policy": POLICY, "Referrer-Policy": "no-referrer"}
    )
