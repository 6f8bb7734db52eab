"""The study of the arms' statistics measures what the library does."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from lis_online.events.windows_log import ArmMoments
from lis_online.experiments.burn_in import too_few
from lis_online.experiments.comparison import Rules, compare
from lis_online.experiments.cuped import adjust
from lis_online.experiments.definitions import Metric
from lis_online.experiments.levels import level
from lis_online.experiments.sequence import ForEffect
from studies.experiments import main
from studies.experiments_parts import chosen_burn_in
from studies.experiments_watch import BEFORE, METRICS, levels, watch
from studies.experiments_worlds import Moments, World, moments, simulate, visits
from tests.experiments.arms import printed

SMALL = World("small", users=400, buckets=5, share=0.4, lift=0.5)
WITH_BEFORE = World("before", users=300, buckets=4, before=1.0)
NAMES = ["impression", "click", "dwell", "click>0"]
DECLARED = {
    "click rate": Metric("m", "ratio", "click", "impression"),
    "dwell per user": Metric("m", "mean", "dwell"),
    "share who clicked": Metric("m", "proportion", "click"),
}


def arm(of: Moments, run: int, index: int, bucket: int) -> ArmMoments:
    """Return one arm's moments at one look, as the library takes them."""
    at = (run, index, bucket)
    return printed(int(of.users[at]), of.sums[at].tolist(), of.products[at].tolist())


@pytest.mark.parametrize("world", [SMALL, WITH_BEFORE], ids=lambda world: world.name)
def test_moments_are_those_of_the_users_totals_at_each_look(world: World) -> None:
    """Brute force: each user's totals from the visits up to a bucket, squared and summed by arm."""
    seen = visits(world, 2, np.random.default_rng(1))
    found = moments(world, 2, seen)
    for run in range(2):
        for bucket in range(world.buckets):
            totals: dict[int, np.ndarray] = {}
            for person, when, gained in zip(seen.person, seen.bucket, seen.gained, strict=True):
                if person // world.users == run and when <= bucket:
                    totals[person] = totals.get(person, seen.fixed[person].copy()) + gained
            for index in range(2):
                rows = np.array([row for person, row in totals.items() if seen.treated[person] == index])
                if not world.before:
                    rows[:, 3] = rows[:, 1] > 0
                assert found.users[run, index, bucket] == len(rows)
                np.testing.assert_allclose(found.sums[run, index, bucket], rows.sum(axis=0))
                products, needed = found.products[run, index, bucket], rows.T @ rows
                np.testing.assert_allclose(products[products != 0], needed[products != 0], rtol=1e-9)
                assert np.all(np.diag(products) == pytest.approx(np.diag(needed)))


@pytest.mark.parametrize("metric", METRICS)
def test_a_look_of_the_study_is_a_comparison_of_the_library(metric: str) -> None:
    """Each run and look: the sequence excludes 0, the burn-in holds, exactly where the library says so."""
    of = simulate(SMALL, 4, np.random.default_rng(2))
    seen = watch(levels(of, METRICS[metric]), effect=0.3)
    excluded, outcomes = seen.missed(20), set()
    for run in range(4):
        for bucket in range(SMALL.buckets):
            pair = [arm(of, run, index, bucket) for index in range(2)]
            found = compare(pair[0], pair[1], NAMES, DECLARED[metric], Rules(tuning=ForEffect(0.3), burn_in=20))
            assert found.absolute.sequence.excludes(0) == excluded[run, bucket]
            at = [level(one, NAMES, DECLARED[metric]) for one in pair]
            assert (too_few(at[0], at[1], 20) is None) == seen.ready(20)[run, bucket]
            if found.p_sequential is not None:
                expected = min(1.0, float(np.exp(-seen.mixture.log_e(seen.z_squared)[run, bucket])))
                assert found.p_sequential == pytest.approx(expected, rel=1e-6)
            outcomes.add((excluded[run, bucket], found.p_sequential is None))
    assert len(outcomes) > 1


def test_the_studys_cuped_is_the_librarys() -> None:
    """The same levels and variances, from the pre-period's moments."""
    of = simulate(WITH_BEFORE, 1, np.random.default_rng(3))
    names = ["impression", "click", "before:impression", "before:click"]
    adjusted = adjust(arm(of, 0, 0, 3), arm(of, 0, 1, 3), names, DECLARED["click rate"])
    found = levels(of, METRICS["click rate"], BEFORE)
    for index, one in enumerate((adjusted.control, adjusted.arm)):
        assert one.value == pytest.approx(found.value[0, index, 3], rel=1e-9)
        assert one.variance == pytest.approx(found.variance[0, index, 3], rel=1e-6)


def test_the_burn_in_is_the_smallest_that_keeps_every_error() -> None:
    """One world over 5 % rules a threshold out; one with too few runs says nothing."""
    rows = [{"error": {0: 0.2, 25: 0.04, 50: 0.01, 100: 0.0, 200: None, 400: None}}]
    assert chosen_burn_in(rows) == 25
    rows.append({"error": {0: 0.0, 25: 0.06, 50: 0.05, 100: None, 200: None, 400: None}})
    assert chosen_burn_in(rows) == 50
    assert chosen_burn_in([{"error": dict.fromkeys((0, 25, 50, 100, 200, 400), 0.5)}]) is None


def test_the_study_writes_its_page_and_figures(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The keys that others read, each a share; the page shows every figure that was drawn, without the data too."""
    monkeypatch.delenv("LIS_DATA", raising=False)
    main(["--runs", "20", "--out", str(tmp_path)])
    found = json.loads((tmp_path / "experiments.json").read_text())
    assert json.loads(capsys.readouterr().out) == found
    assert list(found) == [
        "runs",
        "aa_error_sequential",
        "aa_error_fixed_peeking",
        "coverage_sequential",
        "srm_error",
        "srm_power_51_49",
        "cap_error",
        "cap_power",
        "cap_power_without",
        "trigger_error",
        "trigger_power",
        "trigger_power_without",
        "range_error",
        "range_error_chosen",
        "range_error_chosen_fixed",
        "family_error_holm",
        "family_error_none",
        "false_discoveries_benjamini_hochberg",
        "srm_error_three_arms",
        "rare_clicks_error",
        "rare_clicks_power_doubled",
    ]
    assert found.pop("runs") == 20 and all(0 <= share <= 1 for share in found.values())
    page = (tmp_path / "experiments.md").read_text()
    drawn = sorted(path.name for path in (tmp_path / "figures").iterdir())
    names = ("power", "ranges", "rare", "sample-ratio", "width")
    assert drawn == [f"experiments-{name}.svg" for name in names]
    assert "Not run: LIS_DATA names no folder with open-bandit." in page
    assert all(f"(figures/{name})" in page for name in drawn)
