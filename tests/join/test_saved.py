"""Impressions survive a checkpoint."""

from __future__ import annotations

from array import array
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from lis_online.join import saved
from lis_online.join.pending import EMPTY, Pending

whole = st.integers(-(2**63), 2**63 - 1)


@st.composite
def pendings(draw: st.DrawFn) -> Pending:
    """Draw an impression with any of its parts missing."""
    count = draw(st.integers(1, 4))
    column = st.lists(whole, min_size=count, max_size=count).map(lambda values: array("q", values))
    p = Pending(draw(st.integers(0, 2**53)), draw(whole), draw(whole), draw(st.integers(0, 9)), draw(column))
    p.arms = (draw(st.integers(-1, 3)), draw(st.integers(-1, 3)))
    p.counted = draw(st.sampled_from([p.arms, (-1, -1)]))
    p.place = draw(st.integers(-1, 2**40))
    p.odd_arm, p.odd_surface = draw(st.booleans()), draw(st.booleans())
    if draw(st.booleans()):
        p.positions = array("h", draw(st.lists(st.integers(0, 2**15 - 1), min_size=count, max_size=count)))
    if draw(st.booleans()):
        p.authors, p.categories, p.ages = draw(column), draw(column), draw(column)
    if draw(st.booleans()):
        p.history = draw(column)
        p.times = draw(st.sampled_from([EMPTY, p.history]))
    if draw(st.booleans()):
        p.delays = {draw(st.integers(0, count - 1)): draw(st.integers(0, 2**40))}
    return p


def parts(p: Pending) -> list[Any]:
    """Return all that an impression holds."""
    return [getattr(p, name) for name in Pending.__slots__]


@given(st.lists(pendings(), max_size=6))
def test_saved_impressions_come_back_whole(impressions: list[Pending]) -> None:
    """Every part, present or missing, is that of the impression saved in this place."""
    again = saved.load(saved.save(impressions), experiments=2)
    assert [parts(p) for p in again] == [parts(p) for p in impressions]
