"""The numbers of the live page: one window of a publish shard's view, as JSON values."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from lis_online.history.rows import PAIR_ALIGNMENT
from lis_online.history.windows import window_name
from lis_online.metrics.alignment import NO_PAIRS
from lis_online.metrics.estimate import Estimate
from lis_online.metrics.layout import ALL
from lis_online.metrics.results import SliceNumbers
from lis_online.metrics.summary import events_summary, iso
from lis_online.shards.drift_view import DriftView
from lis_online.shards.view import OVERLAP, PublishView

DIGITS: Final = 4
"""Significant digits of a trail's values: a sparkline is 24 pixels high."""


EVENTS: Final = 20
"""Events of drift that are shown."""


def numbers_table(view: PublishView, window: int) -> dict[str, Any]:
    """Return what the page shows of a window, of the slice "all".

    A number is as in the summary, with its "trail": one value for each of the last points, None where there was none.
    """
    found = view.windows[window][ALL]
    return {
        "revision": view.revision,
        "as_of": iso(view.end or None),
        "window": window_name(window),
        "windows": [window_name(length) for length in shown(view)],
        "metric": view.metric,
        "samples": found.samples,
        "effective_users": found.effective_users,
        "warm_up": {"over": view.warm, "ends": iso(view.warm_from)},
        "trail": {"from": iso(view.trails.ends[0]), "points": len(view.trails.ends)} if view.trails.ends else None,
        "level": found.unleaked.get(view.metric, Estimate.none("not measured")).to_json(),
        "twin": found.twin.to_json(),
        "sources": [_source(view, window, name) for name in found.sources],
        "variants": list(_variants(view, window, found)),
        "set_aside": dict(view.set_aside),
        "drift": _drift(view.drift),
        "events": events_summary(view.counts),
    }


def shown(view: PublishView) -> tuple[int, ...]:
    """Return the windows there are to choose from: rolling ones, the shortest first, then the whole run."""
    rolling = sorted(length for length in view.windows if length > 0)
    return (*rolling, *(length for length in view.windows if length <= 0 and length != OVERLAP))


def default(view: PublishView) -> int:
    """Return the longest rolling window: the surest number that still follows a change."""
    return max((length for length in view.windows if length > 0), default=shown(view)[-1])


def _drift(found: DriftView | None) -> dict[str, Any] | None:
    """Return the newest events, open ones first, and how many numbers are judged; None where none are."""
    if found is None:
        return None
    events = sorted(found.to_json(), key=lambda event: not event["open"])
    return {"judged": len(found.away), "active": sum(found.away.values()), "events": events[:EVENTS]}


def _source(view: PublishView, window: int, name: str) -> dict[str, Any]:
    found = view.windows[window][ALL].sources[name]
    return {
        "name": name,
        "adjusted_lis": _followed(view, found.adjusted_lis, (window, "source", name, "adjusted_lis")),
        **{number: getattr(found, number).to_json() for number in ("lis", "past", "placebo", "bound")},
        "coverage": found.coverage,
    }


def _variants(view: PublishView, window: int, found: SliceNumbers) -> Iterator[dict[str, Any]]:
    """Yield each version that is measured. Its LIS is its source's."""
    newest = {(one.variant, one.version): one.newest for one in view.versions}
    for name, variant in found.variants.items():
        diagnosis = view.diagnoses.get(window, {}).get(ALL, {}).get(name)
        pairs = view.alignment.get(window, {}).get(name)
        share = Estimate.none(NO_PAIRS) if pairs is None else pairs.share
        yield {
            "key": name,
            "name": variant.variant,
            "version": variant.version,
            "newest": newest.get((variant.variant, variant.version), True),
            "source": variant.source,
            "diagnosis": None if diagnosis is None else diagnosis.diagnosis,
            "sentence": None if diagnosis is None else diagnosis.sentence,
            "adjusted_ais": _followed(view, variant.adjusted_ais, (window, "variant", name, "adjusted_ais")),
            "efficiency": _followed(view, variant.efficiency, (window, "variant", name, "efficiency")),
            "pair_alignment": _followed(view, share, (window, "variant", name, PAIR_ALIGNMENT)),
            "coverage": variant.coverage,
        }


def _followed(view: PublishView, estimate: Estimate, key: tuple[int, str, str, str]) -> dict[str, Any]:
    trail = view.trails.values.get(key, ())
    return {**estimate.to_json(), "trail": [None if v is None else float(f"{v:.{DIGITS}g}") for v in trail]}
