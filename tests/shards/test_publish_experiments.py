"""Experiments through the publish shard: from the join shards' reports to rows, view and summary."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import cache
from typing import Any

import msgspec
import numpy as np
import pytest
from scipy import optimize, stats

from lis_online.events.windows_log import VERSION, ArmMoments, JoinReport, RankBucket, UserTotalsBucket, encode
from lis_online.experiments.analysis import Plan, analyse
from lis_online.experiments.columns import Columns, quantities_of
from lis_online.experiments.definitions import Metric
from lis_online.experiments.moments import UNIT, Moments
from lis_online.experiments.stored_moments import decode
from lis_online.history.rows import ArmRow, CountRow, HistoryRow, LiftRow, MomentsRow, SampleRatioRow, UserTotalsRow
from lis_online.metrics.layout import Layout
from lis_online.records import Record
from lis_online.settings import Settings
from lis_online.shards.arm_reports import ArmReports
from lis_online.shards.publish import PublishShard
from lis_online.shards.view import ExperimentNumbers
from tests.metrics.worlds import make_scored, make_statistics

MINUTE = 60_000
START = 1_700_000_040_000 // MINUTE * MINUTE
ARMS = ("control", "x", "y")
LIFTS = {"control": 0.0, "x": 0.0, "y": 0.6}
SHARES = {"control": 0.5, "x": 0.25, "y": 0.25}
DWELL = {"direction": "decrease", "margin": 0.2}


def settings(cuped: bool = False, **experiment: Any) -> Settings:
    """Return settings with one experiment of three arms: a capped CTR, dwell as a guardrail, the share of likers."""
    metric = [
        {"name": "ctr", "kind": "ratio", "numerator": "click", "denominator": "impression", "cap": 60},
        {"name": "dwell", "kind": "mean", "action": "dwell", "minimum_effect": 0.05, "guardrail": DWELL},
        {"name": "likers", "kind": "proportion", "action": "like"},
    ]
    arms = [{"name": name, "share": share} for name, share in SHARES.items()]
    table = {"name": "e", "control": "control", "cuped": cuped, "arm": arms, "metric": metric, **experiment}
    return Settings.of({"experiment": [table], "metrics": {"warm_up": "1s"}})


SETTINGS = settings()
QUANTITIES = quantities_of(SETTINGS.events)
COLUMNS = Columns.of(SETTINGS.experiment[0], SETTINGS.events)


@cache
def people(arm: str, count: int = 900) -> np.ndarray:
    """Return the totals of an arm's users, [users, quantities], in units. LIFTS has how much it clicks more."""
    rng = np.random.default_rng(ARMS.index(arm))
    shown = 1 + rng.poisson(30 * rng.lognormal(0, 0.6, count))
    clicks = rng.binomial(shown, rng.beta(2, 18, count) * (1 + LIFTS[arm]))
    likes = rng.binomial(clicks, 0.2)
    dwell = (clicks * rng.lognormal(2, 0.5, count)).round(1)
    zero = np.zeros(count)
    return np.stack([shown, clicks, likes, zero, zero, dwell, zero], axis=1)


def moments_of(totals: np.ndarray, arm: str, columns: Columns = COLUMNS, assigned: int | None = None) -> ArmMoments:
    """Return what a join shard reports of users with these totals."""
    moments = Moments(len(columns.names))
    for user in totals:
        moments.add(columns.values([round(float(x) * UNIT) for x in user]))
    found = moments.get("e", arm)
    found.assigned = len(totals) if assigned is None else assigned
    return found


def report(shard: int, arms: Sequence[ArmMoments], revision: int = START, **other: Any) -> JoinReport:
    """Return a join shard's report on arms."""
    columns = {"e": list(COLUMNS.names)}
    first = JoinReport(VERSION, shard, revision, START, START, {"accepted": 9}, QUANTITIES, list(arms), columns)
    return msgspec.structs.replace(first, **other)


def whole() -> list[JoinReport]:
    """Return the report of one shard that sees everybody."""
    return [report(0, [moments_of(people(arm), arm) for arm in ARMS])]


