"""The join shard: impressions, feedback, preferences and vectors of one partition become blocks of the rank log."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, Literal

from lis_online.errors import EventRefused
from lis_online.events import forget_request, reasons
from lis_online.events.dead_letters import dead_letter
from lis_online.events.decode import check_not_ahead
from lis_online.events.names import Names
from lis_online.events.person_hashes import key_digest
from lis_online.events.wire import END_TICK, Feedback, Impression
from lis_online.join.ahead import AheadJudge
from lis_online.join.arrivals import Arrivals
from lis_online.join.blocks import Blocks
from lis_online.join.clock import PartitionClock
from lis_online.join.columns import MAX_BYTES
from lis_online.join.joiner import Joiner
from lis_online.join.read_again import ReadAgain
from lis_online.join.side import SideRecords
from lis_online.mapping.codec import Codec
from lis_online.records import MAX_TIME, Outgoing, Record
from lis_online.settings import Settings
from lis_online.snapshots.contract import Saving, Snapshot
from lis_online.snapshots.steps import Steps, Stepwise, whole

MAIN: Final = ("impressions", "feedback")
SIDE: Final = ("representations", "preferences")
"""Logical input topics. Only the main ones have event time that is waited for."""

PILED_UP: Final = 10_000
"""Records that may wait whatever their times: some 10 MB."""

Held = tuple[Record, Impression | Feedback]


class JoinShard:
    """The state behind one partition of each input topic.

    judge_clock: what shows that a record's clock runs ahead, "record" for its Kafka timestamp where it
    has one, "median" for its neighbours always (`join/ahead.py`; a recorded log has nothing else).
    Slates, pairs, reports and users' totals are a function of each main partition's own order, whatever the
    interleaving and batching (of `idle` calls too: the caller logs them). Each impression and feedback record has
    one fate in `counts` ("accepted", a late one, "duplicate", "unknown_action", "tombstone", "skipped" by the
    settings' mapping, or a dead letter's reason), each event of a record that the mapping makes several of;
    "unattributed", "unknown_arm", "unknown_surface" and "forgotten" are marks on accepted ones. Of side records only
    tombstones, skipped and refused ones are counted, at once.
    """

    def __init__(self, settings: Settings, shard: int, judge_clock: Literal["record", "median"] = "record") -> None:
        self._settings = settings
        self._shard = shard
        self._by_record = judge_clock == "record"
        self._max_ahead = settings.events.max_ahead
        self._key = key_digest(settings.privacy)
        self._codec = Codec(settings.mapping)
        self._positions: dict[str, int] = {}
        self._clocks = {topic: PartitionClock(settings.events.allowed_lateness) for topic in MAIN}
        self._judges = {topic: AheadJudge[Held](self._max_ahead) for topic in MAIN}
        self._arrivals = Arrivals(settings)
        self._joiner = Joiner(settings, shard)
        self._side = SideRecords(settings, MAX_BYTES, self._codec)
        self._blocks = Blocks(shard, Names.of(settings))
        self._again = ReadAgain(Names.of(settings).variants)
        self._after_end: Counter[str] = Counter()
        self._letters: list[Outgoing] = []
        self._finished = False
        self._saving: Stepwise | None = None

    @property
    def positions(self) -> Mapping[str, int]:
        """The next offset to read of each logical topic."""
        return self._positions

    @property
    def counts(self) -> dict[str, int]:
        """Records by fate so far; a record that waits is not counted yet."""
        return dict(sorted((self._joiner.counts + self._after_end).items()))

    @property
    def watermark(self) -> int:
        """The event time up to which everything has been applied, ms; -1 while unknown, MAX_TIME after the end."""
        return min(clock.get() for clock in self._clocks.values())

    def ahead(self) -> str | None:
        """Return the main topic that was read so far ahead of the other that its records pile up; None for neither.

        A worker that catches up reads both as fast as they come, by bytes, not by event time: what is ahead waits
        here, and would be more the further there is to catch up. May be called from any thread.
        """
        if self._joiner.waiting < PILED_UP:
            return None
        first, last = sorted(MAIN, key=lambda topic: self._clocks[topic].get())
        distance = self._clocks[last].get() - self._clocks[first].get()
        return last if distance > self._settings.events.allowed_lateness else None

    def feed(self, records: Sequence[Record]) -> list[Outgoing]:
        """Apply records; return dead letters, then reports and users' totals, then blocks.

        Raises RegistryError, with nothing applied, where a schema that one of them needs cannot be fetched now.
        """
        self._codec.prepare(records)
        for record in records:
            if record.offset < self._positions.get(record.topic, 0):
                continue
            try:
                self._read(record)
            except EventRefused as refused:
                self._refuse(record, refused)
            self._positions[record.topic] = record.offset + 1
        return self._advance()

    def idle(self, topic: str) -> list[Outgoing]:
        """Pass over a main partition that has nothing more to read.

        Once: its watermark becomes the other partition's current highest time less the lateness, and stays
        there until it has newer records or is passed over again; a later record behind it is late.
        """
        self._settle(self._judges[topic].flush())
        (other,) = set(MAIN) - {topic}
        self._clocks[topic].pass_over(self._clocks[other])
        return self._advance()

    def silent(self, time: int) -> list[Outgoing]:
        """Go on to a time, ms, that other join shards have passed: neither main partition has more to read.

        Pending slates whose window has ended by then come out; a later record at or before that time is late.
        """
        for topic in MAIN:
            self._settle(self._judges[topic].flush())
            self._clocks[topic].pass_to(time)
        return self._advance()

    def snapshot(self) -> Snapshot:
        """Copy the state."""
        return whole(self.begin_snapshot())

    def begin_snapshot(self) -> Saving:
        """Begin to copy the state; what was begun before and is not complete is given up.

        Nothing in it leads to a user whose id the settings hash under a key, but for records without a Kafka
        timestamp: the few that wait for their neighbours (`join/ahead.py`) are in it as they came, because one that is
        refused goes to the dead letters as it came.
        """
        if self._saving is not None:
            self._saving.abandon()
        judges = {
            topic: [judge.snapshot(), [list(record) for record, _ in judge.held()]]
            for topic, judge in self._judges.items()
        }
        meta = {
            "positions": dict(self._positions),
            "clocks": {topic: clock.snapshot() for topic, clock in self._clocks.items()},
            "judges": judges,
            "again": self._again.snapshot(),
            "blocks": self._blocks.snapshot(),
            "after_end": dict(self._after_end),
            "finished": self._finished,
        }
        self._saving = Stepwise(_snapshot(meta, self._joiner.begin_snapshot()))
        return self._saving

    def restore(self, snapshot: Snapshot) -> None:
        """Replace the state. That of settings with other names goes on under those that are the same.

        `positions` then has `representations` at the beginning where a variant is new: the others' vectors are not
        taken again.
        """
        if self._saving is not None:
            self._saving.abandon()
        meta = snapshot.meta
        self._positions = dict(meta["positions"])
        position = self._again.restore(meta["again"], self._positions.get("representations", 0))
        if "representations" in self._positions:
            self._positions["representations"] = position
        for topic in MAIN:
            self._clocks[topic].restore(meta["clocks"][topic])
            accepted, raw = meta["judges"][topic]
            held = self._held([Record(*fields) for fields in raw])
            self._judges[topic].restore(accepted, [(event.ts, (record, event)) for record, event in held])
        self._joiner.restore(Snapshot(meta["joiner"], snapshot.arrays))
        self._blocks.restore(meta["blocks"])
        self._after_end = Counter(meta["after_end"])
        self._finished = meta["finished"]
        self._letters.clear()
        for _ in self._side.take():
            pass

    def _read(self, record: Record) -> None:
        if record.topic in SIDE:
            self._read_side(record)
        elif record.value is None:
            self._count(record, "tombstone")
        elif record.value == END_TICK:
            self._settle(self._judges[record.topic].flush())
            self._clocks[record.topic].end()
        elif forget_request.is_request(record.value):
            self._forget(record, forget_request.decode(record.value, self._key))
        else:
            self._read_events(record, self._events(record))

    def _events(self, record: Record) -> Sequence[Impression | Feedback]:
        return self._codec.events(record.topic, record.value or b"")  # type: ignore[return-value]  # of a main topic

    def _read_events(self, record: Record, events: Sequence[Impression | Feedback]) -> None:
        """Take the events of a record: one, but for another format that the settings map."""
        if not events:
            self._count(record, "skipped")
        if self._by_record and record.timestamp >= 0:
            for event in events:
                check_not_ahead(event.ts, record.timestamp, self._max_ahead)
            for event in events:
                self._arrive(record, event)
            return
        for event in events:
            if self._clocks[record.topic].ended:
                self._arrive(record, event)  # nothing will follow that could judge it, and it is late anyway
            else:
                self._settle(self._judges[record.topic].update(event.ts, (record, event)))

    def _held(self, records: list[Record]) -> list[Held]:
        """Return records that waited for their neighbours with their events: a record once for each that waits.

        Of a record with several events the last ones wait. One that another mapping refuses now is dropped.
        """
        held: list[Held] = []
        for offset, waiting in Counter(record.offset for record in records).items():
            record = next(record for record in records if record.offset == offset)
            try:
                held += [(record, event) for event in self._events(record)[-waiting:]]
            except EventRefused:
                continue
        return held

    def _forget(self, record: Record, users: list[int]) -> None:
        """Put a request in its place: after everything that was read from its partition before it."""
        self._settle(self._judges[record.topic].flush())
        clock = self._clocks[record.topic]
        at = MAX_TIME if clock.ended else max(clock.highest, clock.get() + 1)
        self._joiner.wait_forget(users, at, MAIN.index(record.topic), record.offset)

    def _read_side(self, record: Record) -> None:
        if record.topic == "representations" and record.offset < self._again.until:
            variants = self._again.update(record.offset)
            if record.value is not None and record.value != END_TICK:
                self._side.update_again(record, variants, self._by_record)
        elif record.value is None:
            self._joiner.counts["tombstone"] += 1
        elif record.value != END_TICK and not self._side.update(record, self._by_record):
            self._joiner.counts["skipped"] += 1

    def _settle(self, verdicts: Iterator[tuple[Held, bool]]) -> None:
        for (record, event), ahead in verdicts:
            if ahead:
                detail = f"ts must be at most {self._max_ahead} ms after those around it in the log, got {event.ts}"
                self._refuse(record, EventRefused(reasons.TOO_FAR_AHEAD, detail))
            else:
                self._arrive(record, event)

    def _arrive(self, record: Record, event: Impression | Feedback) -> None:
        """Put a good record in its place, or count it; then let it move its partition's watermark."""
        clock = self._clocks[record.topic]
        late = clock.is_late(event.ts)
        if isinstance(event, Impression):
            if late:
                self._count(record, "late_impression")
            else:
                self._joiner.wait_impression(self._arrivals.impression(event), record.offset)
        else:
            self._arrive_feedback(record, event, late)
        clock.update(event.ts)

    def _arrive_feedback(self, record: Record, event: Feedback, late: bool) -> None:
        clock = self._clocks[record.topic]
        action = self._arrivals.action(event, late)
        if action is None:
            self._count(record, "unknown_action")
        elif clock.ended:
            self._count(record, "late_feedback")
        else:
            at = clock.get() + 1 if late else event.ts  # the earliest place that cannot have been passed yet
            self._joiner.wait_action(action, at, record.offset)

    def _count(self, record: Record, fate: str) -> None:
        """Count a record that is not applied: at its partition's watermark, the only time it has."""
        clock = self._clocks[record.topic]
        if clock.ended:  # the last report has no place for it
            self._after_end[fate] += 1
        else:
            self._joiner.wait_count(fate, clock.get() + 1, MAIN.index(record.topic), record.offset)

    def _refuse(self, record: Record, refused: EventRefused) -> None:
        self._letters.append(dead_letter(record, refused))
        if record.topic in SIDE:
            self._joiner.counts[refused.reason] += 1
        else:
            self._count(record, refused.reason)

    def _advance(self) -> list[Outgoing]:
        """Apply what the watermark has passed; reports and users' totals go out before the block that carries it."""
        watermark = self.watermark
        self._joiner.advance(watermark)
        if watermark == MAX_TIME and not self._finished:
            self._joiner.finish()
            self._finished = True
        windows, batches = self._joiner.take()
        letters, self._letters = self._letters, []
        blocks = self._blocks.get([*self._side.take(), *batches], watermark)
        return [*letters, *(Outgoing("windows", record) for record in windows), *blocks]


def _snapshot(meta: dict[str, Any], joiner: Steps[Snapshot]) -> Steps[Snapshot]:
    state = yield from joiner
    return Snapshot({**meta, "joiner": state.meta}, state.arrays)
