"""Arms by brute force: users' lives are read through from the beginning, and columns by their names, in fractions."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from math import floor
from typing import Any

from lis_online.events.windows_log import ArmMoments
from lis_online.settings.model import ExperimentSettings
from tests.join.oracle import Counted

UNIT = 10**6


@dataclass
class Life:
    """What a user did since entering an experiment, and before. arms: of the impressions that counted, in order."""

    arms: list[str] = field(default_factory=list)
    totals: Counter[str] = field(default_factory=Counter)
    before: Counter[str] = field(default_factory=Counter)


def arms_of(
    experiment: ExperimentSettings, counted: Iterable[Counted], columns: Sequence[str], forget: bool = True
) -> list[ArmMoments]:
    """Return the moments of each arm of what was counted. forget: whether an idle user becomes a new one."""
    lives: dict[Any, list[Counted]] = {}
    for entry in counted:
        lives.setdefault(entry.life if forget else entry.life[0], []).append(entry)
    entered = [life for life in (_life(experiment, entries) for entries in lives.values()) if life.arms]
    return [_moments(experiment.name, arm.name, entered, columns) for arm in experiment.arm]


def _life(experiment: ExperimentSettings, entries: list[Counted]) -> Life:
    life, known = Life(), {arm.name for arm in experiment.arm}
    running: Counter[str] = Counter()
    counting: list[int] = []
    for entry in entries:
        shown = entry.shown
        carried = shown["experiments"].get(experiment.name)
        if entry.quantity == "impression" and carried in known and has_begun(experiment, shown["ts"]):
            if not life.arms and meets(experiment, shown):
                life.before = Counter(running)
                life.arms.append(carried)
                counting.append(id(shown))
            elif life.arms:
                life.arms.append(carried)
                counting.append(id(shown))
        if id(shown) in counting:
            life.totals[entry.quantity] += entry.amount  # type: ignore[assignment]
        running[entry.quantity] += entry.amount  # type: ignore[assignment]
    return life


def has_begun(experiment: ExperimentSettings, ts: int) -> bool:
    """Say whether an experiment had begun at a time in ms."""
    return experiment.start is None or ts >= experiment.start.timestamp() * 1000


def meets(experiment: ExperimentSettings, shown: dict[str, Any]) -> bool:
    """Say whether an impression, as it arrived, meets the trigger."""
    trigger, attributes = experiment.trigger, shown.get("item_attributes", {})
    if trigger is None:
        return True
    if trigger.surfaces and shown["surface"] not in trigger.surfaces:
        return False
    wanted = {"category": trigger.categories, "author": trigger.authors}
    given = [{**attributes.get(item, {}), "item": item} for item in shown["items"]]
    needed = {name: values for name, values in {**wanted, "item": trigger.items}.items() if values}
    return not needed or any(all(one.get(name) in values for name, values in needed.items()) for one in given)


def column_of(name: str, totals: Counter[str], before: Counter[str]) -> int:
    """Return a column of a user in millionths, by what its name says."""
    if name.startswith("before:"):
        return column_of(name.removeprefix("before:"), before, Counter())
    found = re.fullmatch(r"(\w+)(>0)?(?:@([\d.e+]+))?(?:/(\w+))?", name)
    assert found is not None
    quantity, share, cap, by = found.groups()
    x = Fraction(totals[quantity])
    if share:
        return UNIT * (x > 0)
    if cap and by:
        x = x * min(Fraction(1), Fraction(cap) / max(Fraction(totals[by]), Fraction(1, UNIT)))
    elif cap:
        x = min(x, Fraction(cap))
    return floor(x * UNIT)


def _moments(experiment: str, arm: str, lives: list[Life], columns: Sequence[str]) -> ArmMoments:
    mine = [life for life in lives if set(life.arms) == {arm}]
    rows = [[column_of(name, life.totals, life.before) for name in columns] for life in mine]
    places = range(len(columns))
    return ArmMoments(
        experiment,
        arm,
        len(mine),
        sum(arm in life.arms for life in lives) - len(mine),
        [str(sum(row[q] for row in rows)) for q in places],
        [str(sum(row[q] * row[p] for row in rows)) for q in places for p in places],
        [sum(row[q] > 0 for row in rows) for q in places],
        sum(life.arms[0] == arm for life in lives),
    )