def version_2(shard: int, totals: np.ndarray) -> bytes:
    """Return a report on arm x as version 2 wrote it: without columns, moments of the quantities without assigned."""
    plain = moments_of(totals, "x", Columns(QUANTITIES, []))
    arm = ["e", "x", plain.users, 1, plain.sums, plain.products, plain.positive]
    return msgspec.msgpack.encode(["join", 2, shard, START, START, START, {"accepted": 5}, QUANTITIES, [arm]])


def experiment(reports: list[JoinReport], of: Settings = SETTINGS) -> ExperimentNumbers:
    """Return the experiment as these reports have it."""
    return ArmReports(of).experiments(reports)["e"]


def bucket(number: int, final: bool = False) -> RankBucket:
    """Return one minute's bucket of a few samples."""
    layout = Layout.of(SETTINGS)
    data = make_statistics(layout, make_scored(np.random.default_rng(number), layout, slates=5)).encode()
    start = START + number * MINUTE
    return RankBucket(VERSION, 0, number, start, start + MINUTE, 0, 1, data, final, START, {}, 0)


def run(values: Sequence[bytes], of: Settings = SETTINGS) -> tuple[PublishShard, list[HistoryRow]]:
    """Return a publish shard that was fed records of the windows topic, and its rows."""
    shard = PublishShard(of, Layout.of(of))
    shard.feed([Record("windows", 0, offset, -1, value) for offset, value in enumerate(values)])
    return shard, shard.take_rows()


@cache
def calm() -> tuple[PublishShard, list[HistoryRow]]:
    """Return a run of one report and one bucket."""
    return run([*map(encode, whole()), encode(bucket(0))])


def test_shards_give_what_one_that_saw_everybody_gives() -> None:
    """To the last bit, however the users are spread: sums are whole numbers."""
    split = []
    for shard in range(3):
        arms = [moments_of(people(arm)[shard::3], arm) for arm in ARMS]
        split.append(report(shard, arms[shard:] + arms[:shard]))
    assert experiment(split[::-1]) == experiment(whole())
    assert experiment(whole()).analysis.comparisons[0].users_needed is not None


def test_sample_ratio_is_of_the_users_assigned() -> None:
    """Who crossed later was assigned all the same; the declared shares are of those, not of the users analysed."""
    arms = [moments_of(people(arm)[: 40 * (1 + (arm == "control"))], arm, assigned=400) for arm in ARMS]
    found = experiment([report(0, arms), report(1, arms)]).analysis.sample_ratio
    assert found.counts == (800, 800, 800) and found.mismatch
    assert found.p_value is not None and found.p_value < 0.01
    fair = [moments_of(people(arm)[:40], arm, assigned=round(800 * SHARES[arm])) for arm in ARMS]
    assert not experiment([report(0, fair)]).analysis.sample_ratio.mismatch


def rows_of(kind: type[HistoryRow], rows: Sequence[HistoryRow]) -> list[Any]:
    """Return the rows of a kind."""
    return [row for row in rows if isinstance(row, kind)]


def linearised(totals: np.ndarray) -> tuple[float, float]:
    """Return CTR and its variance by hand: a user counts for at most 60 impressions, with the own click rate."""
    shown = np.minimum(totals[:, 0], 60)
    clicks = np.floor(totals[:, 1] * 1e6 * shown / totals[:, 0]) / 1e6
    ratio = clicks.sum() / shown.sum()
    residual = (clicks - ratio * shown) / shown.mean()
    return ratio, residual.var(ddof=1) / len(totals)


def sequence_ends(difference: float, variance: float, effect: float, alpha: float) -> list[float]:
    """Return where the mixture's likelihood ratio is 1 / alpha, from densities. effect: absolute."""
    best = optimize.brentq(lambda r: r - np.log((1 + r) / alpha**2), 0.1, 100, xtol=1e-14)
    scale = effect / (np.sqrt(1 + best) + stats.norm.ppf(0.8)) * np.sqrt(best)

    def excess(theta: float) -> float:
        mixed = sum(
            weight * stats.norm.pdf(difference - theta, scale=np.sqrt(variance + (m * scale) ** 2))
            for m, weight in ((1, 0.5), (6, 0.25), (36, 0.25))
        )
        return float(np.log(mixed / stats.norm.pdf(difference - theta, scale=np.sqrt(variance))) + np.log(alpha))

    far = 15 * np.sqrt(variance)
    return [optimize.brentq(excess, difference, difference + s * far, xtol=1e-15, rtol=1e-14) for s in (-1, 1)]


