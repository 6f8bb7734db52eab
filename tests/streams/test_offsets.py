from __future__ import annotations

import pytest

from lis_online.errors import CheckpointError
from streams.offsets import LogSurvey


def survey(begin: int = 0, end: int = 100, committed: int = 0) -> LogSurvey:
    """One topic's partition."""
    return LogSurvey({"samples": begin}, {"samples": end}, {"samples": committed})


@pytest.mark.parametrize(
    ("log", "position", "restored"),
    [
        (survey(), 0, False),  # the first start ever
        (survey(begin=40), 0, False),  # the first start on a topic whose head is gone already
        (survey(begin=40, committed=40), 0, False),
        (survey(begin=40), 0, True),  # restored, but of this topic nothing was ever read
        (survey(begin=40, committed=70), 70, True),
        (survey(committed=50), 70, True),  # died between its checkpoint and the commit
        (survey(committed=90), 70, True),  # fell back to an older checkpoint
        (survey(committed=100), 100, True),
    ],
)
def test_state_that_meets_its_log_goes_on(log: LogSurvey, position: int, restored: bool) -> None:
    """Every way to start without a missing record is allowed."""
    log.refuse_gaps("rank 0", {"samples": position}, restored)


@pytest.mark.parametrize(
    ("log", "position", "restored", "sentence"),
    [
        (survey(committed=70), 0, False, r"rank 0: a checkpoint must be there, as samples is committed up to 70"),
        (survey(begin=80), 70, True, r"samples must still have offset 70, it begins at 80: retention was shorter"),
        (survey(end=60), 70, True, r"samples must reach offset 70, it ends at 60: the topic is another one"),
    ],
)
def test_gap_between_state_and_log_is_refused(log: LogSurvey, position: int, restored: bool, sentence: str) -> None:
    """Going on over missing records would make every number wrong without a word."""
    with pytest.raises(CheckpointError, match=sentence):
        log.refuse_gaps("rank 0", {"samples": position}, restored)


def test_unread_is_what_lies_after_the_position_and_the_beginning() -> None:
    """A side topic that is empty, read to its end, or emptied by retention holds nobody up."""
    log = LogSurvey({"a": 0, "b": 9, "c": 0, "d": 0}, {"a": 9, "b": 9, "c": 0, "d": 9}, {})
    assert log.unread(("a", "b", "c", "d"), {"d": 9}) == {"a": 9}
