"""Who holds a slot, told by first and last vectors alone."""

from lis_online.representation.assignment import REMEMBERED, Assignment, Newcomer

HOUR = 3_600_000


def held(assignment: Assignment) -> list[int]:
    """Return the version of each slot, 0 where it is not in use."""
    return [slot.version if slot.in_use else 0 for slot in assignment.slots]


def begun(slots: int = 2) -> Assignment:
    """Return the slots of a variant whose version 1 came at time 0."""
    assignment = Assignment(slots, memory=HOUR)
    assignment.begin(Newcomer(1, 0, 0))
    return assignment


def test_the_first_version_is_there_with_the_group() -> None:
    """Slot 0 is in use before any vector came, and its rankers did not begin later."""
    assignment = Assignment(2, memory=HOUR)
    assert held(assignment) == [0, 0] and [slot.in_use for slot in assignment.slots] == [True, False]
    assert assignment.newest == 0 and assignment.is_new
    assignment.begin(Newcomer(7, 50, 60))
    assert held(assignment) == [7, 0]
    assert (assignment.slots[0].since, assignment.slots[0].last, assignment.slots[0].began) == (50, 60, 0)
    assert not assignment.is_new


def test_a_later_version_takes_an_empty_slot_and_is_the_newest() -> None:
    """It begins at the decision, not before, and the old one keeps its slot."""
    assignment = begun()
    assert assignment.decide(100, [Newcomer(2, 40, 90)]) == [(1, True)]
    assert held(assignment) == [1, 2] and assignment.newest == 1
    assert (assignment.slots[1].since, assignment.slots[1].began) == (40, 100)
    assert assignment.decide(200, []) == []


def test_without_an_empty_slot_the_version_longest_without_vectors_makes_room() -> None:
    """A third version takes the slot whose newest vector is oldest; of equals, the older version's."""
    for last, expected in (((5, 90), [3, 2]), ((95, 90), [1, 3]), ((90, 90), [3, 2])):
        assignment = begun()
        assignment.decide(10, [Newcomer(2, 5, 5)])
        assignment.slots[0].last, assignment.slots[1].last = last
        assignment.decide(100, [Newcomer(3, 99, 99)])
        assert held(assignment) == expected
        assert assignment.slots[assignment.newest].version == 3


def test_a_version_retires_when_its_vectors_ceased_and_a_newer_one_is_there() -> None:
    """After the memory, to the millisecond; the only version never does."""
    assignment = begun()
    assert assignment.decide(10 * HOUR, []) == []
    assignment.slots[0].last = 0
    assignment.decide(100, [Newcomer(2, 99, 99)])
    assert assignment.decide(HOUR - 1, []) == []
    assert assignment.decide(HOUR, []) == [(0, False)]
    assert held(assignment) == [0, 2] and assignment.newest == 1
    assert assignment.decide(100 * HOUR, []) == []
    assert assignment.decide(101 * HOUR, [Newcomer(3, 100 * HOUR, 101 * HOUR)]) == [(0, True)]
    assert held(assignment) == [3, 2]


def test_a_version_that_ended_comes_back_into_an_empty_slot_alone_and_stays_the_older_one() -> None:
    """Three versions that are published side by side do not take turns; a rollback is measured again."""
    assignment = begun()
    assignment.decide(10, [Newcomer(2, 5, 5)])
    assignment.decide(20, [Newcomer(3, 15, 15)])
    assert held(assignment) == [3, 2]
    assert assignment.decide(30, [Newcomer(1, 25, 25)]) == []
    assignment.slots[1].last, assignment.slots[0].last = 0, 2 * HOUR
    assert assignment.decide(2 * HOUR, [Newcomer(1, 2 * HOUR, 2 * HOUR)]) == [(1, True)]
    assert held(assignment) == [3, 1]
    assert assignment.slots[1].since == 2 * HOUR and assignment.newest == 0
    assert assignment.decide(4 * HOUR, []) == [(1, False)]  # version 3 is newer, though its own vectors ceased too


def test_versions_that_ended_are_remembered_up_to_a_number() -> None:
    """State is bounded: a producer that names a version by the minute fills nothing."""
    assignment = begun()
    for version in range(2, 500):
        assignment.decide(version, [Newcomer(version, version, version)])
    assert held(assignment) == [498, 499] or held(assignment) == [499, 498]
    assert sum(assignment.knows(version) for version in range(1, 500)) == REMEMBERED + 2


def test_a_restored_assignment_is_the_same() -> None:
    """Snapshot and restore keep slots and seniority."""
    assignment, again = begun(), Assignment(2, memory=HOUR)
    assignment.decide(10, [Newcomer(2, 5, 5)])
    assignment.decide(20, [Newcomer(3, 15, 15)])
    again.restore(assignment.snapshot())
    assert again.slots == assignment.slots and again.newest == assignment.newest
    assert again.decide(2 * HOUR, [Newcomer(1, HOUR, HOUR)]) == assignment.decide(2 * HOUR, [Newcomer(1, HOUR, HOUR)])
