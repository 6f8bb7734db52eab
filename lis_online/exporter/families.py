"""From a declared series to what prometheus_client exposes, built anew at each scrape."""

from __future__ import annotations

from collections.abc import Iterator

from prometheus_client.metrics_core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    InfoMetricFamily,
    Metric,
)
from prometheus_client.samples import Exemplar

from lis_online.exporter.distribution import Durations
from lis_online.exporter.exemplars import Mark
from lis_online.exporter.series import Series
from lis_online.metrics.estimate import Estimate


class Families:
    """The samples of one scrape, by series, in the order the series were first used.

    >>> from lis_online.exporter.names import SAMPLES
    >>> families = Families()
    >>> families.add(SAMPLES, 12, window="1h", slice="all")
    >>> [(sample.name, sample.labels, sample.value) for family in families.get() for sample in family.samples]
    [('lis_samples', {'window': '1h', 'slice': 'all'}, 12.0)]
    """

    def __init__(self) -> None:
        self._found: dict[str, Metric] = {}

    def add(self, series: Series, value: float | None, **labels: str) -> None:
        """Add one sample; None adds nothing: a series without a number is absent, not 0."""
        if value is None:
            return
        family = self._family(series)
        if isinstance(family, InfoMetricFamily):
            family.add_metric([], _checked(series, labels))
        elif isinstance(family, GaugeMetricFamily | CounterMetricFamily):
            family.add_metric(list(_checked(series, labels).values()), float(value))
        else:
            raise TypeError(f"{series.name} is a histogram: use add_durations")

    def add_marked(self, series: Series, value: float, mark: Mark | None, **labels: str) -> None:
        """Add a counter's sample, with its exemplar."""
        family = self._family(series)
        assert isinstance(family, CounterMetricFamily)
        family.add_metric(list(_checked(series, labels).values()), float(value), exemplar=_exemplar(mark))

    def add_durations(self, series: Series, durations: Durations, **labels: str) -> None:
        """Add a histogram's buckets, count and sum."""
        family = self._family(series)
        assert isinstance(family, HistogramMetricFamily)
        buckets = [(le, count, _exemplar(mark)) for le, count, mark in durations.cumulative()]
        family.add_metric(list(_checked(series, labels).values()), buckets, durations.total)  # type: ignore[arg-type]

    def add_interval(self, series: Series, estimate: Estimate, **labels: str) -> None:
        """Add a number and the ends of its interval; what is None is absent."""
        self.add(series, estimate.value, **labels)
        if estimate.value is not None:
            self.add_bounds(series, estimate.lower, estimate.upper, **labels)

    def add_bounds(self, series: Series, lower: float | None, upper: float | None, **labels: str) -> None:
        """Add the ends of a number's interval."""
        for end, value in zip(series.bounds, (lower, upper), strict=True):
            self.add(end, value, **labels)

    def get(self) -> Iterator[Metric]:
        """Return the families that have a sample."""
        yield from self._found.values()

    def _family(self, series: Series) -> Metric:
        if series.name not in self._found:
            self._found[series.name] = empty(series)
        return self._found[series.name]


def empty(series: Series) -> Metric:
    """Return the family of a series without a sample."""
    if series.kind == "info":
        return InfoMetricFamily(series.name.removesuffix("_info"), series.help)
    if series.kind == "counter":
        return CounterMetricFamily(series.name, series.help, labels=series.labels)
    if series.kind == "histogram":
        return HistogramMetricFamily(series.name, series.help, labels=series.labels, unit=series.unit)
    return GaugeMetricFamily(series.name, series.help, labels=series.labels, unit=series.unit)


def _exemplar(mark: Mark | None) -> Exemplar | None:
    """Return the exemplar, which the OpenMetrics format alone shows."""
    return None if mark is None else Exemplar(mark.labels, mark.value, mark.at)


def _checked(series: Series, labels: dict[str, str]) -> dict[str, str]:
    """Return the labels in the declared order; other labels than declared are a bug."""
    found = {name: labels[name] for name in series.labels if name in labels}
    if len(found) < max(len(series.labels), len(labels)):
        raise ValueError(f"{series.name} must have the labels {series.labels}, got {tuple(labels)}")
    return found
