from __future__ import annotations

import pytest

from lis_online.checkpoints.store import CheckpointStore
from lis_online.errors import CheckpointError
from tests.checkpoints.stores import content, names, number, overwrite, snapshot, store


def stopped(url: str, position: int) -> CheckpointStore:
    """The store of a worker that stopped gracefully at a position."""
    here = store(url)
    here.save(snapshot(position), position)
    here.mark_clean(position)
    return here


def test_mark_counts_once(url: str) -> None:
    """The first that goes on from a clean checkpoint spends the mark: after a crash nobody takes it for clean."""
    stopped(url, 5)
    assert store(url).is_clean(5)
    assert store(url).take_clean_mark(5)
    assert not store(url).is_clean(5)
    assert not store(url).take_clean_mark(5)


def test_checkpoint_on_the_way_is_not_clean(url: str) -> None:
    """Records after it may have been sent already: only a graceful stop says that none were."""
    store(url).save(snapshot(5), 5)
    assert not store(url).is_clean(5)
    assert not store(url).take_clean_mark(5)
    stopped(url, 6)
    store(url).save(snapshot(7), 7)
    assert not store(url).is_clean(7)
    assert store(url).is_clean(6)


def test_mark_that_comes_after_another_went_on_counts_nothing(url: str) -> None:
    """A worker that stood still between its last checkpoint and its mark: another has fed the state since."""
    zombie = store(url)
    zombie.save(snapshot(5), 5)
    assert not store(url).take_clean_mark(5)
    zombie.mark_clean(5)
    assert not store(url).is_clean(5)


def test_worker_that_went_on_and_stopped_where_it_began_is_clean_again(url: str) -> None:
    """It saves the position once more, under a name of its own, and marks that."""
    stopped(url, 5)
    restarted = store(url)
    assert restarted.take_clean_mark(5)
    with pytest.raises(CheckpointError, match="must be of the last checkpoint written, got position 5"):
        restarted.mark_clean(5)
    restarted.save(snapshot(5), 5)
    assert not store(url).is_clean(5)
    restarted.mark_clean(5)
    assert store(url).is_clean(5)


def test_marks_go_with_their_checkpoint(url: str) -> None:
    """Nothing small stays behind for ever."""
    stopped(url, 1)
    store(url).take_clean_mark(1)
    for position in (2, 3, 4):
        store(url).save(snapshot(position), position)
    assert len(names(url)) == 6
    assert not names(url, "clean") + names(url, "spent")


def test_archived_checkpoint_stays_and_says_why(url: str) -> None:
    """What a configuration change removes is kept for ever, whole, out of the way of restores."""
    store(url).save(snapshot(1), 1)
    name = store(url).archive(1, "variant bert was removed")
    for position in (2, 3, 4, 5):
        store(url).save(snapshot(position), position)
    archived = names(url, folder="archive/")
    assert name in archived
    assert len(archived) == 2
    assert b'"why":"variant bert was removed"' in content(url, name)
    assert number(store(url).load_latest()) == 5
    # put back by hand, it is a checkpoint like any other
    elsewhere = f"{url}-restored"
    for one in archived:
        overwrite(elsewhere, one.removeprefix("archive/"), content(url, one))
    assert number(store(elsewhere).load_latest()) == 1


def test_archive_of_what_is_not_there_is_refused(url: str) -> None:
    """Nobody is told that something is safe which is not."""
    with pytest.raises(CheckpointError, match="checkpoint of join 0 at 4 must be there, got none"):
        store(url).archive(4, "")
