"""The text of a publish shard's numbers: rendered once for each bucket, on a thread of its own, served from memory."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from types import TracebackType
from typing import Final, NamedTuple

from prometheus_client.exposition import generate_latest as encode_text
from prometheus_client.metrics_core import Metric
from prometheus_client.openmetrics.exposition import generate_latest as encode_openmetrics
from prometheus_client.registry import Collector

from lis_online.exporter.families import Families
from lis_online.exporter.lines import Lines
from lis_online.exporter.view_series import add_view
from lis_online.shards.view import PublishView

logger = logging.getLogger(__name__)

END: Final = b"# EOF\n"
"""The last line of OpenMetrics; the Prometheus format has none."""

LOOK: Final = 0.25
"""Seconds between looks for a new view."""


class Text(NamedTuple):
    """A view's series in both formats, in OpenMetrics without the line that ends it."""

    prometheus: bytes
    openmetrics: bytes


EMPTY: Final = Text(b"", b"")


class RenderedView:
    """A view's text. view: returns the newest, None while there is none.

    Within its context a thread keeps the text current and `get` never waits for it: until a new view is rendered,
    there is the text of the one before. Outside, `get` renders what is new.
    """

    def __init__(self, view: Callable[[], PublishView | None], look: float = LOOK) -> None:
        self._view, self._look = view, look
        self._lock = threading.Lock()
        self._shown: PublishView | None = None
        self._text = EMPTY
        self._end = threading.Event()
        self._thread: threading.Thread | None = None

    def get(self) -> Text:
        """Return the text."""
        if self._thread is None:
            self.update()
        return self._text

    def update(self) -> None:
        """Render the newest view, unless that is done."""
        with self._lock:
            view = self._view()
            if view is not self._shown:
                self._shown, self._text = view, EMPTY if view is None else render(view)

    def __enter__(self) -> RenderedView:
        """Begin to keep the text current."""
        self.update()
        self._thread = threading.Thread(target=self._run, name="renderer", daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop."""
        self._end.set()
        if self._thread is not None:
            self._thread.join()

    def _run(self) -> None:
        while not self._end.wait(self._look):
            try:
                self.update()
            except Exception:  # a defect: said once for each view, and what is served goes stale, which is alerted
                logger.exception("the numbers cannot be rendered; /metrics shows those before")
                self._shown = self._view()


def render(view: PublishView) -> Text:
    """Return a view's series as text."""
    families = Families()
    add_view(families, view)
    lines, text, openmetrics = Lines(), [], []
    for family in families.get():
        body = lines.get(family).encode()
        head = _Head(family)
        text += [encode_text(head), body]
        openmetrics += [encode_openmetrics(head).removesuffix(END), body]  # type: ignore[no-untyped-call]
    return Text(b"".join(text), b"".join(openmetrics))


class _Head(Collector):
    """A family without its samples: an encoder writes what stands above them."""

    def __init__(self, family: Metric) -> None:
        self._family = Metric(family.name, family.documentation, family.type, family.unit)

    def collect(self) -> list[Metric]:
        return [self._family]
