"""A publish shard's snapshot, and buckets of the log, under other settings: what both know goes on under its name."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from lis_online.drift.reading import SOURCE, VARIANT
from lis_online.events.windows_log import RankBucket
from lis_online.metrics import alignment
from lis_online.metrics.blocks import Block
from lis_online.metrics.layout import Layout, slot_variant
from lis_online.metrics.relaid import axes, layout_of, relaid, relaid_block
from lis_online.metrics.statistics import axes_of
from lis_online.metrics.version_keys import variant_of


def is_same(layout: Layout, saved: Sequence[Sequence[str]]) -> bool:
    """Say whether a snapshot's axes are a layout's."""
    return [list(names) for names in axes(layout)] == [list(names) for names in saved]


def renamed(meta: dict[str, Any], layout: Layout) -> dict[str, Any]:
    """Return a publish shard's meta in a layout.

    The open spans are left out: they are sums of buckets of a configuration that has ended.
    """
    old = layout_of(meta["axes"])
    groups = [
        {
            **group,
            "windows": _windows(group["windows"], old, layout),
            "spans": [],
            "trails": _trails(group["trails"], layout),
            "current": False,
        }
        for group in meta["groups"]
    ]
    drift = meta["drift"]
    return {**meta, "groups": groups, "drift": drift and _drift(drift, old, layout)}


def foreign(bucket: RankBucket, layout: Layout) -> list[str]:
    """Return what a bucket is of and a layout does not have: slices, sources, slots of variants."""
    _, slices, sources, slots = axes_of(bucket.data) if bucket.data else ([], [], [], [])
    return sorted({*slices} - {*layout.slices} | {*sources} - {*layout.sources} | {*slots} - {*layout.variants})


def is_own(bucket: RankBucket, layout: Layout) -> bool:
    """Say whether a bucket is of all slices, sources and variants of a layout, and of no others."""
    if not bucket.data or foreign(bucket, layout):
        return False
    _, slices, sources, slots = axes_of(bucket.data)
    variants = {slot_variant(slot) for slot in slots}
    return {*layout.slices, *layout.sources} == {*slices, *sources} and variants == {*layout.variant_of}


def own(bucket: RankBucket, layout: Layout) -> RankBucket:
    """Return a bucket of the log with what a layout has of it.

    A source that it does not have begins after it at the earliest.
    """
    data, sources = bucket.data, {n: at for n, at in bucket.sources.items() if n in layout.sources}
    if data:
        there = axes_of(data)[2]
        sources |= {name: bucket.end for name in layout.sources if name not in there}
        data = relaid(layout, data)
    return msgspec.structs.replace(
        bucket,
        data=data,
        sources=sources,
        versions=[held for held in bucket.versions if held.slot in layout.variants],
        restarted={name: at for name, at in bucket.restarted.items() if name in layout.rankers},
        set_aside={name: reason for name, reason in bucket.set_aside.items() if name in layout.rankers},
        alignment=_tallies(bucket.alignment, layout),
    )


def _tallies(buckets: Sequence[tuple[int, bytes]], layout: Layout) -> list[tuple[int, bytes]]:
    found = []
    for start, data in buckets:
        decoded = alignment.decode(data)
        kept = {key: one for key, one in decoded.items() if key[0] in layout.variant_of}
        if kept:
            found.append((start, data if len(kept) == len(decoded) else alignment.encode(kept)))
    return found


def _windows(state: dict[str, Any], old: Layout, layout: Layout) -> dict[str, Any]:
    variants = layout.variant_of
    overlap = state["overlap"]
    return {
        **state,
        "whole": _whole(state["whole"], old, layout),
        "rolling": {
            length: [(start, relaid(layout, data)) for start, data in tiles]
            for length, tiles in state["rolling"].items()
        },
        "overlap": overlap and _whole(overlap, old, layout),
        "versions": [held for held in state["versions"] if held[0] in layout.variants],
        "restarted": {name: at for name, at in state["restarted"].items() if name in layout.rankers},
        "set_aside": {name: reason for name, reason in state["set_aside"].items() if name in layout.rankers},
        "sources": {name: at for name, at in state["sources"].items() if name in layout.sources},
        "learning": {slot: one for slot, one in state["learning"].items() if slot in layout.variants},
        "ended": [one for one in state["ended"] if one[0] in variants],
    }


def _whole(state: dict[str, Any], old: Layout, layout: Layout) -> dict[str, Any]:
    blocks = [[key, *relaid_block(layout, old, Block.restore(old, data)).snapshot()] for key, *data in state["blocks"]]
    return {**state, "total": relaid(layout, state["total"]), "blocks": blocks}


def _is_known(kind: str, subject: str, layout: Layout) -> bool:
    if kind == SOURCE:
        return subject in layout.sources
    return kind != VARIANT or slot_variant(variant_of(subject)) in layout.variant_of


def _trails(state: list[Any], layout: Layout) -> list[Any]:
    if not state:
        return state
    ends, values = state
    return [ends, [one for one in values if _is_known(one[1], one[2], layout)]]


def _drift(state: dict[str, Any], old: Layout, layout: Layout) -> dict[str, Any]:
    """Return drift's state without the series of what has left."""
    trackers, events = state["monitor"]
    return {
        **state,
        "sum": _whole(state["sum"], old, layout),
        "monitor": [
            [one for one in trackers if _is_known(one[0][0], one[0][1], layout)],
            [one for one in events if _is_known(one[2][0], one[2][1], layout)],
        ],
        "latest": [one for one in state["latest"] if _is_known(one[2][0], one[2][1], layout)],
        "told": [one for one in state["told"] if _is_known(one[0], one[1], layout)],
    }
