"""One rank group's windows: rolling ones, the whole run and the versions' overlap, with the warm-up kept out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from lis_online.events.windows_log import RankBucket, SlotVersion
from lis_online.history.bucket_state import BucketState, Learning
from lis_online.metrics.alignment import Key, PairAlignment
from lis_online.metrics.alignment_windows import AlignmentWindows
from lis_online.metrics.diagnosis import FORKED_SAMPLES, Diagnosis, diagnose
from lis_online.metrics.layout import Layout, slot_variant
from lis_online.metrics.numbers import numbers
from lis_online.metrics.presence import Presence
from lis_online.metrics.results import SliceNumbers
from lis_online.metrics.statistics import Statistics
from lis_online.metrics.version_keys import version_key
from lis_online.metrics.whole_run import WholeRun
from lis_online.metrics.windows import RollingWindow, Window
from lis_online.settings import Settings
from lis_online.shards.view import OVERLAP, WHOLE_RUN, VersionInfo
from lis_online.snapshots.steps import Steps

NOT_WARM: Final = "no samples after the warm-up"


class GroupWindows:
    """The windows of the settings, the whole run, and the overlap once a variant has a second version.

    LIS rises until the pair memory is full, so buckets of the warm-up are not in the whole run, and the
    rolling windows are emptied when the first bucket after it comes. Until then they show what there is, under the
    diagnosis that it is too early. rolling: whether to keep rolling windows at all.

    The overlap begins where the newest version of any variant does, and is emptied once, when that one's rankers
    have learnt: what they missed before is no fault of its vectors, and the older version's rankers knew theirs. A
    source that came later begins one too, once its own warm-up is over.
    """

    def __init__(self, settings: Settings, layout: Layout, rolling: bool = True) -> None:
        self._settings, self._layout = settings, layout
        self._lengths = list(dict.fromkeys(settings.metrics.windows)) if rolling else []
        self._warm = False
        self._first: int | None = None
        self._learnt = 0
        self._whole = WholeRun(layout, settings.metrics.bucket)
        self._rolling = self._empty_windows()
        self._overlap: WholeRun | None = None
        self._overlap_from = 0
        self.presence = Presence.of(layout)
        self._learning: dict[str, Learning] = {}
        self._ended: set[Key] = set()
        bucket, horizon = settings.metrics.bucket, settings.leakage.horizon
        kept = horizon + 2 * bucket + settings.drift.bucket
        self._alignment = AlignmentWindows(bucket, self._lengths, kept)

    @property
    def warm(self) -> bool:
        """Whether a bucket after the warm-up has come."""
        return self._warm

    @property
    def warm_from(self) -> int | None:
        """When the warm-up ends, ms: a bucket that starts then or later counts. None before the first sample."""
        return None if self._first is None else self._first + self._settings.warm_up

    @property
    def learnt(self) -> int:
        """Samples that the group's rankers have learnt from so far."""
        return self._learnt

    def note(self, bucket: RankBucket) -> None:
        """Take what a record says beside its statistics: versions, rankers, pair alignment."""
        if bucket.versions or not self._layout.variants:
            before = {(slot_variant(held.slot), held.version) for held in self.presence.versions}
            self.presence = Presence(bucket.versions, bucket.restarted, bucket.set_aside, bucket.sources)
            self._ended |= before
            self._ended -= {(slot_variant(held.slot), held.version) for held in bucket.versions}
        end = bucket.end + self._settings.leakage.horizon if bucket.end else 0
        self._alignment.update(bucket.alignment, end)
        warm_up = self._settings.warm_up
        begins = [held.began for held in self.presence.versions]
        newest = max(*begins, *(began + warm_up for began in self.presence.sources.values()), 0, 0)
        if newest > self._overlap_from:
            self._overlap_from = newest
            self._overlap = WholeRun(self._layout, self._settings.metrics.bucket)
            self._alignment.begin(newest)

    def update(self, start: int, first: int, statistics: Statistics, data: bytes) -> None:
        """Add a bucket. first: time of the group's first sample ever, ms; data: the statistics' bytes."""
        self._first = first
        self._learn(start, statistics.samples)
        self._learnt += statistics.samples + int(statistics.left_out[0])
        warm = self.warm_from is not None and start >= self.warm_from
        if warm and not self._warm:
            self._warm, self._rolling = True, self._empty_windows()
        if warm:
            self._whole.update(start, statistics)
            if self._overlap is not None and start >= self._overlap_from:
                self._overlap.update(start, statistics)
        if warm or not self._warm:
            for window in self._rolling:
                window.update(start, statistics, data)

    def get(self, end: int) -> dict[int, dict[str, SliceNumbers]]:
        """Return the numbers of each window that ends at `end`, by length and slice."""
        found = {window.length: self._numbers(window.get(end)) for window in self._rolling}
        overlap = self.overlap()
        return {**found, WHOLE_RUN: self.whole(), **({} if overlap is None else {OVERLAP: overlap})}

    def whole(self) -> dict[str, SliceNumbers]:
        """Return the numbers of the whole run by slice."""
        return self._numbers(self.span() or Window(0, 0, Statistics(self._layout), []))

    def span(self) -> Window | None:
        """Return the whole run, None while nothing is in it."""
        return self._whole.get()

    def overlap(self) -> dict[str, SliceNumbers] | None:
        """Return the numbers since the newest version began, by slice; None while no variant had a second one."""
        if self._overlap is None:
            return None
        return self._numbers(self._overlap.get() or Window(self._overlap_from, 0, Statistics(self._layout), []))

    def alignment(self) -> dict[int, dict[str, PairAlignment]]:
        """Return the pair alignment of each window by key of the variants.

        A version that has come in pair time, and not yet in that of the samples, stands as "v@2" beside "v".
        """
        found = {length: self._by_key(self._alignment.rolling(length)) for length in self._lengths}
        found[WHOLE_RUN] = self._by_key(self._alignment.whole())
        return found if self._overlap is None else {**found, OVERLAP: self._by_key(self._alignment.overlap())}

    def alignment_between(self, start: int, end: int) -> dict[str, PairAlignment]:
        """Return the pair alignment of [start, end) of pair time, ms, which is not long ago, by key of the variants."""
        return self._by_key(self._alignment.between(start, end))

    def learning(self, start: int) -> frozenset[str]:
        """Return the keys of the versions whose rankers were still learning in a window from `start` on, ms."""
        keyed = zip(self.presence.keys(), self.presence.versions, strict=True)
        return frozenset(key for key, held in keyed if self._is_learning(held, start) is not None)

    def versions(self) -> tuple[VersionInfo, ...]:
        """Return the versions that are measured now."""
        return tuple(
            VersionInfo(
                slot_variant(held.slot),
                held.version,
                None if held.since < 0 else held.since,
                held.newest,
                held.began or None,
            )
            for held in self.presence.versions
        )

    def state(self) -> BucketState:
        """Return what a reader of the newest bucket needs to know beside its statistics."""
        assert self._first is not None
        held = self.presence
        learning = {one.slot: self._learning[one.slot] for one in held.versions if one.slot in self._learning}
        versions = list(held.versions)
        return BucketState(self._first, versions, held.restarted, held.set_aside, learning, self._learnt, held.sources)

    def diagnoses(self, found: dict[str, SliceNumbers]) -> dict[str, dict[str, Diagnosis]]:
        """Return the diagnosis of each slice and variant of a window's numbers."""
        return {
            name: {
                key: diagnose(
                    one,
                    key,
                    self._settings.metrics,
                    self._early(one.variants[key].source, one.start),
                    self._is_learning(held, one.start),
                    self._learnt,
                )
                for key, held in zip(self.presence.keys(), self.presence.versions, strict=True)
            }
            for name, one in found.items()
        }

    def _early(self, source: str, start: int) -> int | None:
        """Return when the warm-up ends, of the group or of a source in a window from `start` on; None: it is over."""
        own = self.presence.warm_from(source, start, self._settings.warm_up)
        return own if self._warm else self.warm_from

    def copying(self) -> Steps[dict[str, Any]]:
        """Return the state as msgpack-able data, a window at a time."""
        whole = yield from self._whole.copying()
        rolling = {}
        for window in self._rolling:
            rolling[str(window.length)] = window.snapshot()
            yield
        return {
            "warm": self._warm,
            "first": self._first,
            "learnt": self._learnt,
            "whole": whole,
            "rolling": rolling,
            "overlap": None if self._overlap is None else (yield from self._overlap.copying()),
            "overlap_from": self._overlap_from,
            "versions": [list(msgspec.structs.astuple(held)) for held in self.presence.versions],
            "restarted": self.presence.restarted,
            "set_aside": self.presence.set_aside,
            "sources": self.presence.sources,
            "learning": {slot: list(msgspec.structs.astuple(one)) for slot, one in self._learning.items()},
            "ended": sorted(self._ended),
            "alignment": self._alignment.snapshot(),
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Replace the state by that of `copying`. A window that was not kept there begins empty."""
        self._warm, self._first, self._learnt = state["warm"], state["first"], state["learnt"]
        self._whole.restore(state["whole"])
        for window in self._rolling:
            window.restore(state["rolling"].get(str(window.length), []))
        self._overlap, self._overlap_from = None, state["overlap_from"]
        if state["overlap"] is not None:
            self._overlap = WholeRun(self._layout, self._settings.metrics.bucket)
            self._overlap.restore(state["overlap"])
        versions = [SlotVersion(*fields) for fields in state["versions"]]
        self.presence = Presence(versions, dict(state["restarted"]), dict(state["set_aside"]), dict(state["sources"]))
        self._learning = {slot: Learning(*fields) for slot, fields in state["learning"].items()}
        self._ended = {(variant, version) for variant, version in state["ended"]}
        self._alignment.restore(state["alignment"])

    def _learn(self, start: int, samples: int) -> None:
        """Count what the rankers of each version that came later have learnt from, before a bucket from `start` on."""
        for held in self.presence.versions:
            if not held.began:
                continue
            known = self._learning.get(held.slot)
            if known is None or known.began != held.began:
                known = self._learning[held.slot] = Learning(held.began)
            if known.learnt < 0 and known.samples >= FORKED_SAMPLES:
                known.learnt = start
                if held.began == self._overlap_from:
                    self._overlap = WholeRun(self._layout, self._settings.metrics.bucket)
            known.samples += samples

    def _is_learning(self, held: SlotVersion, start: int) -> int | None:
        """Return the samples a version's rankers have learnt from, None where a window from `start` on is after that.

        The samples are those of the group, also for a slice.
        """
        known = self._learning.get(held.slot) if held.began else None
        return None if known is None else known.get(start)

    def _by_key(self, found: Mapping[Key, PairAlignment]) -> dict[str, PairAlignment]:
        newest = {slot_variant(held.slot): held.version for held in self.presence.versions if held.newest}
        shown: dict[str, PairAlignment] = {}
        for (variant, version), one in found.items():
            if (variant, version) not in self._ended and variant in self._layout.variant_of:
                newest[variant] = newest.get(variant) or version  # none has come yet in the samples' time
                shown[version_key(variant, version, version == newest[variant])] = one
        return shown

    def _numbers(self, window: Window) -> dict[str, SliceNumbers]:
        return numbers(window, self._layout, self._settings.metrics.metric, NOT_WARM, self.presence)

    def _empty_windows(self) -> list[RollingWindow]:
        return [RollingWindow(self._layout, length, self._settings.metrics.bucket) for length in self._lengths]
