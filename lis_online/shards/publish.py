"""The publish shard: finished buckets and join reports become windows, numbers, diagnoses and rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

import msgspec

from lis_online.errors import BlockError
from lis_online.events.windows_log import JoinReport, RankBucket, UserTotalsBucket, WindowsRecord, decode
from lis_online.history import bucket_state
from lis_online.history.rows import AlignmentRow, BucketRow, HistoryRow, UserTotalsRow
from lis_online.metrics.alignment import PairAlignment
from lis_online.metrics.layout import ALL, Layout
from lis_online.metrics.relaid import axes
from lis_online.metrics.results import SliceNumbers
from lis_online.metrics.statistics import Statistics
from lis_online.metrics.summary import Judged, events_summary, iso, numbers_summary
from lis_online.metrics.windows import Window
from lis_online.records import MAX_TIME, Outgoing, Record
from lis_online.settings import Settings
from lis_online.shards import publish_renaming
from lis_online.shards.arm_reports import ArmReports, counts_of
from lis_online.shards.drift_view import drift_rows
from lis_online.shards.drift_watch import DriftWatch
from lis_online.shards.experiment_summary import experiment_summary
from lis_online.shards.group_windows import GroupWindows
from lis_online.shards.parts import PartAssembler
from lis_online.shards.publish_rows import report_rows, view_rows
from lis_online.shards.spans import Spans
from lis_online.shards.trails import Trails, watched
from lis_online.shards.view import OVERLAP, WHOLE_RUN, PublishView
from lis_online.snapshots.contract import Saving, Snapshot
from lis_online.snapshots.steps import Steps, Stepwise, whole

TOPIC: Final = "windows"
PUBLISHED: Final = 0
"""The rank group whose numbers are published; the buckets of every group are kept."""


class _Group:
    """What is kept of one rank group."""

    def __init__(self, settings: Settings, layout: Layout, rolling: bool) -> None:
        self.parts = PartAssembler()
        self.windows = GroupWindows(settings, layout, rolling)
        self.spans = Spans(layout, settings.metrics.bucket)
        self.trails = Trails()
        self.end = 0
        self.revision = -1
        self.late_side = 0
        self.left_out = 0
        self.finished = False
        self.current = False

    @property
    def set_aside(self) -> dict[str, str]:
        """The rankers that are set aside and why, named as in the numbers."""
        presence = self.windows.presence
        return {presence.key(name): reason for name, reason in presence.set_aside.items()}

    def copying(self) -> Steps[dict[str, Any]]:
        """Return the state as msgpack-able data, a sum of statistics at a time."""
        return {
            "parts": self.parts.snapshot(),
            "windows": (yield from self.windows.copying()),
            "spans": (yield from self.spans.copying()),
            "trails": self.trails.snapshot(),
            "current": self.current,
            "rest": [self.end, self.revision, self.late_side, self.left_out, self.finished],
        }

    def summary(self) -> dict[str, Any]:
        """Return the numbers over the whole run, and each version's over the overlap of versions."""
        alignment, overlap = self.windows.alignment(), self.windows.overlap()
        whole = self._judged(self.windows.whole(), alignment[WHOLE_RUN])
        if overlap is None:
            return numbers_summary(whole)
        keys, versions = self.windows.presence.keys(), self.windows.versions()
        since = {key: found.since for key, found in zip(keys, versions, strict=True)}
        return numbers_summary(whole, self._judged(overlap, alignment[OVERLAP]), since)

    def _judged(self, found: dict[str, SliceNumbers], alignment: dict[str, PairAlignment]) -> Judged:
        return Judged(found[ALL], self.windows.diagnoses({ALL: found[ALL]})[ALL], alignment)


