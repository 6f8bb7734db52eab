"""Dead letters go back once, whatever happens in between. On Apache Kafka."""

from __future__ import annotations

import itertools
import time
from pathlib import Path
from typing import Any

import pytest

from lis_online.errors import ReplayError
from lis_online.events.dead_letters import Letter
from lis_online.replay.letter_log import reading
from lis_online.replay.letter_marks import LEASE
from lis_online.replay.producer import producer_of
from lis_online.replay.resending import Resender, Resent
from lis_online.settings import Settings
from streams.topics import create_topics
from tests.fixtures.kafka import KafkaBroker, table_of
from tests.join.logs import feedback, impression
from tests.replay.refused import refuse, replayed, send

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(120)]

NOW = time.time_ns() // 1_000_000
PAIR = {"schema_version": 1, "source": "new", "item_a": "a", "item_b": "b", "ts": NOW, "user_id": "u1"}
VECTOR = {"schema_version": 1, "variant": "new", "version": "1", "item_id": "i", "ts": NOW, "vector": [1, 2]}

BEFORE = {"preference": [{"name": "clicks"}]}
AFTER = {
    "preference": [{"name": "clicks"}, {"name": "new", "kind": "topic"}],
    "variant": [{"name": "new", "preference": "clicks", "dimension": 2}],
}
"""The fix: a source and a variant that were published before they were in the settings."""


@pytest.fixture
def table(kafka_broker: KafkaBroker, tmp_path: Path) -> dict[str, Any]:
    """Settings whose topics are there."""
    table = table_of(kafka_broker, tmp_path)
    create_topics(Settings.of(table))
    return table


def everything(letter: Letter) -> bool:
    """Want every letter."""
    return True


def resend(settings: Settings, run: str = "a", **more: Any) -> Resent:
    """Replay every letter, with a real producer."""
    force = more.pop("force", False)
    with reading(settings.kafka) as consumer:
        producer = more.pop("producer", None) or producer_of(settings.kafka)
        try:
            return Resender(settings, consumer, producer, run, **more).run(everything, force)
        finally:
            producer.close()


def test_what_decodes_after_a_fix_goes_back_as_it_was_and_once(table: dict[str, Any]) -> None:
    """Same bytes, key, topic and partition; what would be refused again stays; a second replay sends nothing."""
    before, after = Settings.of({**table, **BEFORE}), Settings.of({**table, **AFTER})
    send(before, "preferences", [PAIR, {**PAIR, "item_b": "c"}], key=b"a", partition=1)
    send(before, "representations", [VECTOR], key=b"new|i")
    send(before, "feedback", [b"{", {**feedback(ts=NOW), "user_id": ""}], key=None)
    send(before, "impressions", [b'{"large":"' + b"x" * 1_000_100 + b'"}'])
    assert refuse(before) == refuse(before) == 6  # twice: a worker that starts again refuses what it had refused
    assert resend(before) == Resent(
        refused={"unknown_source": 2, "unknown_variant": 1, "malformed": 1, "invalid": 1, "too_large": 1}
    )
    assert replayed(before) == []
    rest = {"malformed": 1, "invalid": 1, "too_large": 1}
    assert resend(after, dry=True) == Resent(sent=3, refused=rest)
    assert replayed(after) == []
    assert resend(after) == Resent(sent=3, refused=rest)
    sent = replayed(after)
    assert [(one.topic, one.partition, one.key, one.replayed_from) for one in sent] == [
        ("preferences", 1, b"a", b"preferences:1:0"),
        ("preferences", 1, b"a", b"preferences:1:1"),
        ("representations", 0, b"new|i", b"representations:0:0"),
    ]
    assert b'"item_b":"c"' in (sent[1].value or b"")
    assert resend(after) == Resent(already=3, refused=rest)
    assert resend(after, force=True) == Resent(
        sent=2, already=3, refused={"too_large": 1}
    )  # what was cut never goes back
    assert len(replayed(after)) == 5


class CrashError(BaseException):
    """The process is gone."""


