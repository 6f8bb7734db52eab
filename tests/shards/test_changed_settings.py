"""Settings that change between two starts: whatever stays goes on as if nothing had changed."""

from __future__ import annotations

import random
from collections.abc import Sequence
from functools import cache
from typing import Any

import msgspec
import pytest

from lis_online.errors import BlockError
from lis_online.events.hashing import id_hash
from lis_online.events.names import Names
from lis_online.events.windows_log import JoinReport, RankBucket, decode
from lis_online.events.wire import END_TICK
from lis_online.experiments.columns import Columns
from lis_online.experiments.moments import CROSSED, UserTotals
from lis_online.history.rows import HistoryRow
from lis_online.join.renaming import Renaming, Shape
from lis_online.join.user import User
from lis_online.join.user_page import PageDraft, UserPage
from lis_online.metrics.layout import Layout
from lis_online.metrics.presence import Presence
from lis_online.metrics.relaid import relaid
from lis_online.metrics.statistics import Statistics, axes_of
from lis_online.records import Outgoing, Record
from lis_online.settings import Settings
from lis_online.shards.contract import Shard
from lis_online.shards.join import JoinShard
from lis_online.shards.publish import PublishShard
from lis_online.shards.rank import RankShard
from lis_online.shards.view import OVERLAP, WHOLE_RUN
from lis_online.snapshots.contract import Snapshot
from tests.shards.village import MAIN, copied, feed, table

INPUTS = ("representations", "preferences", "impressions", "feedback")
Log = dict[str, list[Record]]


SOURCES, VARIANTS = table()["preference"], table()["variant"]
NEW_VARIANT = {"name": "added", "preference": "coclick", "dimension": 32}
LIKES = {"name": "likes", "kind": "co_engagement", "actions": ["like", "click"], "gap": "1h", "partners": 3}
METRICS = [
    {"name": "ctr", "kind": "ratio", "numerator": "click", "denominator": "impression"},
    {"name": "capped", "kind": "mean", "action": "click", "cap": 2},
    {"name": "clickers", "kind": "proportion", "action": "click"},
]


def experiment(arms: str, name: str = "e", metrics: int = 1) -> dict[str, Any]:
    """Return an experiment's table of arms of equal shares."""
    table = [{"name": arm, "share": 1 / len(arms)} for arm in arms]
    return {"name": name, "control": arms[0], "arm": table, "metric": METRICS[:metrics]}


def settings(**more: Any) -> Settings:
    """Return the village's settings with an experiment; more: other tables."""
    base = table(metrics={**table()["metrics"], "min_positives": 1}, history={"rollup": "8m"})
    return Settings.of({**base, "experiment": [experiment("ab")], **more})


PLAIN = settings()
LARGER = {
    "variant": settings(variant=[NEW_VARIANT, *VARIANTS]),
    "single": settings(variant=[VARIANTS[0], {**NEW_VARIANT, "versions": 1}, *VARIANTS[1:]]),
    "built-in source": settings(preference=[LIKES, *SOURCES]),
    "topic source": settings(preference=[SOURCES[1], {"name": "more", "kind": "topic"}, SOURCES[0], SOURCES[2]]),
    "experiment": settings(experiment=[experiment("xy", "f", 3), experiment("ab")]),
    "arm": settings(experiment=[experiment("cab")]),
    "metrics": settings(experiment=[experiment("ab", metrics=3)]),
    "all": settings(
        variant=[{**NEW_VARIANT, "preference": "likes"}, *VARIANTS[::-1]],
        preference=[LIKES, *SOURCES[::-1]],
        experiment=[experiment("xy", "f"), experiment("bca", metrics=2)],
    ),
}
"""What has something more than PLAIN, and that before the rest."""


