"""Numbers over a range as JSON values."""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

from lis_online.history.ranges import RangeNumbers
from lis_online.history.times import iso
from lis_online.metrics.layout import ALL
from lis_online.metrics.summary import Judged, numbers_summary
from lis_online.metrics.version_keys import ranker_key, version_key
from lis_online.settings.durations import format_duration

NO_STATE = "which versions were measured is not recorded: an earlier release wrote these buckets"


def range_json(found: RangeNumbers, zone: ZoneInfo | None = None) -> dict[str, Any]:
    """Return the answer: what was asked, what it covers, and by slice the numbers in the form of the summary.

    zone: that of the times in it; None for UTC.
    """
    return {
        "configuration": found.configuration,
        "from": iso(found.start, zone),
        "to": iso(found.end, zone),
        "covered": {"from": iso(found.covered[0], zone), "to": iso(found.covered[1], zone)},
        "exact_to": format_duration(found.longest),
        "buckets": found.buckets,
        "warm_up": _warm_up(found, zone),
        "gaps": [{"from": iso(since, zone), "to": iso(until, zone)} for since, until in found.gaps],
        "short_gaps": format_duration(found.short_gaps),
        "left_out": found.left_out,
        "set_aside": _set_aside(found),
        "versions": NO_STATE if found.state is None else _versions(found, zone),
        "slices": {name: _slice(found, name) for name in found.slices},
    }


def _slice(found: RangeNumbers, name: str) -> dict[str, Any]:
    pairs = found.alignment if name == ALL else {}  # pairs belong to no slice
    return numbers_summary(Judged(found.slices[name], found.diagnoses[name], pairs), since=_since(found))


def _warm_up(found: RangeNumbers, zone: ZoneInfo | None) -> dict[str, Any]:
    until = None if found.warm_from is None else iso(found.warm_from, zone)
    return {"until": until, "buckets_left_out": found.warm_up_buckets}


def _set_aside(found: RangeNumbers) -> dict[str, str]:
    if found.state is None:
        return {}
    return {ranker_key(name, found.state.versions): reason for name, reason in found.state.set_aside.items()}


def _since(found: RangeNumbers) -> dict[str, int | None]:
    held = [] if found.state is None else found.state.versions
    keys = found.slices[next(iter(found.slices))].variants
    return {key: None if one.since < 0 else one.since for key, one in zip(keys, held, strict=False)}


def _versions(found: RangeNumbers, zone: ZoneInfo | None) -> list[dict[str, Any]]:
    """Return the versions that were measured at the range's end; began: None for those that began with the group."""
    assert found.state is not None
    variants = found.slices[next(iter(found.slices))].variants.values()
    return [
        {
            "variant": one.variant,
            "version": held.version,
            "key": version_key(one.variant, held.version, held.newest),
            "newest": held.newest,
            "began": iso(held.began, zone) if held.began else None,
        }
        for one, held in zip(variants, found.state.versions, strict=True)
    ]
