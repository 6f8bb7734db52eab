"""Columns of a simulated step as records of the wire."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from lis_online.events.wire import SCHEMA_VERSION, Feedback, Impression, ItemAttributes, Preference
from lis_online.simulate.pairs import Pairs
from lis_online.simulate.responses import Actions


class Slates(NamedTuple):
    """Slates as columns: times, users, surfaces' names, arms, slots [slates, slate], and how many of them are shown."""

    ts: np.ndarray
    user: np.ndarray
    surface: Sequence[str]
    arm: np.ndarray
    shown: np.ndarray
    size: np.ndarray


def impressions(
    slates: Slates,
    first: int,
    users: Sequence[str],
    items: Sequence[str],
    attributes: Sequence[ItemAttributes],
    experiments: Sequence[dict[str, str]],
) -> list[Impression]:
    """Return the slates as impressions, numbered from `first`. experiments: by arm."""
    columns = (slates.ts, slates.user, slates.arm, slates.size, slates.shown)
    rows = zip(*(column.tolist() for column in columns), slates.surface, strict=True)
    return [
        Impression(
            SCHEMA_VERSION,
            f"r{first + k}",
            users[user],
            ts,
            surface,
            [items[slot] for slot in slots[:size]],
            experiments[arm],
            item_attributes={items[slot]: attributes[slot] for slot in slots[:size]},
        )
        for k, (ts, user, arm, size, slots, surface) in enumerate(rows)
    ]


def feedback(
    slates: Slates, action: Actions, first: int, users: Sequence[str], items: Sequence[str]
) -> tuple[np.ndarray, list[Feedback]]:
    """Return one kind of action on the slates: times and records."""
    when = slates.ts[action.slate] + action.delay
    columns = (action.slate, slates.user[action.slate], slates.shown[action.slate, action.position], when, action.value)
    rows = zip(*(column.tolist() for column in columns), strict=True)
    name = action.action
    return when, [
        Feedback(SCHEMA_VERSION, f"r{first + k}", users[u], items[slot], t, name, value)
        for k, u, slot, t, value in rows
    ]


def preferences(
    source: str, ts: np.ndarray, pairs: Pairs, users: Sequence[str], items: Sequence[str]
) -> list[Preference]:
    """Return pairs of a source as records."""
    rows = zip(ts.tolist(), pairs.user.tolist(), pairs.first.tolist(), pairs.second.tolist(), strict=True)
    return [Preference(SCHEMA_VERSION, source, items[a], items[b], t, users[u]) for t, u, a, b in rows]
