"""Vectors of before, read once more for the variants that need them."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from lis_online.join.read_again import ReadAgain

VARIANTS = ["a", "b", "c"]


@given(st.data())
def test_every_variant_takes_every_offset_once(data: st.DataObject) -> None:
    """However often variants come in, and wherever a restart falls, in the midst of reading again too."""
    known = ["a"]
    reader, position, taken = ReadAgain(known), 0, {variant: list[int]() for variant in VARIANTS}
    for _ in range(data.draw(st.integers(1, 12))):
        for _ in range(data.draw(st.integers(0, 6))):
            for variant in reader.update(position) if position < reader.until else known:
                taken[variant].append(position)
            position += 1
        state, reached = reader.snapshot(), position
        known = known + VARIANTS[len(known) : len(known) + data.draw(st.integers(0, 1))]
        reader = ReadAgain(known)
        position = reader.restore(state, reached)
        assert position <= reached or position == state[0]
    while position < reader.until:
        for variant in reader.update(position):
            taken[variant].append(position)
        position += 1
    assert {variant: taken[variant] for variant in known} == {variant: list(range(position)) for variant in known}


def test_a_variant_that_leaves_while_it_is_read_again_lets_the_others_go_on() -> None:
    """Where they were; one that comes back under its name is read from the beginning."""
    reader = ReadAgain(["a", "b"])
    assert reader.restore([0, ["a"], []], 9) == 0
    assert [reader.update(offset) for offset in range(3)] == [["b"]] * 3
    alone = ReadAgain(["a"])
    assert alone.restore(reader.snapshot(), 3) == 9
    back = ReadAgain(["b", "a"])
    assert back.restore(alone.snapshot(), 9) == 0
    assert back.update(0) == ["b"]
