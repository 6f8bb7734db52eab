"""A variant's vectors are published broken in a running world: pair alignment shows it before adjusted AIS does."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import pytest

from lis_online.metrics.estimate import Estimate
from lis_online.records import Outgoing, Record
from lis_online.settings import Settings
from lis_online.shards.pipeline import Pipeline
from lis_online.shards.publish import PublishShard
from lis_online.shards.view import PublishView
from lis_online.simulate.parameters import SourceParameters, VariantParameters, VersionParameters
from lis_online.simulate.recorded import START, generate
from lis_online.simulate.scenarios import scenario

MINUTE = 60_000
SWITCH = 40
"""Minutes until both variants' vectors are random: one's under the name of a new version, one's under the old name."""
SLATES = 4_200
WINDOW = 10 * MINUTE


@cache
def views() -> list[PublishView]:
    """Return the view after each bucket of the world."""
    chosen = scenario("versions")
    names = ("renamed", "silent")
    later = [VersionParameters(*row) for row in zip(names, (0.0, 0.0), (SWITCH * MINUTE,) * 2, ("2", "1"), strict=True)]
    world = replace(
        chosen.world,
        sources=(SourceParameters("full", 1.0),),
        variants=tuple(VariantParameters(name, 0.6) for name in names),
        versions=tuple(later),
        arms=(("control", ""),),
    )
    settings = Settings.of(
        {
            "events": chosen.settings["events"],
            "leakage": {"horizon": "6m", "memory": "12m", "folds": 2, "sketch_bits": 16, "placebo_pairs": 100},
            "training": {"embedding": 4, "hidden": [16], "user_bits": 10, "item_bits": 10},
            "metrics": {"bucket": "2m", "windows": ["10m"]},
            "preference": [{"name": "full", "kind": "topic"}],
            "variant": [{"name": name, "preference": "full", "dimension": world.dimension} for name in names],
        }
    )
    pipeline = Pipeline(settings)
    shown: list[PublishView] = []

    class Watched(PublishShard):
        """A publish shard whose every view is kept."""

        def feed(self, records: list[Record]) -> list[Outgoing]:  # type: ignore[override]
            """Apply records and keep the view."""
            sent = super().feed(records)
            if self.current is not None and self.current.end and self.current not in shown[-1:]:
                shown.append(self.current)
            return sent

    pipeline.publish = Watched(settings, pipeline.rank.layout)
    for _, topic, value in generate(replace(chosen, world=world), SLATES, seed=1):
        pipeline.update(topic, value)
    pipeline.finish()
    return shown


def excluded(found: list[Estimate | None], before: int) -> int:
    """Return the first view after one whose interval lies below that one's; their number where none does."""
    level = found[before]
    assert level is not None and level.lower is not None
    below = [one is not None and one.upper is not None and one.upper < level.lower for one in found[before:]]
    return before + below.index(True) if any(below) else len(found)


@pytest.mark.parametrize("name", ["renamed", "silent"])
def test_pair_alignment_moves_before_adjusted_ais_does(name: str) -> None:
    """It needs no label and no horizon: at least the horizon earlier, whether or not the version's name changed."""
    alignment: list[Estimate | None] = []
    for view in views():
        shown = view.alignment[WINDOW]
        alignment.append(shown[f"{name}@2" if f"{name}@2" in shown else name].share)
    gain: list[Estimate | None] = [view.windows[WINDOW]["all"].variants[name].adjusted_ais for view in views()]
    switch = START + SWITCH * MINUTE
    pairs_end = [view.alignment[WINDOW][name].end for view in views()]
    by_pairs = excluded(alignment, before=sum(end <= switch for end in pairs_end) - 1)
    by_rankers = excluded(gain, before=sum(view.end <= switch for view in views()) - 1)
    assert switch < pairs_end[by_pairs] <= switch + WINDOW
    assert by_rankers - by_pairs >= 3  # buckets of two minutes: the horizon
    assert by_rankers < len(views())
    last = alignment[-1]
    assert last is not None and last.lower is not None and last.lower < 0.5 < (last.upper or 0)
