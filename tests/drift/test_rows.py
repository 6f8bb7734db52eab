"""The bounded buffer of rows, against a list."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from lis_online.drift.reading import Parts
from lis_online.drift.rows import Rows

ACTIONS = st.lists(
    st.one_of(st.tuples(st.just("add"), st.integers(1, 5)), st.tuples(st.just("drop"), st.integers(0, 40))), max_size=60
)


@settings(max_examples=60, deadline=None)
@given(actions=ACTIONS, most=st.integers(1, 9))
def test_rows_are_those_of_a_list(actions: list[tuple[str, int]], most: int) -> None:
    """Adding beyond the bound drops the oldest; a stretch can be dropped; a copy is the same."""
    rows, slow, time = Rows(most), list[int](), 0
    for action, by in actions:
        if action == "add":
            time += by
            rows.update(time, Parts(time, 1.0, 0.0, 0.0, 0.0))
            slow = [*slow, time][-most:]
        else:
            rows.drop(by, by + 5)
            slow = [t for t in slow if not by <= t < by + 5]
        assert rows.get()[:, 0].tolist() == slow
    assert len(rows) == len(slow)
    assert rows.since(10)[:, 0].tolist() == [t for t in slow if t >= 10]
    assert rows.before(10)[:, 0].tolist() == [t for t in slow if t < 10]
    other = Rows(most)
    other.restore(rows.snapshot())
    assert other.snapshot() == rows.snapshot()


def test_memory_does_not_grow_with_the_rows() -> None:
    """A thousand times the bound takes no more room than a few times it."""
    rows = Rows(100)
    for time in range(100_000):
        rows.update(time, Parts(0.0, 1.0, 0.0, 0.0, 0.0))
    assert len(rows._data) <= 200