@cache
def log() -> Log:
    """Return the feed by topic, every impression in an arm of two experiments, feedback of a second action too."""
    topics: Log = {topic: [] for topic in INPUTS}

    def add(topic: str, event: dict[str, Any]) -> None:
        topics[topic].append(Record(topic, 0, len(topics[topic]), event["ts"], msgspec.json.encode(event)))

    for topic, value in feed():
        event = msgspec.json.decode(value or b"")
        if topic == "impressions":
            user = id_hash(event["user_id"])
            event["experiments"] = {"e": "abc"[user % 3], "f": "xy"[user // 7 % 2]}
        add(topic, event)
        if topic == "representations" and event["variant"] == "good":
            add(topic, {**event, "variant": "added"})
        if topic == "preferences" and event["source"] == "full":
            add(topic, {**event, "source": "more"})
    for topic in MAIN:
        topics[topic].append(Record(topic, 0, len(topics[topic]), -1, END_TICK))
    return topics


class World:
    """The three shards over a log that they read as workers do: vectors and preferences first."""

    def __init__(self, of: Settings) -> None:
        self.settings = of
        self.samples: list[Record] = []
        self.windows: list[Record] = []
        self.rows: list[HistoryRow] = []
        self._make(of)

    def _make(self, of: Settings) -> None:
        self.join, self.rank = JoinShard(of, 0), RankShard(of)
        self.publish = PublishShard(of, Layout.of(of))

    @property
    def shards(self) -> Sequence[Shard]:
        """The three shards."""
        return self.join, self.rank, self.publish

    def change(self, of: Settings) -> None:
        """Stop, and start under other settings."""
        snapshots = [copied(shard.snapshot()) for shard in self.shards]
        self.settings = of
        self._make(of)
        for shard, snapshot in zip(self.shards, snapshots, strict=True):
            shard.restore(snapshot)

    def read(self, until: float, rank: bool = True, publish: bool = True) -> None:
        """Read up to a share of the impressions' and feedback's time. rank, publish: whether these go along."""
        first, last = (log()["impressions"][k].timestamp for k in (0, -2))
        end = first + until * (last - first)
        for topic in ("representations", "preferences"):
            self._feed([one for one in self._left(topic) if one.timestamp <= end])
        main = [one for topic in MAIN for one in self._left(topic) if one.timestamp <= end and one.value != END_TICK]
        main += [one for topic in MAIN for one in self._left(topic) if one.value == END_TICK and until >= 1]
        main.sort(key=lambda one: one.timestamp if one.value != END_TICK else 2**62)
        self._feed(main)
        if rank:
            self._pass_on(self.rank, "samples", self.samples)
        if publish:
            self._pass_on(self.publish, "windows", self.windows)
            self.rows += self.publish.take_rows()

    def _left(self, topic: str) -> list[Record]:
        return log()[topic][self.join.positions.get(topic, 0) :]

    def _feed(self, records: Sequence[Record]) -> None:
        for at in range(0, len(records), 97):
            self._keep(self.join.feed(records[at : at + 97]))

    def _pass_on(self, shard: Shard, topic: str, read: Sequence[Record]) -> None:
        for record in read[shard.positions[topic] :]:
            self._keep(shard.feed([record]))

    def _keep(self, sent: Sequence[Outgoing]) -> None:
        for one in sent:
            kept = {"samples": self.samples, "windows": self.windows}.get(one.topic)
            if kept is not None:
                kept.append(Record(one.topic, 0, len(kept), -1, one.value))

    def records(self, kind: type) -> list[Any]:
        """Return the decoded records of the windows topic of a kind."""
        return [found for found in map(decode, (r.value or b"" for r in self.windows)) if isinstance(found, kind)]

    def buckets(self) -> dict[int, tuple[RankBucket, bytes]]:
        """Return the finished buckets by start, and their statistics."""
        parts: dict[int, list[RankBucket]] = {}
        for one in self.records(RankBucket):
            if not one.final:
                parts.setdefault(one.start, []).append(one)
        return {start: (found[0], b"".join(one.data for one in found)) for start, found in parts.items()}


@cache
def calm(name: str | None = None) -> World:
    """Return a world that had the larger settings of that name, or PLAIN, from the start, read to the end."""
    world = World(PLAIN if name is None else LARGER[name])
    world.read(1.0)
    return world


def changed(before: Settings, after: Settings, seed: int) -> World:
    """Return a world whose settings changed at random points of the three shards' logs, read to the end."""
    draw = random.Random(seed)
    world = World(before)
    for share in sorted(draw.uniform(0.05, 0.9) for _ in range(3)):
        world.read(share, rank=draw.random() < 0.7, publish=draw.random() < 0.7)
    world.change(after)
    world.read(1.0)
    return world


def assert_nobody_else_moved(world: World) -> None:
    """Check every number of PLAIN's parts against a run that had PLAIN's settings throughout, to the last bit."""
    layout, plain = Layout.of(PLAIN), calm()
    assert {start: relaid(layout, data) for start, (_, data) in world.buckets().items()} == {
        start: data for start, (_, data) in plain.buckets().items()
    }
    assert arms(world) == arms(plain)
    mine, theirs = (one.publish.summary() for one in (world, plain))
    assert {name: mine[name] for name in ("samples", "slates", "from", "to", "unleaked", "twin")} == {
        name: theirs[name] for name in ("samples", "slates", "from", "to", "unleaked", "twin")
    }
    for kind in ("sources", "variants"):
        assert {name: strip(mine[kind][name]) for name in theirs[kind]} == {
            name: strip(one) for name, one in theirs[kind].items()
        }
    assert {name: mine["arms"][name].get(arm) for name, row in theirs["arms"].items() for arm in row} == {
        name: row.get(arm) for name, row in theirs["arms"].items() for arm in row
    }


def strip(one: dict[str, Any]) -> dict[str, Any]:
    """Return a variant's or source's numbers without what is told of versions that came later."""
    return {name: value for name, value in one.items() if name not in ("versions", "overlap")}


def arms(world: World) -> dict[tuple[str, str], tuple[Any, ...]]:
    """Return what the last report says of each of PLAIN's arms, over PLAIN's columns."""
    report = world.records(JoinReport)[-1]
    names, found = calm().records(JoinReport)[-1].columns["e"], {}
    for one in report.arms:
        if one.experiment == "e" and one.arm in "ab":
            columns = report.columns["e"]
            at = [columns.index(name) for name in names]
            products = [one.products[q * len(columns) + p] for q in at for p in at]
            positive = [one.positive[q] for q in at]
            found[one.experiment, one.arm] = one.users, one.assigned, [one.sums[q] for q in at], products, positive
    return found


@pytest.mark.parametrize("name", LARGER)
def test_what_is_added_moves_nobody_else(name: str) -> None:
    """Every bucket, arm and number of the others is that of a run without any change, wherever it happened."""
    assert_nobody_else_moved(changed(PLAIN, LARGER[name], seed=len(name)))


@pytest.mark.parametrize("name", ["built-in source", "topic source", "all"])
def test_what_is_removed_moves_nobody_else(name: str) -> None:
    """Those that stay go on as in a run that never had it."""
    assert_nobody_else_moved(changed(LARGER[name], PLAIN, seed=len(name) + 1))


@cache
def grown(name: str) -> World:
    """Return a world that got the larger settings of that name on the way, read to the end."""
    world = World(PLAIN)
    world.read(0.6)
    world.change(LARGER[name])
    world.read(1.0)
    return world


@pytest.mark.parametrize("name", ["variant", "single"])
def test_a_new_variant_has_every_vector_from_its_first_bucket_on(name: str) -> None:
    """Those of before the change are read again, once; its rankers begin with a bucket, as copies of the unleaked."""
    layout, larger = Layout.of(LARGER[name]), calm(name).buckets()
    place = layout.variants.index("added")
    ages = [(start, bucket) for start, (bucket, _) in grown(name).buckets().items()]
    before = [start for start, one in ages if "added" not in {held.slot for held in one.versions}]
    began = {held.began for _, one in ages for held in one.versions if held.slot == "added"}
    assert before and began == {max(before) + PLAIN.metrics.bucket}
    for start in [start for start, _ in ages if start not in before]:
        mine, theirs = (Statistics.decode(layout, one[start][1]) for one in (grown(name).buckets(), larger))
        assert mine.vectors[:, place].tolist() == theirs.vectors[:, place].tolist()
        assert mine.vectors[0, place] > 0
    assert grown(name).rank.late_side == calm().rank.late_side


def test_a_new_variant_warms_up_and_its_numbers_begin_with_it() -> None:
    """No window that began before it has a number of it; until its rankers have learnt, the diagnosis says so."""
    view = grown("variant").publish.current
    assert view is not None
    for length, slices in view.windows.items():
        found, diagnosis = slices["all"].variants["added"], view.diagnoses[length]["all"]["added"]
        assert diagnosis.diagnosis == "insufficient_data" and "began like the unleaked one" in diagnosis.sentence
        if length == WHOLE_RUN:
            assert found.ais.value is None and "began within the window" in str(found.ais.reason)
    assert view.windows[OVERLAP]["all"].variants["added"].ais.value is not None


@pytest.mark.parametrize(("name", "source"), [("built-in source", "likes"), ("topic source", "more")])
def test_a_new_source_begins_with_a_bucket_and_is_not_judged_before_its_memory_is_full(name: str, source: str) -> None:
    """Its rankers are in every bucket wholly, and its diagnoses wait for P + H of its own."""
    last, _ = max(grown(name).buckets().values(), key=lambda one: one[0].start)
    assert set(last.sources) == {source}
    layout, began = Layout.of(LARGER[name]), last.sources[source]
    place = layout.rankers.index(f"leaked:{source}")
    for start, (_, data) in grown(name).buckets().items():
        if source in axes_of(data)[2]:
            counts = Statistics.decode(layout, data)
            assert counts.fine[0, place].sum() == (counts.samples if start >= began else 0)
    presence = Presence([], sources={source: began})
    assert presence.absent(began - 1)[f"placebo:{source}"] == f"source {source} began within the window"
    assert presence.absent(began) == {}
    assert presence.warm_from(source, began, 900) == began + 900
    assert presence.warm_from(source, began + 900, 900) is presence.warm_from("another", 0, 900) is None


def test_a_new_metric_counts_from_the_start() -> None:
    """Capped totals and shares are computed from the totals of everybody who is known."""
    mine, theirs = (world.records(JoinReport)[-1] for world in (grown("metrics"), calm("metrics")))
    assert (mine.columns, mine.arms) == (theirs.columns, theirs.arms)
    assert any("@" in name for name in mine.columns["e"])


def test_a_new_experiment_counts_from_the_change_on() -> None:
    """Its arms fill, and so do its slices."""
    arms_of = {one.arm: one for one in grown("experiment").records(JoinReport)[-1].arms if one.experiment == "f"}
    from_the_start = {one.arm: one for one in calm("experiment").records(JoinReport)[-1].arms if one.experiment == "f"}
    for arm, one in arms_of.items():
        assert 0 < one.users <= from_the_start[arm].users
        assert int(one.sums[0]) < int(from_the_start[arm].sums[0])
    last, data = max(grown("experiment").buckets().values(), key=lambda one: one[0].start)
    assert data == calm("experiment").buckets()[last.start][1]


def test_users_of_an_arm_that_is_removed_stay_out_of_the_others() -> None:
    """Whoever of them is seen in another arm has crossed."""
    state, numbers = Shape(Names([], [], ["e"], [["a", "b"]]), [], 0, [["impression"]]), Names([], [], ["e"], [["b"]])
    columns = [Columns(["impression"], [])]
    renaming = Renaming(state, Shape(numbers, [], 0, [["impression"]]), columns)
    draft = PageDraft()
    for key, arm in enumerate((0, 1)):
        user = User(0, 1)
        user.totals = [UserTotals(arm, [7])]
        state.packing.append(user, draft.numbers)
        draft.update(key, 5)
    arms = [[[1, 0, 1, ["7"], ["49"], [1]], [1, 2, 3, ["7"], ["49"], [1]]]]
    nothing = {"chunks": 0}
    meta = {"waiting": nothing, "pending": nothing, "users": {"starts": []}, "histories": {"pages": 1}, "arms": arms}
    found = renaming.snapshot(Snapshot(meta, {"histories/page.0": UserPage.of(draft).whole}))
    page = UserPage(found.arrays["histories/page.0"])
    removed, kept = (renaming.new.packing.get(page.row(place)).totals[0] for place in (0, 1))
    assert removed is not None and kept is not None
    assert (removed.arm, removed.seen, removed.values) == (CROSSED, set(), [])
    assert (kept.arm, kept.seen, kept.values) == (0, {0}, [7])
    assert found.meta["arms"] == [[arms[0][1]]]


def test_a_shard_under_older_settings_refuses_what_it_does_not_know() -> None:
    """Rather than leave it out for good."""
    world = World(PLAIN)
    world.read(0.5)
    rank, publish = world.rank, world.publish
    world.change(LARGER["all"])
    world.rank, world.publish = rank, publish
    with pytest.raises(BlockError, match="which these settings do not have: the join workers run under newer settings"):
        world.read(0.9, publish=False)
    newer = grown("all")
    with pytest.raises(BlockError, match="which these settings do not have: the rank workers run under newer settings"):
        publish.feed(newer.windows[publish.positions["windows"] :])
