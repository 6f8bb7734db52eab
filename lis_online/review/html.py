"""A review as one HTML file that holds its charts and their code and asks nobody for anything.

plotly.js is most of it: 4.8 MB, the only bundle of the Python package, 2.0 MB here, since it is packed and the
browser unpacks it. Its policy (CSP) lets run the two scripts whose digests it names and forbids every connection.
"""

from __future__ import annotations

import gzip
from base64 import b64encode
from functools import cache
from hashlib import sha256
from importlib.resources import files

from lis_online.errors import UsageError
from lis_online.review import html_charts, html_findings, html_head, html_tables
from lis_online.review.document import Review
from lis_online.review.html_elements import Html, data, el, join


def render(review: Review) -> str:
    """Return the page: the same bytes for the same document. Raises UsageError where plotly is not installed."""
    bundle, digest = _plotly()
    script, style = _asset("html_page.js"), _asset("html_page.css")
    charts = html_charts.every(review)
    head = [
        el("meta", charset="utf-8"),
        el("meta", http_equiv="Content-Security-Policy", content=policy(digest, _digest(script))),
        el("meta", name="viewport", content="width=device-width, initial-scale=1"),
        el("meta", name="color-scheme", content="light dark"),
        el("meta", name="referrer", content="no-referrer"),
        el("link", rel="icon", href="data:,"),  # or a browser asks the server for one
        el("title", f"{review.experiment}: {html_head.WORDS[review.verdict.decision]} - experiment review"),
        el("style", Html(style)),
    ]
    main = [
        html_head.verdict(review),
        html_head.checks(review),
        html_tables.arms(review),
        html_findings.lifts(charts, review),
        html_tables.representations(review),
        html_findings.alignment(charts, review),
        html_findings.agreement(charts, review),
        html_findings.events(review),
        html_tables.quality(review),
        html_tables.against(review),
        html_findings.reading(review),
    ]
    body = [
        html_head.heading(review),
        el("main", main, id="main"),
        html_head.footer(review),
        data("charts", [chart.to_json() for chart in charts]),
        Html(f'<script type="text/plain" id="plotly">{bundle}</script>'),
        Html(f"<script>{script}</script>"),
    ]
    return "<!doctype html>\n" + el("html", el("head", head), el("body", join(body)), lang="en") + "\n"


def policy(*digests: str) -> str:
    """Return the page's policy: nothing is loaded, and no script runs but those of these digests."""
    scripts = " ".join(f"'sha256-{digest}'" for digest in digests)
    return (
        f"default-src 'none'; script-src {scripts}; style-src 'unsafe-inline'; img-src data: blob:; "
        "base-uri 'none'; form-action 'none'"
    )


@cache
def _plotly() -> tuple[str, str]:
    """Return plotly.js, packed, as base64, and its digest."""
    try:
        from plotly.offline import get_plotlyjs
    except ImportError as exc:
        raise UsageError("a review as HTML needs plotly: pip install 'lis-online[review]'") from exc
    source = get_plotlyjs()
    return b64encode(gzip.compress(source.encode(), mtime=0)).decode(), _digest(source)


def _asset(name: str) -> str:
    return files("lis_online.review").joinpath(f"assets/{name}").read_text(encoding="utf-8")


def _digest(source: str) -> str:
    return b64encode(sha256(source.encode()).digest()).decode()