@pytest.mark.parametrize("arm", ["x", "y"])
def test_rows_hold_the_lift_that_raw_totals_give(arm: str) -> None:
    """CTR by the delta method over users, dwell by Welch's test of scipy, both sequences from normal densities."""
    rows = {(row.arm, row.metric): row for row in rows_of(LiftRow, calm()[1])}
    control, control_variance = linearised(people("control"))
    level, variance = linearised(people(arm))
    ctr = rows[arm, "ctr"]
    assert (ctr.level, ctr.control_level) == pytest.approx((level, control), rel=1e-9)
    assert (ctr.value, ctr.absolute) == pytest.approx((level / control - 1, level - control), rel=1e-9)
    expected = sequence_ends(level - control, variance + control_variance, 0.01 * control, 0.05)
    assert [ctr.absolute_lower, ctr.absolute_upper] == pytest.approx(expected, rel=1e-9)
    reach = (expected[1] - ctr.absolute) / np.sqrt(variance + control_variance)
    for end in (1 + ctr.lower, 1 + ctr.upper):  # Fieller: as far from arm - end * control = 0 as is not yet excluded
        assert abs(level - end * control) / np.sqrt(variance + end**2 * control_variance) == pytest.approx(reach)
    a, c = people(arm)[:, 5], people("control")[:, 5]
    dwell = rows[arm, "dwell"]
    welch = stats.ttest_ind(a, c, equal_var=False)
    assert dwell.absolute == pytest.approx(a.mean() - c.mean(), rel=1e-9)
    assert dwell.stderr == pytest.approx(
        np.sqrt(a.var(ddof=1) / len(a) + (a.mean() / c.mean()) ** 2 * c.var(ddof=1) / len(c)) / c.mean(), rel=1e-9
    )
    view = calm()[0].current
    assert view is not None
    once = view.experiments["e"].analysis.get(arm, "dwell")
    assert once.p_fixed == pytest.approx(welch.pvalue, rel=1e-9)
    assert (once.absolute.fixed.lower, once.absolute.fixed.upper) == pytest.approx(
        tuple(welch.confidence_interval(0.95)), rel=1e-8
    )
    for end in (1 + dwell.fixed_lower, 1 + dwell.fixed_upper):
        away = abs(a.mean() - end * c.mean()) / np.sqrt(a.var(ddof=1) / len(a) + end**2 * c.var(ddof=1) / len(c))
        assert away == pytest.approx(stats.t.ppf(0.975, welch.df))
    likers = (people(arm)[:, 2] > 0).mean()
    assert rows[arm, "likers"].level == pytest.approx(likers, rel=1e-9)


def test_p_is_adjusted_over_every_arm_and_metric() -> None:
    """Holm by hand over six; the arm that is better is found, the equal one is not."""
    rows = rows_of(LiftRow, calm()[1])
    known = sorted(row.p_value for row in rows)
    by_hand = {p: min(1, max((6 - k) * q for k, q in enumerate(known[: i + 1]))) for i, p in enumerate(known)}
    assert [row.p_adjusted for row in rows] == [by_hand[row.p_value] for row in rows]
    assert {row.arm for row in rows if row.p_adjusted < 0.05} == {"y"}
    assert {(row.arm, row.metric, row.guardrail) for row in rows if row.guardrail} == {
        ("x", "dwell", "undecided"),
        ("y", "dwell", "holds"),
    }


def test_rows_are_kept_as_bytes_and_give_the_analysis_again() -> None:
    """What is stored of the arms is enough for every number: the history is read without the log."""
    shard, rows = calm()
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(rows), type=list[HistoryRow]) == rows
    stored = rows_of(MomentsRow, rows)
    assert [(row.arm, row.users, row.assigned, row.crossed) for row in stored] == [(arm, 900, 900, 0) for arm in ARMS]
    read = {row.arm: decode(row.data, row.experiment, row.arm) for row in stored}
    assert {columns for columns, _ in read.values()} == {COLUMNS.names}
    moments = {arm: found for arm, (_, found) in read.items()}
    assigned = {row.arm: row.assigned for row in stored}
    again = analyse(Plan.of(SETTINGS.experiment[0]), moments, COLUMNS.names, assigned)
    view = shard.current
    assert view is not None and view.experiments["e"].analysis == again
    (ratio,) = rows_of(SampleRatioRow, rows)
    assert (ratio.bucket_end, ratio.users, ratio.mismatch) == (view.end, 2700, True)
    assert ratio.p_value == again.sample_ratio.p_value


