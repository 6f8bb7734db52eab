"""Keys seen lately, against a list of all that was added."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from lis_online.join.remembered import Remembered
from lis_online.snapshots.steps import at_once

STEP = st.tuples(st.booleans(), st.integers(0, 4), st.integers(0, 5))


@given(st.lists(STEP, max_size=40), st.integers(0, 12), st.integers(0, 40))
def test_a_key_is_kept_for_its_memory(steps: list[tuple[bool, int, int]], memory: int, cut: int) -> None:
    """Asked or added, before and after a checkpoint: new unless added within `memory`; nothing older is kept."""
    seen, added, now = Remembered[int](memory), dict[int, int](), 0
    for place, (add, key, step) in enumerate(steps):
        now += step
        if place == cut:
            saved, seen = at_once(seen.begin_snapshot()), Remembered[int](memory)
            seen.restore(saved)
        known = key in added and now - added[key] <= memory
        if add:
            assert seen.update(key, now) == (not known)
            if not known:
                added[key] = now
        else:
            assert seen.get(key, now) == known
        live = {k: t for k, t in added.items() if now - t <= memory}
        assert len(seen) == len(live)
        assert sorted(at_once(seen.begin_snapshot()).tolist()) == sorted([t, k] for k, t in live.items())