class Mortal:
    """A producer whose process dies just before it hands over its n-th record; what it sent before arrives."""

    def __init__(self, producer: Any, dies_at: int) -> None:
        self._producer = producer
        self._left = itertools.count(dies_at - 1, -1)

    def send(self, *arguments: Any, **named: Any) -> Any:
        """Hand a record over, or die."""
        if next(self._left) <= 0:
            self.flush()
            raise CrashError
        return self._producer.send(*arguments, **named)

    def flush(self) -> None:
        """Wait for what was handed over."""
        self._producer.flush()

    def close(self) -> None:
        """Close the producer."""
        self._producer.close()


STEPS = ("begun", "1", "2", "sent", "ended")
"""What a replay of two letters sends, in order."""


@pytest.mark.parametrize("step", ["1", "2", "sent"])
def test_a_replay_killed_before_any_step_is_completed_by_the_next(table: dict[str, Any], step: str) -> None:
    """Each letter arrives once: neither lost nor twice, though pairs are not deduplicated by anything that follows."""
    before, after = Settings.of({**table, **BEFORE}), Settings.of({**table, **AFTER})
    send(before, "preferences", [PAIR, {**PAIR, "item_b": "c"}])
    refuse(before)
    mortal = Mortal(producer_of(after.kafka), STEPS.index(step) + 1)
    with pytest.raises(CrashError):
        resend(after, producer=mortal)
    with pytest.raises(ReplayError, match=r"a replay must be the only one: another wrote to .* and has not ended"):
        resend(after, "b")
    arrived = STEPS.index(step) - 1
    assert len(replayed(after)) == arrived
    later = {"clock": lambda: time.time_ns() // 1_000_000 + LEASE + 1}
    assert resend(after, "b", **later, dry=True).sent == 2 - arrived
    assert resend(after, "b", **later) == Resent(sent=2 - arrived, already=arrived)
    assert [one.replayed_from for one in replayed(after)] == [b"preferences:0:0", b"preferences:0:1"]
    assert resend(after, "c", **later) == Resent(already=2)


def test_of_two_replays_at_once_none_sends_what_the_other_does(table: dict[str, Any]) -> None:
    """The second has read the topic before the first wrote to it, and finds the first's mark before its own."""
    before, after = Settings.of({**table, **BEFORE}), Settings.of({**table, **AFTER})
    send(before, "preferences", [PAIR])
    refuse(before)

    class Meets(Mortal):
        """Lets another replay run up to its own sending, before this one's first record."""

        def send(self, *arguments: Any, **named: Any) -> Any:
            if not met:
                met.append(True)
                with pytest.raises(CrashError):
                    resend(after, "first", producer=Mortal(producer_of(after.kafka), 2))
            return super().send(*arguments, **named)

    met: list[bool] = []
    with pytest.raises(ReplayError, match="must be the only one"):
        resend(after, "second", producer=Meets(producer_of(after.kafka), 100))
    assert met and replayed(after) == []


def test_a_vector_never_takes_the_place_of_a_newer_one(table: dict[str, Any]) -> None:
    """A compacted topic keeps the last record of a key: an old vector sent back would delete the new one."""
    before, after = Settings.of({**table, **BEFORE}), Settings.of({**table, **AFTER})
    send(before, "representations", [VECTOR, {**VECTOR, "version": "2"}], key=b"new|i")
    send(before, "representations", [{**VECTOR, "item_id": "j"}], key=b"new|j")
    refuse(before)
    assert resend(after) == Resent(sent=2, superseded=1)
    assert [one.replayed_from for one in replayed(after)] == [b"representations:0:1", b"representations:0:2"]


def test_what_the_watermark_has_passed_is_said(table: dict[str, Any]) -> None:
    """It will be counted late, which is no reason to keep it: late feedback still feeds the history."""
    before = Settings.of({**table, "events": {"allowed_lateness": "1s"}})
    late, fresh = impression("r1", ts=NOW - 60_000), impression("r2", ts=NOW)
    send(before, "impressions", [{**late, "schema_version": 2}, {**fresh, "schema_version": 2}, impression(ts=NOW)])
    refuse(before)
    assert resend(before, dry=True, force=True) == Resent(sent=2, late=1)
