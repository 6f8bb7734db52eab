"""The text of /metrics: the numbers as they were rendered, the worker's health as of the scrape."""

from __future__ import annotations

from typing import Final

from prometheus_client import CollectorRegistry
from prometheus_client.exposition import choose_encoder

from lis_online.exporter.rendered import EMPTY, RenderedView

OPENMETRICS: Final = "application/openmetrics-text"


class Exposition:
    """What a scraper gets. registry: holds what is read anew at each scrape; numbers: of a publish shard, if any."""

    def __init__(self, registry: CollectorRegistry, numbers: RenderedView | None = None) -> None:
        self._registry, self._numbers = registry, numbers

    def get(self, accept: str) -> tuple[bytes, str]:
        """Return the text and its content type. accept: the request's Accept header."""
        encode, content_type = choose_encoder(accept)
        numbers = EMPTY if self._numbers is None else self._numbers.get()
        # no name of ours needs an escape, so the dialects of a format do not differ in the numbers
        text = numbers.openmetrics if content_type.startswith(OPENMETRICS) else numbers.prometheus
        return text + encode(self._registry), content_type
