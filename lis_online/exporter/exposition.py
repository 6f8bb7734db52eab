"""The text of /metrics: the numbers rendered once for each bucket, the worker's health at each scrape."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Final

from prometheus_client import CollectorRegistry
from prometheus_client.exposition import choose_encoder
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from lis_online.exporter.families import Families
from lis_online.exporter.view_series import add_view
from lis_online.shards.view import PublishView

END: Final = b"# EOF\n"
"""The last line of OpenMetrics; the Prometheus format has none."""

OPENMETRICS: Final = "application/openmetrics-text"


class Exposition:
    """What a scraper gets.

    registry: holds what is read anew at each scrape. view: returns the publish shard's current view, None while
    there is none (and on other roles); a view never changes, so its text is kept until there is another.
    """

    def __init__(self, registry: CollectorRegistry, view: Callable[[], PublishView | None] = lambda: None) -> None:
        self._registry, self._view = registry, view
        self._lock = threading.Lock()
        self._shown: PublishView | None = None
        self._texts: dict[bool, bytes] = {}

    def get(self, accept: str) -> tuple[bytes, str]:
        """Return the text and its content type. accept: the request's Accept header."""
        encode, content_type = choose_encoder(accept)
        numbers = self._numbers(encode, content_type.startswith(OPENMETRICS))
        return numbers + encode(self._registry), content_type

    def _numbers(self, encode: Callable[[Collector], bytes], openmetrics: bool) -> bytes:
        """Return the view's part. Whoever asks first after a bucket renders it, others wait for that.

        The two formats are all there are: no name of ours needs an escape, in which their variants differ.
        """
        with self._lock:
            view = self._view()
            if view is not self._shown:
                self._shown, self._texts = view, {}
            if openmetrics not in self._texts:
                text = b"" if view is None else encode(_Once(view))
                self._texts[openmetrics] = text.removesuffix(END)
            return self._texts[openmetrics]


class _Once(Collector):
    """The families of a view, as an encoder asks for them."""

    def __init__(self, view: PublishView) -> None:
        self._of = view

    def collect(self) -> Iterator[Metric]:
        families = Families()
        add_view(families, self._of)
        return families.get()