def test_reports_of_version_2_give_the_arms_as_before_and_no_lift() -> None:
    """A deploy upgrades publish first: it says why there is nothing to compare, and goes on."""
    shard, rows = run([version_2(0, people("x")), encode(bucket(0))])
    (x,) = [row for row in rows_of(ArmRow, rows) if row.arm == "x"]
    shown, clicks = people("x")[:, 0].sum(), people("x")[:, 1].sum()
    assert (x.users, x.impressions, x.clicks, x.crossed) == (900, shown, clicks, 1)
    residual = people("x")[:, 1] - clicks / shown * people("x")[:, 0]
    assert x.ctr == pytest.approx(clicks / shown)
    assert x.ctr_stderr == pytest.approx(residual.std(ddof=1) * np.sqrt(900) / shown)
    assert not rows_of(LiftRow, rows) and not rows_of(MomentsRow, rows)
    (ratio,) = rows_of(SampleRatioRow, rows)
    assert (ratio.p_value, ratio.mismatch) == (None, False) and "an earlier release" in ratio.reason
    told = json.loads(json.dumps(shard.summary(), allow_nan=False))["experiments"]["e"]
    assert "an earlier release" in told["reason"]
    assert (told["comparisons"], told["arms"]["x"]["users"], told["arms"]["x"]["crossed"]) == ({}, None, 1)
    assert told["guardrails"]["x"]["dwell"]["status"] == "undecided"


def test_arms_add_up_over_shards_of_two_releases() -> None:
    """In the middle of a deploy the shards' moments have different columns; what both have is still counted."""
    old, new = people("x")[:300], people("x")[300:]
    shard, rows = run([version_2(0, old), encode(report(1, [moments_of(new, "x")])), encode(bucket(0))])
    (x,) = [row for row in rows_of(ArmRow, rows) if row.arm == "x"]
    (alone,) = [row for row in rows_of(ArmRow, calm()[1]) if row.arm == "x"]
    assert x == msgspec.structs.replace(alone, crossed=1)
    assert shard.current is not None and shard.current.experiments["e"].reason is not None


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ([[*COLUMNS.names], QUANTITIES], "do not count click@60/impression"),
        ([QUANTITIES, QUANTITIES], "do not count click@60/impression"),
        ([[*COLUMNS.names], []], "lack the experiment's columns"),
    ],
)
def test_moments_of_other_columns_are_not_compared(columns: list[list[str]], message: str) -> None:
    """Numbers under the wrong name would be worse than none."""
    plain = [moments_of(people("x")[:1], "x")]
    reports = [report(shard, plain, columns={"e": names} if names else {}) for shard, names in enumerate(columns)]
    found = experiment(reports)
    assert found.reason is not None and message in found.reason
    assert (found.analysis.comparisons, found.analysis.sample_ratio.reason) == ((), found.reason)


def test_shards_that_count_more_or_not_yet_are_added_up_over_what_all_count() -> None:
    """A metric more or an experiment more reaches the shards' reports one by one; no column stands for another."""
    first, second = people("x")[:300], people("x")[300:]
    more = Metric("more", "mean", "like", cap=2)
    wide = Columns(QUANTITIES, [more, *(Metric.of(metric) for metric in SETTINGS.experiment[0].metric)], True)
    assert set(COLUMNS.names) < set(wide.names) and wide.names[: len(COLUMNS.names)] != COLUMNS.names
    reports = [
        report(0, [moments_of(first, "x")]),
        report(1, [moments_of(second, "x", wide)], columns={"e": list(wide.names)}),
        report(2, [], columns={}),
        report(3, [], columns={"other": QUANTITIES}),
    ]
    assert experiment(reports).moments["x"] == moments_of(people("x"), "x")
    assert experiment(reports).reason is None


