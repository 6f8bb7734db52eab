from __future__ import annotations

from pathlib import Path

import pytest

from lis_online.checkpoints.store import CheckpointStore
from lis_online.records import Record
from streams.assigned import Assigned
from streams.catch_up import CatchUp
from streams.host import ShardHost
from streams.idle import IdleWatch
from streams.roles import JOIN, RANK
from tests.streams.toy import ToyRank


async def nowhere(outgoing: object) -> None:
    """Take what is sent."""
    del outgoing


def assigned(folder: Path, applied: int) -> Assigned:
    """Return a partition whose shard has applied so many records."""
    host = ShardHost(lambda: ToyRank(0), CheckpointStore(str(folder), "toy", 0, 3, {}), nowhere, 100)
    host.thread.shutdown()
    host.shard = ToyRank(0)
    host.shard.feed([Record("samples", 0, k, -1, b'[0, "impressions", %d, ""]' % k) for k in range(applied)])
    return Assigned(0, RANK, host, CatchUp({}), IdleWatch(30))


def test_offsets_without_a_record_count_as_applied_once_they_were_passed(tmp_path: Path) -> None:
    """Markers of transactions, what compaction took: lag would else never reach 0. What is behind passes nothing."""
    here = assigned(tmp_path, applied=3)
    assert here.applied() == {"samples": 3}
    here.note_ends({"samples": 9}, {"samples": 6})
    assert here.applied() == {"samples": 3}
    here.note_ends({"samples": 5}, {"samples": 0})
    assert here.applied() == {"samples": 5}


def test_a_topic_of_which_nothing_was_read_is_at_0(tmp_path: Path) -> None:
    """Its lag counts too."""
    assert assigned(tmp_path, applied=0).applied() == {"samples": 0}


class Piled:
    """A host whose shard has read one topic too far ahead."""

    def __init__(self, topic: str | None) -> None:
        self.topic = topic

    def ahead(self) -> str | None:
        """Return the topic."""
        return self.topic


@pytest.mark.parametrize(
    ("ahead", "feedback_behind", "held"),
    [("impressions", 5, "impressions"), ("impressions", 0, None), (None, 5, None), ("feedback", 5, None)],
)
def test_topic_that_is_ahead_is_held_only_while_the_other_has_more_to_read(
    ahead: str | None, feedback_behind: int, held: str | None
) -> None:
    """One that waits for a partition without records would wait for ever: that one is idle, and is passed over."""
    here = Assigned(0, JOIN, Piled(ahead), CatchUp({}), IdleWatch(30))  # type: ignore[arg-type]
    assert here.too_far_ahead({"impressions": 0, "feedback": feedback_behind, "representations": 9}) == held


def test_nothing_is_held_while_side_topics_are_read() -> None:
    """Both main topics wait then, and the gate holds what came."""
    here = Assigned(0, JOIN, Piled("impressions"), CatchUp({"preferences": 7}), IdleWatch(30))  # type: ignore[arg-type]
    assert here.too_far_ahead({"impressions": 0, "feedback": 5}) is None


def test_rank_and_publish_hold_nothing(tmp_path: Path) -> None:
    """They read one topic."""
    assert assigned(tmp_path, applied=3).too_far_ahead({"samples": 5}) is None
