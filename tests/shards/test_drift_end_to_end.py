"""A broken version in a running world, through join, rank and publish: one event for each change, none else."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

from lis_online.drift.reading import VARIANT, Series
from lis_online.history.rows import DriftRow, HistoryRow
from lis_online.settings import Settings
from lis_online.shards.drift_view import DriftView
from lis_online.shards.pipeline import Pipeline
from lis_online.simulate.parameters import SourceParameters, VariantParameters, VersionParameters
from lis_online.simulate.recorded import START, generate
from lis_online.simulate.scenarios import scenario

MINUTE = 60_000
BUCKET = 2 * MINUTE
SWITCH = 44
"""Minutes until two variants' vectors are random: one's under the name of a new version, one's under the old name."""
SLATES = 4_400
USERS = 200
"""So few that their histories are full when the warm-up is over: while these fill, coverage rises, and that is told."""
NAMES = ("renamed", "silent", "steady")


@cache
def told(broken: bool, seed: int = 1) -> tuple[list[DriftRow], DriftView]:
    """Return the events as they stand at the end, and the state then. broken: whether the switch takes place."""
    chosen = scenario("versions")
    later = [
        VersionParameters(*row) for row in zip(NAMES, (0.0, 0.0), (SWITCH * MINUTE,) * 2, ("2", "1"), strict=False)
    ]
    world = replace(
        chosen.world,
        users=USERS,
        sources=(SourceParameters("full", 1.0),),
        variants=tuple(VariantParameters(name, 0.6) for name in NAMES),
        versions=tuple(later) if broken else (),
        arms=(("control", ""),),
    )
    settings = Settings.of(
        {
            "events": chosen.settings["events"],
            "leakage": {"horizon": "6m", "memory": "12m", "folds": 2, "sketch_bits": 16, "placebo_pairs": 100},
            "training": {"embedding": 4, "hidden": [16], "user_bits": 10, "item_bits": 10},
            "metrics": {"bucket": "2m", "windows": ["10m"], "warm_up_samples": 0},
            "drift": {"bucket": "2m", "learning": "16m", "window": "2h", "gap": "4m", "same": "30m"},
            "preference": [{"name": "full", "kind": "topic"}],
            "variant": [{"name": name, "preference": "full", "dimension": world.dimension} for name in NAMES],
        }
    )
    rows: list[HistoryRow] = []
    pipeline = Pipeline(settings, rows=rows.extend)
    for _, topic, value in generate(replace(chosen, world=world), SLATES, seed=seed):
        pipeline.update(topic, value)
    pipeline.finish()
    newest = {(row.time, row.kind, row.variant, row.number): row for row in rows if isinstance(row, DriftRow)}
    view = pipeline.publish.current
    assert view is not None and view.drift is not None
    return list(newest.values()), view.drift


def test_broken_vectors_are_one_event_of_their_variant_with_its_cause() -> None:
    """Under a new name it is the version's, under the old one the representation's; the third variant is quiet."""
    switch = START + SWITCH * MINUTE
    events = {(row.variant, row.number): row for row in told(broken=True)[0]}
    assert {key: row.cause for key, row in events.items()} == {
        ("renamed", "pair_alignment"): "version",
        ("silent", "pair_alignment"): "representation",
    }
    for row in events.values():
        assert abs(row.time - switch) <= BUCKET
        assert switch < row.detected_at + BUCKET <= switch + 6 * BUCKET
        assert row.before is not None and row.after is not None and row.after < 0.6 < row.before
        assert row.until is None


def test_quiet_world_has_no_event() -> None:
    """The same, without the switch; every number of the variants has been judged."""
    rows, drift = told(broken=False)
    assert rows == []
    judged = {Series(VARIANT, name, number) for name in NAMES for number in ("pair_alignment", "adjusted_ais")}
    assert judged <= set(drift.away)