def test_an_experiment_before_its_first_user_has_reasons() -> None:
    """Every comparison and guardrail is there from the start, without a number."""
    found = experiment([])
    assert found.reason is None
    assert {one.relative.reason for one in found.analysis.comparisons} == {"no users"}
    assert found.guardrails == {("x", "dwell"): "undecided", ("y", "dwell"): "undecided"}
    assert found.analysis.sample_ratio.reason == "no users"
    assert {arm: one.users for arm, one in found.moments.items()} == dict.fromkeys(ARMS, 0)


def test_an_experiment_without_metrics_says_so() -> None:
    """Its arms' moments and sample ratio are there all the same."""
    bare = settings(metric=[])
    plain = Columns(QUANTITIES, [])
    given = report(0, [moments_of(people("x")[:9], "x", plain)], columns={"e": QUANTITIES})
    found = experiment([given], bare)
    assert (found.reason, found.analysis.comparisons) == ("no metric is declared", ())
    assert found.moments["x"].users == 9 and found.analysis.sample_ratio.p_value is not None


def test_summary_holds_the_comparisons_of_the_view() -> None:
    """Plain JSON, by arm and metric; a lift is relative where it says so."""
    shard, _ = calm()
    told = json.loads(json.dumps(shard.summary(), allow_nan=False))["experiments"]["e"]
    assert shard.current is not None
    analysis = shard.current.experiments["e"].analysis
    one, ctr = analysis.get("y", "ctr"), told["comparisons"]["y"]["ctr"]
    assert ctr["relative"]["value"] == one.relative.value == pytest.approx(one.arm.value / one.control.value - 1)
    assert (ctr["p_value"], ctr["p_adjusted"], ctr["effect"]) == (one.p_sequential, one.p_adjusted, "above")
    assert ctr["level"]["stderr"] ** 2 == pytest.approx(one.arm.variance)
    assert told["sample_ratio"] == {"p_value": analysis.sample_ratio.p_value, "mismatch": True, "reason": None}
    assert told["guardrails"] == {
        "x": {"dwell": {**DWELL, "status": "undecided"}},
        "y": {"dwell": {**DWELL, "status": "holds"}},
    }
    assert told["arms"]["y"] == {"variant": None, "share": 0.25, "users": 900, "assigned": 900, "crossed": 0}


def test_counts_are_rows_of_each_fate_that_was_seen() -> None:
    """Summed over shards, as of the bucket; what never happened has no row."""
    one = report(0, [], counts={"accepted": 9, "late_feedback": 0, "duplicate": 1})
    two = report(1, [], counts={"accepted": 5, "malformed": 2})
    _, rows = run([encode(one), encode(two), encode(bucket(0))])
    found = {row.fate: (row.records, row.bucket_end) for row in rows_of(CountRow, rows)}
    assert found == {fate: (n, START + MINUTE) for fate, n in {"accepted": 14, "duplicate": 1, "malformed": 2}.items()}


def totals_bucket(part: int) -> UserTotalsBucket:
    """Return a part of a quarter of an hour of users' totals."""
    end = START + 15 * MINUTE
    return UserTotalsBucket(VERSION, 3, "e", START, end, part, 2, 10 + part, b"bytes %d" % part)


def test_users_totals_become_rows_at_once() -> None:
    """They wait for no bucket and change no number; a part that is sent again is the same row."""
    sent = [encode(totals_bucket(part)) for part in (0, 1, 0)]
    shard, rows = run(sent)
    end = START + 15 * MINUTE
    first, second = (
        UserTotalsRow(START, end, "e", 3, part, 10 + part, b"bytes %d" % part, revision=end) for part in (0, 1)
    )
    assert rows == [first, second, first]
    assert shard.current is None and not shard.finished
    again = PublishShard(SETTINGS, Layout.of(SETTINGS))
    again.feed([Record("windows", 0, 0, -1, sent[0])])
    other = PublishShard(SETTINGS, Layout.of(SETTINGS))
    other.restore(again.snapshot())
    assert other.take_rows() == [first]
    none = PublishShard(SETTINGS, Layout.of(SETTINGS), rolling=False)
    none.feed([Record("windows", 0, 0, -1, sent[0])])
    assert none.take_rows() == []


def test_a_restored_shard_shows_the_same_experiments() -> None:
    """The reports are its state; what is computed from them is computed again."""
    shard, _ = calm()
    other = PublishShard(SETTINGS, Layout.of(SETTINGS))
    other.restore(shard.snapshot())
    assert other.current == shard.current and other.summary() == shard.summary()
