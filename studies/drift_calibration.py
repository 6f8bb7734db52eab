"""How the numbers of real runs vary from bucket to bucket: what the simulated numbers of `drift_feed` are made like."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import Any, Final

import numpy as np

from lis_online.drift.monitor import Monitor
from lis_online.drift.reading import Reading, Series
from lis_online.drift.readings import readings
from lis_online.drift.reference import NUMERATOR, linear
from lis_online.drift.tuning import Tuning
from lis_online.events.windows_log import RankBucket, decode
from lis_online.metrics import alignment
from lis_online.metrics.alignment import PairAlignment
from lis_online.metrics.blocks import Block
from lis_online.metrics.layout import Layout
from lis_online.metrics.presence import Presence
from lis_online.metrics.statistics import Statistics
from lis_online.metrics.version_keys import version_key
from lis_online.metrics.windows import Window
from lis_online.records import Record
from lis_online.settings import Settings
from lis_online.shards.parts import PartAssembler
from lis_online.shards.pipeline import Pipeline
from lis_online.simulate.kinds import build, events_of
from lis_online.simulate.scenarios import scenario
from studies.drift_feed import START

MINUTE: Final = 60_000
SHOWN: Final = (
    ("source", "full", "adjusted_lis"),
    ("source", "half_noise", "adjusted_lis"),
    ("source", "full", "coverage"),
    ("variant", "good", "adjusted_ais"),
    ("variant", "weak", "adjusted_ais"),
    ("variant", "good", "efficiency"),
    ("variant", "good", "pair_alignment"),
    ("variant", "weak", "pair_alignment"),
    ("variant", "good", "coverage"),
    ("unleaked", "", "auc"),
    ("unleaked", "", "twin"),
    ("input", "", "log_samples"),
)


class _Recorder:
    """Stands where the publish shard would: keeps the finished buckets."""

    def __init__(self) -> None:
        self.buckets: list[RankBucket] = []
        self._parts = PartAssembler()

    def feed(self, records: list[Record]) -> list[Any]:
        """Keep what is a bucket."""
        for record in records:
            found = decode(record.value or b"")
            whole = self._parts.update(found) if isinstance(found, RankBucket) else None
            if whole is not None:
                self.buckets.append(whole)
        return []


def recorded(name: str, slates: int, width: int, seed: int = 1) -> Iterator[list[Reading]]:
    """Yield the readings of a scenario after its warm-up, over non-overlapping stretches of `width` ms."""
    world = scenario(name)
    settings = Settings.of(world.settings)
    pipeline, recorder = Pipeline(settings), _Recorder()
    pipeline.publish = recorder  # type: ignore[assignment]
    for _, topic, value in events_of(build(world.world, seed, START), slates):
        pipeline.update(topic, value)
    pipeline.finish()
    yield from _stretches(recorder.buckets, settings, width)


def _stretches(buckets: list[RankBucket], settings: Settings, width: int) -> Iterator[list[Reading]]:
    layout, warm = Layout.of(settings), buckets[0].first + settings.warm_up
    pairs: dict[int, alignment.Tallies] = defaultdict(dict)
    grouped: dict[int, list[RankBucket]] = defaultdict(list)
    for bucket in buckets:
        for start, data in bucket.alignment:
            alignment.merge(pairs[start // width], alignment.decode(data))
        if bucket.data and bucket.start // width * width >= warm:
            grouped[bucket.start // width].append(bucket)
    for key in sorted(grouped)[:-1]:  # the last one may not be whole
        last = grouped[key][-1]
        presence = Presence(last.versions, last.restarted, last.set_aside)
        window = _window(layout, grouped[key], key * width, width)
        aligned = {
            presence_key: found
            for (variant, version), tally in pairs[key].items()
            for presence_key, found in _aligned(presence, variant, version, tally)
        }
        yield readings(window, layout, settings.metrics.metric, presence, aligned)


def _aligned(presence: Presence, variant: str, version: str, tally: np.ndarray) -> list[tuple[str, PairAlignment]]:
    keys = [
        key
        for key, held in zip(presence.keys(), presence.versions, strict=True)
        if version_key(key.partition("@")[0], held.version, newest=False) == version_key(variant, version, newest=False)
    ]
    found = PairAlignment(variant, version, alignment.share(tally[None]), int(tally[alignment.PAIRS].sum()), 0, 0)
    return [(key, found) for key in keys]


def _window(layout: Layout, buckets: list[RankBucket], start: int, width: int) -> Window:
    statistics = [Statistics.decode(layout, bucket.data) for bucket in buckets]
    total = Statistics(layout)
    for one in statistics:
        total.merge(one)
    return Window(start, start + width, total, [Block.of(one) for one in statistics] if len(statistics) > 1 else [])


def calibration(slates: int, width: int = 10 * MINUTE) -> list[dict[str, Any]]:
    """Return, for each of `SHOWN`, level, noise and what buckets vary beyond it, in the scenario `sources`.

    A straight line is taken out: over these hours the rankers still learn.
    """
    rows: dict[Series, list[tuple[float, ...]]] = defaultdict(list)
    for bucket in recorded("sources", slates, width):
        for reading in bucket:
            if reading.parts is not None:
                rows[reading.series].append((reading.time, *reading.parts, reading.samples))
    return [_figures(Series(*name), np.array(rows[Series(*name)])) for name in SHOWN]


def _figures(series: Series, rows: np.ndarray) -> dict[str, Any]:
    parts, samples = rows[:, :-1], rows[:, -1]
    ratio, scale = parts[:, NUMERATOR].sum() / parts[:, 2].sum(), parts[:, 2].mean()
    value, variance = linear(parts, ratio, scale)
    place = np.arange(len(value))
    off = value - np.polyval(np.polyfit(place, value, 1), place)
    standard = off / np.sqrt(variance)
    return {
        "series": "/".join(series),
        "buckets": len(value),
        "samples": float(samples.mean()),
        "level": float(value.mean()),
        "unit": float(np.sqrt(np.mean(variance * samples))),
        "spread": float(standard.std(ddof=2)),
        "beyond": float(np.sqrt(max(off.var(ddof=2) - variance.mean(), 0.0)) / abs(value.mean())),
        "lag_1": float(np.corrcoef(standard[1:], standard[:-1])[0, 1]),
    }


FAST: Final = Tuning(bucket=2 * MINUTE, learning=16 * MINUTE, window=120 * MINUTE, gap=4 * MINUTE, same=30 * MINUTE)
"""The tuning for a scenario of two hours: the same in buckets of two minutes, with a reference of eight of them."""


def end_to_end(slates: int, tuning: Tuning = FAST) -> list[dict[str, Any]]:
    """Return the events of the scenario `versions` through the whole pipeline; delays from the switch, minutes."""
    monitor, found = Monitor(tuning), {}
    switch = START + 60 * MINUTE
    for bucket in recorded("versions", slates, tuning.bucket):
        found |= {(event.series, event.time): event for event in monitor.update(bucket)}
    return [
        {
            "series": "/".join(event.series),
            "delay_minutes": (event.detected_at + tuning.bucket - switch) / MINUTE,
            "cause": event.cause,
            "about": event.about,
            "sentence": event.sentence,
        }
        for event in found.values()
    ]
