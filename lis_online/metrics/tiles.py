"""What a rolling window keeps in order to forget it again."""

from __future__ import annotations

from lis_online.metrics.layout import Layout
from lis_online.metrics.statistics import Statistics


class Tiles:
    """Statistics by the start of their stretch of time: compressed, but for the one that is being added to."""

    def __init__(self, layout: Layout) -> None:
        self.layout = layout
        self._closed: dict[int, bytes] = {}
        self._open: tuple[int, Statistics] | None = None

    def starts(self) -> list[int]:
        """Return the stretches that are kept, oldest first."""
        return sorted([*self._closed, *([] if self._open is None else [self._open[0]])])

    def update(self, start: int, statistics: Statistics, data: bytes | None = None) -> None:
        """Add to a stretch. data: the bytes of the statistics, given where they are all of it."""
        if data is not None and start not in self.starts():
            self._closed[start] = data
            return
        if self._open is None or self._open[0] != start:
            self._close()
            known = self._closed.pop(start, None)
            opened = Statistics(self.layout) if known is None else Statistics.decode(self.layout, known)
            self._open = start, opened
        self._open[1].merge(statistics)

    def pop(self, start: int) -> Statistics:
        """Remove a stretch and return what it held."""
        if self._open is not None and self._open[0] == start:
            statistics, self._open = self._open[1], None
            return statistics
        return Statistics.decode(self.layout, self._closed.pop(start))

    def snapshot(self) -> list[tuple[int, bytes]]:
        """Return every stretch and its bytes, oldest first."""
        kept = dict(self._closed)
        if self._open is not None:
            kept[self._open[0]] = self._open[1].encode()
        return sorted(kept.items())

    def _close(self) -> None:
        if self._open is not None:
            self._closed[self._open[0]] = self._open[1].encode()
            self._open = None
