"""Sends dead letters back to where they came from, each once."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Final

from kafka.errors import KafkaError

from lis_online.errors import BrokerError, ReplayError
from lis_online.events.dead_letters import MARK, Letter, Mark, Place
from lis_online.events.topics import MAIN, topic_names
from lis_online.history.times import iso
from lis_online.replay.letter_log import LetterLog, Seen
from lis_online.replay.letter_marks import LEASE, Marks
from lis_online.replay.targets import REPLAYED_FROM, Targets
from lis_online.settings import Settings

CHUNK_LETTERS: Final = 200
CHUNK_BYTES: Final = 4 * 2**20
"""What is begun, sent and marked at a time."""

ACKNOWLEDGED: Final = 130.0
"""Seconds that a record may take to be acknowledged: a little more than the producer tries."""

CLAIMED: Final = 100.0
"""Seconds after which a claim is too old to send under: with `ACKNOWLEDGED` they stay below the lease."""

Wanted = Callable[[Letter], bool]


@dataclass(slots=True)
class Resent:
    """What a replay did, in letters. refused: by reason, those that a join shard would still refuse, or that were cut.

    late: of those sent, behind their partition's watermark. superseded: vectors whose item has a newer record, which a
    compacted topic would lose. already: sent by an earlier replay.
    """

    sent: int = 0
    late: int = 0
    superseded: int = 0
    already: int = 0
    refused: dict[str, int] = field(default_factory=dict)


class Resender:
    """One replay of dead letters.

    What makes it idempotent, though a crash may come between any two steps:

    1. read the topic: the letters, and the marks of earlier replays;
    2. letters that one of those had begun to send and may have sent are looked for in the input topics, by their
       header, and marked as sent or as absent;
    3. for a few letters at a time: mark them as begun, with the ends of their partitions; read the marks that
       others wrote meanwhile; give up where another replay may be under way, and leave out what it has sent;
    4. send them, with the header, and wait until Kafka has them;
    5. mark them as sent.

    After a crash between 3 and 5 the next replay does step 2, but not before what was under way must have arrived or
    failed (`LEASE`). dry: nothing is written. clock: ms since 1970; monotonic: seconds.
    """

    def __init__(
        self,
        settings: Settings,
        consumer: Any,
        producer: Any,
        run: str,
        dry: bool = False,
        clock: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._names = topic_names(settings.kafka)
        self._log = LetterLog(settings.kafka, consumer)
        self._targets = Targets(settings, consumer)
        self._producer = producer
        self._run = run
        self._dry = dry
        self._clock = clock
        self._monotonic = monotonic
        self._marks = Marks()
        self._read_to = 0
        self._marked = False

    def run(self, wanted: Wanted, force: bool = False, seen: Seen = lambda done, total: None) -> Resent:
        """Send back the wanted letters that were not sent yet; force: those too that would be refused again.

        seen: is told how much of the topic was gone through, twice over. Raises ReplayError where another replay may
        be under way, BrokerError where Kafka takes nothing, TopicError where a partition is gone.
        """
        first, end = self._log.first, self._log.end
        self._read_marks(first, end, lambda done, total: seen(done, 2 * total))
        self._refuse_another(end)
        try:
            self._settle()
            done = self._resend(wanted, force, first, end, lambda done, total: seen(total + done, 2 * total))
        except BaseException:
            with suppress(KafkaError, BrokerError):  # else the next replay waits for the lease
                self._end()
            raise
        self._end()
        return done

    def _end(self) -> None:
        """Say that nothing is under way any more."""
        if self._marked:
            self._producer.flush()
            self._mark(Mark(self._run, "ended"))

    def _read_marks(self, first: int, end: int, seen: Seen = lambda done, total: None) -> None:
        for _, written, found in self._log.read(first, end, seen):
            if isinstance(found, Mark):
                self._marks.update(found, written)
        self._read_to = end

    def _refuse_another(self, end: int) -> None:
        last = self._marks.under_way(self._clock(), but=self._run)
        if last is not None:
            raise ReplayError(
                f"a replay must be the only one: another wrote to {self._log.name} at {iso(last)} and has not ended; "
                f"if it was killed, run this again after {iso(last + LEASE)}"
            )

    def _settle(self) -> None:
        """Find out what an earlier replay, which did not end in order, had sent."""
        starts, unsettled = self._marks.to_look_for(), set(self._marks.unsettled)
        if not unsettled:
            return
        there = self._targets.sent_back(starts) & unsettled
        if self._dry:
            self._marks.sent |= there
            return
        self._mark(Mark(self._run, "sent", sorted(there)))
        self._mark(Mark(self._run, "absent", sorted(unsettled - there)))

    def _resend(self, wanted: Wanted, force: bool, first: int, end: int, seen: Seen) -> Resent:
        done = Resent()
        superseded = self._superseded(wanted, first, end)
        for chunk in _chunks(self._eligible(wanted, force, superseded, done, first, end, seen)):
            self._send_chunk(chunk, done)
        return done

    def _eligible(
        self, wanted: Wanted, force: bool, superseded: set[Place], done: Resent, first: int, end: int, seen: Seen
    ) -> Iterator[Letter]:
        """Yield the letters to send, each place once; count the others."""
        passed: set[Place] = set()
        for _, _, letter in self._log.read(first, end, seen):
            if not isinstance(letter, Letter) or letter.place in passed or not wanted(letter):
                continue
            passed.add(letter.place)
            if letter.place in self._marks.sent:
                done.already += 1
                continue
            refused = self._targets.refusal(letter, self._clock())
            if refused is not None and not (force and letter.whole):
                done.refused[refused.reason] = done.refused.get(refused.reason, 0) + 1
            elif letter.place in superseded:
                done.superseded += 1
            else:
                yield letter

    def _superseded(self, wanted: Wanted, first: int, end: int) -> set[Place]:
        """Return the places of vectors whose key has a later record: sent now, the old vector would replace the new."""
        keys: dict[Place, bytes] = {}
        for _, _, letter in self._log.read(first, end):
            if isinstance(letter, Letter) and letter.place.topic == "representations" and wanted(letter):
                keys[letter.place] = letter.key or b""
        starts: dict[tuple[str, int], int] = {}
        for place in keys:
            starts[place[:2]] = min(place.offset, starts.get(place[:2], place.offset))
        newest = self._targets.newest(starts, set(keys.values()))
        return {place for place, key in keys.items() if newest.get((place[:2], key), -1) > place.offset}

    def _send_chunk(self, chunk: list[Letter], done: Resent) -> None:
        partitions = {letter.place[:2] for letter in chunk}
        late = {letter.place for letter in chunk if letter.place.topic in MAIN and self._targets.is_late(letter)}
        if not self._dry:
            chunk = self._begin(chunk, partitions)
            self._send(chunk)
            self._mark(Mark(self._run, "sent", [letter.place for letter in chunk]))
        done.sent += len(chunk)
        done.late += sum(letter.place in late for letter in chunk)

    def _begin(self, chunk: list[Letter], partitions: Iterable[tuple[str, int]]) -> list[Letter]:
        """Claim the letters; return those that nobody has sent meanwhile."""
        ends = [(*partition, end) for partition, end in self._targets.ends(partitions).items()]
        began = self._monotonic()
        offset = self._mark(Mark(self._run, "begun", [letter.place for letter in chunk], ends))
        self._read_marks(self._read_to, offset)
        self._refuse_another(offset)
        if self._monotonic() - began > CLAIMED:
            raise ReplayError(f"a replay must be sure to be the only one, and {self._log.name} took too long to say so")
        return [letter for letter in chunk if letter.place not in self._marks.sent]

    def _send(self, chunk: list[Letter]) -> None:
        sent = []
        for letter in chunk:
            topic, partition, _ = letter.place
            headers = [(REPLAYED_FROM, str(letter.place).encode())]
            arguments = {"key": letter.key, "partition": partition, "headers": headers}
            sent.append(self._hand_over(self._names[topic], letter.value, **arguments))
        self._await(sent)

    def _mark(self, mark: Mark) -> int:
        """Write a mark; return its offset once Kafka has it."""
        self._marked = mark.kind != "ended"
        sent = self._hand_over(self._log.name, mark.encode(), partition=0, headers=[(MARK, mark.kind.encode())])
        self._marks.update(mark, self._clock())
        (offset,) = self._await([sent])
        return offset

    def _hand_over(self, topic: str, value: bytes, **arguments: Any) -> Any:
        try:
            return self._producer.send(topic, value, **arguments)
        except KafkaError as exc:
            raise BrokerError(f"{topic} must take a record of {len(value)} bytes: {exc}") from exc

    def _await(self, sent: list[Any]) -> list[int]:
        try:
            return [int(one.get(ACKNOWLEDGED).offset) for one in sent]
        except KafkaError as exc:
            raise BrokerError(f"Kafka must take what was sent: {exc}") from exc


def _chunks(letters: Iterable[Letter]) -> Iterator[list[Letter]]:
    chunk: list[Letter] = []
    size = 0
    for letter in letters:
        chunk.append(letter)
        size += len(letter.value)
        if len(chunk) == CHUNK_LETTERS or size >= CHUNK_BYTES:
            yield chunk
            chunk, size = [], 0
    if chunk:
        yield chunk