class PublishShard:
    """The state behind the windows topic.

    Rows and `current` after a bucket are a function of the topic's records up to it. The arms of a bucket are those of
    the join shards' newest reports on it or an earlier one. rolling: False keeps the whole run alone, and
    makes no rows: all that a summary needs, at a fraction of the time.
    """

    def __init__(self, settings: Settings, layout: Layout, rolling: bool = True) -> None:
        self._settings, self._layout, self._keep_rolling = settings, layout, rolling
        self._position = 0
        self._reports = ArmReports(settings)
        self._groups: dict[int, _Group] = {}
        self._drift = self._new_drift()
        self._rows: list[HistoryRow] = []
        self._current: PublishView | None = None
        self._saving: Stepwise | None = None

    @property
    def positions(self) -> Mapping[str, int]:
        """The next offset of the windows topic."""
        return {TOPIC: self._position}

    @property
    def current(self) -> PublishView | None:
        """The numbers after the newest bucket, None before any; always None without rolling windows."""
        return self._current

    @property
    def finished(self) -> bool:
        """Whether every rank group that was seen has said that nothing follows."""
        return bool(self._groups) and all(group.finished for group in self._groups.values())

    def feed(self, records: Sequence[Record]) -> list[Outgoing]:
        """Apply records; nothing is sent on. Raises BlockError on a bucket that is missing or unreadable."""
        for record in records:
            if record.offset < self._position:
                continue
            if record.value is not None:
                self._apply(decode(record.value))
            self._position = record.offset + 1
        return []

    def take_rows(self) -> list[HistoryRow]:
        """Return the rows since the last call, oldest first."""
        rows, self._rows = self._rows, []
        return rows

    def whole_run(self) -> Window | None:
        """Return the sum of everything after the warm-up, None while there is nothing: a view, as `Window` says.

        Its layout is that of the slots in use.
        """
        group = self._groups.get(PUBLISHED)
        span = None if group is None else group.windows.span()
        return None if span is None or group is None else span.take(group.windows.presence.slots(self._layout))

    def summary(self) -> dict[str, Any]:
        """Return the numbers over the whole run after warm-up, arms and experiments over everything, as JSON-able data.

        from, to: the stretch behind the numbers; where there are none, the first and last impression.
        """
        group = self._groups.get(PUBLISHED) or self._new_group()
        reports = self._reports.latest()
        span = group.windows.span()
        first = min((r.first for r in reports if r.first >= 0), default=None)
        last = max((r.last for r in reports if r.last >= 0), default=None)
        body = group.summary()
        arms: dict[str, dict[str, Any]] = {experiment.name: {} for experiment in self._settings.experiment}
        for arm in self._reports.arms(reports):
            figures = {"users": arm.users, "impressions": arm.impressions, "ctr": arm.ctr.to_json()}
            arms[arm.experiment][arm.arm] = figures
        experiments = self._reports.experiments(reports)
        return {
            "samples": body.pop("samples"),
            "slates": body.pop("slates"),
            "from": iso(first if span is None else span.start),
            "to": iso(last if span is None else span.end),
            "events": events_summary(counts_of(reports)),
            "set_aside": group.set_aside,
            **body,
            "arms": arms,
            "experiments": {name: experiment_summary(found) for name, found in experiments.items()},
        }

    def live_summary(self) -> dict[str, Any]:
        """Return the summary and the newest drift event of each number; None where none are looked for."""
        return {**self.summary(), "drift": None if self._drift is None else self._drift.get().to_json()}

    def snapshot(self) -> Snapshot:
        """Copy the state."""
        return whole(self.begin_snapshot())

    def begin_snapshot(self) -> Saving:
        """Begin to copy the state, a sum of statistics at a time.

        The sums change with a bucket alone: one that comes before they are copied finishes the copy first.
        """
        meta = {
            "axes": [list(names) for names in axes(self._layout)],
            "position": self._position,
            "reports": self._reports.snapshot(),
            "rows": msgspec.msgpack.encode(self._rows),
        }
        if self._saving is not None:
            self._saving.abandon()
        self._saving = Stepwise(self._copying(meta))
        return self._saving

    def _copying(self, meta: dict[str, Any]) -> Steps[Snapshot]:
        groups = []
        for name, group in sorted(self._groups.items()):
            groups.append({"group": name, **(yield from group.copying())})
        drift = None if self._drift is None else (yield from self._drift.copying())
        self._saving = None
        return Snapshot({**meta, "groups": groups, "drift": drift})

    def restore(self, snapshot: Snapshot) -> None:
        """Replace the state. That of settings with other names goes on under those that are the same."""
        meta = snapshot.meta
        if not publish_renaming.is_same(self._layout, meta["axes"]):
            meta = publish_renaming.renamed(meta, self._layout)
        self._position = meta["position"]
        self._reports.restore(meta["reports"])
        self._rows = msgspec.msgpack.decode(meta["rows"], type=list[HistoryRow])
        self._groups, self._current, self._drift = {}, None, self._new_drift()
        if self._drift is not None and meta.get("drift") is not None:  # else it begins anew
            self._drift.restore(meta["drift"])
        for state in meta["groups"]:
            group = self._groups[state["group"]] = self._new_group()
            group.parts.restore(state["parts"])
            group.windows.restore(state["windows"])
            group.spans.restore(state.get("spans", []))  # a release that made none wrote it: the next ones are whole
            group.trails = Trails.restore(state.get("trails", []))  # as for the spans: they begin anew
            group.current = state["current"]
            group.end, group.revision, group.late_side, group.left_out, group.finished = state["rest"]
        published = self._groups.get(PUBLISHED)
        if published is not None and published.revision >= 0 and self._keep_rolling:
            self._current = self._view(published)

    def _apply(self, record: WindowsRecord) -> None:
        if isinstance(record, JoinReport):
            self._reports.update(record)
            return
        if isinstance(record, UserTotalsBucket):
            self._keep_totals(record)
            return
        if self._saving is not None:
            whole(self._saving)
        if record.group not in self._groups:
            self._groups[record.group] = self._new_group()
        group = self._groups[record.group]
        bucket = group.parts.update(record)
        if bucket is not None:
            self._publish(group, self._own(group, bucket))

    def _own(self, group: _Group, bucket: RankBucket) -> RankBucket:
        """Return what a bucket has that the settings do.

        Once one came that was made under the same names, a name that these settings do not have is refused: the rank
        workers run under newer ones.
        """
        names = publish_renaming.foreign(bucket, self._layout)
        if names and group.current:
            raise BlockError(
                f"rank group {bucket.group} sends {names[0]!r}, which these settings do not have: the rank workers run "
                "under newer settings; start this worker under them too (a name that has left them again can leave "
                "these once the log is read)"
            )
        group.current |= publish_renaming.is_own(bucket, self._layout)
        return publish_renaming.own(bucket, self._layout)

    def _keep_totals(self, bucket: UserTotalsBucket) -> None:
        if not self._keep_rolling:
            return
        row = UserTotalsRow(
            bucket.start, bucket.end, bucket.experiment, bucket.shard, bucket.part, bucket.users, bucket.data,
            bucket.end,
        )  # fmt: skip
        self._rows.append(row)

    def _publish(self, group: _Group, bucket: RankBucket) -> None:
        group.revision, group.late_side, group.finished = bucket.sequence, bucket.late_side, bucket.final
        self._look_for_drift(group, bucket, bucket.start)
        group.windows.note(bucket)
        if bucket.data:
            self._add(group, bucket)
        if self._keep_rolling:
            if bucket.final:
                self._rows += group.spans.finish(bucket.group)
            length = self._settings.metrics.bucket
            self._rows += [
                AlignmentRow(start, start + length, bucket.group, data, bucket.sequence)
                for start, data in bucket.alignment
            ]
        if bucket.group != PUBLISHED:
            return
        self._reports.advance(MAX_TIME if bucket.final else bucket.end)
        self._look_for_drift(group, bucket, bucket.end)
        if self._keep_rolling:
            self._current = self._followed(group)
            if bucket.data:
                self._rows += view_rows(self._current)
            elif group.end:
                self._rows += report_rows(self._current)

    def _look_for_drift(self, group: _Group, bucket: RankBucket, now: int) -> None:
        """Take a detection bucket that ended at or before `now`, ms: from the published group's buckets."""
        if self._drift is None or bucket.group != PUBLISHED:
            return
        changed = self._drift.close(now, group.windows, counts_of(self._reports.current()))
        self._rows += drift_rows(changed, self._drift.bucket, bucket.sequence)

    def _followed(self, group: _Group) -> PublishView:
        """Return the view after a bucket, itself the last point of its trails."""
        view = self._view(group)
        if view.end:
            group.trails = group.trails.plus(view.end, watched(view.windows, view.alignment))
        return replace(view, trails=group.trails)

    def _add(self, group: _Group, bucket: RankBucket) -> None:
        statistics = Statistics.decode(self._layout, bucket.data)
        group.windows.update(bucket.start, bucket.first, statistics, bucket.data)
        group.left_out += int(statistics.left_out[0])
        group.end = bucket.end
        if self._drift is not None and bucket.group == PUBLISHED:
            self._drift.update(bucket.start, statistics, group.windows)
        if self._keep_rolling:
            row = BucketRow(
                bucket.start, bucket.end, bucket.group, statistics.samples, bucket.data, bucket.sequence,
                bucket_state.encode(group.windows.state()),
            )  # fmt: skip
            self._rows.append(row)
            self._rows += group.spans.update(row, statistics)

    def _view(self, group: _Group) -> PublishView:
        windows = group.windows.get(group.end)
        reports = self._reports.current()
        return PublishView(
            end=group.end,
            revision=group.revision,
            metric=self._settings.metrics.metric,
            windows=windows,
            diagnoses={length: group.windows.diagnoses(found) for length, found in windows.items()},
            arms=self._reports.arms(reports),
            counts=counts_of(reports),
            set_aside=group.set_aside,
            late_side=group.late_side,
            left_out=group.left_out,
            warm_from=group.windows.warm_from,
            warm=group.windows.warm,
            versions=group.windows.versions(),
            alignment=group.windows.alignment(),
            experiments=self._reports.experiments(reports),
            trails=group.trails,
            drift=None if self._drift is None else self._drift.get(),
        )

    def _new_drift(self) -> DriftWatch | None:
        looked_for = self._keep_rolling and self._settings.drift.enabled
        return DriftWatch(self._settings, self._layout) if looked_for else None

    def _new_group(self) -> _Group:
        return _Group(self._settings, self._layout, self._keep_rolling)
