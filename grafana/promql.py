"""Queries to Prometheus, of declared series alone."""

from __future__ import annotations

import re
from typing import Final

from lis_online.exporter.names import VARIANT, VERSION_NEWEST
from lis_online.exporter.series import Series

JOB: Final = 'job=~"$job"'
INSTANCE: Final = 'instance=~"$instance"'
WINDOW: Final = 'window="$window"'
AT: Final = (WINDOW, 'slice="$slice"')
OF_VARIANT: Final = 'variant=~"$variant"'


def pick(series: Series | str, *matchers: str) -> str:
    """Return a selector. Raises ValueError on a label that the series does not have.

    >>> from lis_online.exporter.names import SAMPLES
    >>> pick(SAMPLES, 'window="1h"')
    'lis_samples{job=~"$job",window="1h"}'
    """
    if isinstance(series, Series):
        for matcher in matchers:
            label = re.split("[=!]", matcher)[0]
            if label not in (*series.labels, "instance", "le"):
                raise ValueError(f"label of {series.name} must be one of {series.labels}, got {label!r}")
        name = f"{series.name}_info" if series.kind == "info" and not series.name.endswith("_info") else series.name
    else:
        name = series
    return f"{name}{{{','.join((JOB, *matchers))}}}"


def top(series: Series | str, by: str, *matchers: str) -> str:
    """Return the series, once for each value of the labels `by`: two workers may show it while one takes over.

    >>> from lis_online.exporter.names import PUBLISHED
    >>> top(PUBLISHED, "")
    'max(lis_published_timestamp_seconds{job=~"$job"})'
    """
    over = f" by ({by}) " if by else ""
    return f"max{over}({pick(series, *matchers)})"


def newest(query: str) -> str:
    """Return what a query says of the newest version of each variant."""
    known = top(VERSION_NEWEST, "variant, version")
    return f"{query} and on (variant, version) ({known} == 1)"


def by_variant(of_source: str) -> str:
    """Return what a query says of sources, by `source`, for the chosen variants: each belongs to one source."""
    known = top(VARIANT, "variant, source", OF_VARIANT)
    return f"max by (variant) ({of_source} * on (source) group_right () {known})"


def rate(series: Series | str, by: str, *matchers: str) -> str:
    """Return a counter's increase per second, summed."""
    return f"sum by ({by}) (rate({pick(series, *matchers)}[$__rate_interval]))"


def age(series: Series, by: str, *matchers: str) -> str:
    """Return the seconds since a timestamp, as the worker knows it that has the shard now."""
    over = f" by ({by}) " if by else ""
    return f"time() - max{over}({pick(series, *matchers)})"


def quantile(share: float, series: Series, by: str, *matchers: str) -> str:
    """Return a quantile of a histogram, over `$__rate_interval`."""
    buckets = Series(f"{series.name}_bucket", "counter", (*series.labels, "le"), "")
    over = ", ".join(filter(None, ("le", by)))
    return f"histogram_quantile({share}, sum by ({over}) (rate({pick(buckets, *matchers)}[$__rate_interval])))"
