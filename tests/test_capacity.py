"""What a load needs: the arithmetic by hand, over coefficients that are round numbers."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from typer.testing import CliRunner

from lis_online import capacity
from lis_online.capacity import Load, cost, needed, ranked
from lis_online.capacity_coefficients import FITTED
from lis_online.cli.main import app
from lis_online.errors import SettingsError, UsageError
from lis_online.settings import Settings

ROUND = {
    "join_s": {"slate": 1e-6, "item": 2e-6, "history": 3e-6, "click": 10e-6},
    "rank_s": {
        "slate": 10e-6,
        "item": 1e-6,
        "item_variant": 2e-6,
        "item_history": 1e-7,
        "product": 1e-10,
        "pair": 10e-6,
    },
    "publish_s": {"bucket": 0.03, "variant": 0.06},
    "input_bytes": {"slate": 100.0, "item": 10.0, "history": 8.0, "click": 150.0},
    "log_bytes": {"slate": 40.0, "item": 43.0, "history": 16.0, "pair": 46.0},
    "pending_bytes": {"slate": 500.0, "item": 50.0, "history": 25.0},
    "windows_bytes": {"bucket": 6_000.0, "variant": 12_000.0},
    "number_rows": {"bucket": 100.0, "variant": 200.0},
}
LOAD = Load(
    impressions=1_000, variants=3, slate=10, history=4, dimension=50, clicks=0.5, items=2_000, users=5_000, slices=12
)


@pytest.fixture(autouse=True)
def round_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Compute with round numbers."""
    monkeypatch.setattr(capacity, "FITTED", ROUND)


def test_cores_of_join_are_rate_times_cost_over_what_a_core_may_do() -> None:
    """1 + 10 x 2 + 4 x 3 + 0.5 x 10 = 38 us for an impression, 1.6 times that live, and cores are busy for 0.7."""
    need = needed(LOAD)
    assert need.join_cores == pytest.approx(1_000 * 38e-6 * 1.6 / 0.7)
    assert need.partitions == 4
    assert needed(replace(LOAD, impressions=100_000)).partitions == 32  # 8.7 cores, twice: 17.4
    assert need.join_memory == pytest.approx(1e9 + 5_000 * 500 + 1_000 * 600 * (500 + 500 + 100))
    assert need.join_checkpoint == 5_000 * 350


def test_cores_of_rank_are_those_of_slates_and_pairs() -> None:
    """10 + 10 + 60 + 4 + 6,000 / 10,000 = 84.6 us for a slate, 5 x 10 for a click."""
    need = needed(LOAD)
    assert need.pair_cores == pytest.approx(1_000 * 0.5 * 50e-6 * 1.6 / 0.7)
    assert need.full.cores - need.pair_cores == pytest.approx(1_000 * 84.6e-6 * 1.6 / 0.7)
    assert need.gpus == 0  # a core is enough
    assert needed(replace(LOAD, impressions=200_000)).gpus == 3  # 50 cores, 20 to a card
    assert need.publish_cores == pytest.approx(1.6 * 0.21 / 60 / 0.7)


def test_memory_of_rank_is_tables_rankers_vectors_and_the_slates_of_a_horizon() -> None:
    """12 rankers; 2 bytes for each of 50 x 2,000 x 3 numbers; half an hour of slates of 40 + 430 + 64 bytes."""
    need = needed(LOAD)
    assert need.vector_memory == 600_000
    assert need.full.memory == pytest.approx(700e6 + 600e6 + 12 * 11e6 + 600_000 + 1_000 * 1_800 * 534)


def test_sketch_holds_the_pairs_of_memory_and_horizon_a_hundred_times() -> None:
    """1,000 x 0.5 x 5 pairs a second for six and a half hours: 58.5 million, of 2**33 slots less than a hundredth."""
    need = needed(LOAD)
    assert need.pairs == pytest.approx(2_500 * 23_400)
    assert need.sketch_bits == 33
    assert needed(replace(LOAD, impressions=2_000)).sketch_bits == 34


def test_limits_and_defaults_are_those_of_the_settings() -> None:
    """A default that changes in one place must change what is said of it in the other."""
    found = Settings.of({"preference": [{"name": "coclick"}]})
    assert found.leakage.sketch_bits == capacity.DEFAULT_SKETCH_BITS
    with pytest.raises(SettingsError, match=rf"sketch_bits: must be <= {capacity.MOST_SKETCH_BITS}, got"):
        Settings.of({"leakage": {"sketch_bits": 64}})
    assert found.preference[0].partners == capacity.PARTNERS
    assert capacity.DAY * capacity.KEPT_DAYS * 1_000 == found.history.keep_buckets == found.history.keep_numbers
    load = Load(impressions=1)
    assert load.horizon * 1_000 == found.leakage.horizon
    assert load.memory * 1_000 == found.leakage.memory
    assert load.attribution * 1_000 == found.events.attribution_window
    assert load.history == found.events.history_length


def test_kafka_holds_input_rank_log_and_buckets_three_times() -> None:
    """An impression is 100 + 100 + 32 + 75 bytes of input, 534 + 115 of rank log; a bucket is 42 kB a minute."""
    need = needed(LOAD)
    assert need.kafka_in == pytest.approx(1_000 * (307 + 649) + 42_000 / 60)
    assert need.full.disk_hour == pytest.approx(3 * 3_600 * need.kafka_in)


def test_postgres_grows_with_buckets_rankers_and_slices_and_not_with_impressions() -> None:
    """1,440 buckets a day: 3,000 bytes for each of 12 rankers in 12 slices, and twice the rows of six slices."""
    need = needed(LOAD)
    assert need.postgres_day == pytest.approx(1_440 * (3_000 * 12 * 12 + 370 * 2 * 700))
    assert need.postgres_kept == pytest.approx(14 * need.postgres_day)
    assert needed(replace(LOAD, impressions=1e6)).postgres_day == need.postgres_day


def test_one_core_ranks_the_share_that_pairs_leave_room_for() -> None:
    """Pairs of all users come first; the share that then fits makes the core as busy as planned, and no more."""
    need = needed(replace(LOAD, impressions=10_000))
    assert need.sampled is not None
    assert 0 < need.sampled.share < 1
    assert need.sampled.cores == pytest.approx(1)
    assert need.sampled.memory < need.full.memory
    assert need.sampled.disk_hour < need.full.disk_hour


def test_everything_is_ranked_where_one_core_is_enough_and_nothing_where_pairs_are_too_many() -> None:
    """A share is never above 1, and never 0: then there is none."""
    small = needed(LOAD)
    assert small.sampled == small.full
    assert needed(replace(LOAD, impressions=20_000, clicks=1.0)).sampled is None


def test_standard_error_is_half_the_resolution_at_the_samples_that_resolve_it() -> None:
    """Four times the samples halve it, and take a quarter of the time."""
    load = replace(LOAD, samples_to_resolve=86_400 * 10_000.0)
    day = ranked(load, 1.0)
    assert day.samples == 10_000
    assert (day.hours, day.stderr) == (pytest.approx(24), pytest.approx(0.00025))
    quarter = ranked(load, 0.25)
    assert (quarter.hours, quarter.stderr) == (pytest.approx(96), pytest.approx(0.0005))


@pytest.mark.parametrize(("name", "value"), [("impressions", 0), ("clicks", -1), ("impressions", float("nan"))])
def test_a_load_without_sizes_is_refused(name: str, value: float) -> None:
    """Each size is above 0; what is not a number is not."""
    with pytest.raises(UsageError, match=rf"^{name} must be > 0, got {value}$"):
        replace(LOAD, **{name: value})


def test_every_fitted_figure_is_used_with_all_its_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """A part that the arithmetic leaves out would be measured for nothing, and missing from what it says."""
    before = needed(LOAD).to_json()
    for figure, parts in ROUND.items():
        for part in parts:
            changed = {**ROUND, figure: {**parts, part: 2 * parts[part]}}
            with monkeypatch.context() as patch:
                patch.setattr(capacity, "FITTED", changed)
                assert needed(LOAD).to_json() != before, (figure, part)


def test_fitted_figures_have_the_parts_that_are_asked_for() -> None:
    """The module is written by a program: what is asked of it must be there."""
    assert {figure: parts.keys() - {"error"} for figure, parts in FITTED.items()} == {
        figure: parts.keys() for figure, parts in ROUND.items()
    }
    assert all(value >= 0 for parts in FITTED.values() for value in parts.values())
    assert cost("join_s", {"item": 2.0}) == 2 * ROUND["join_s"]["item"]


def test_command_prints_what_json_says() -> None:
    """The same load both ways; the options reach the arithmetic."""
    words = ["capacity", "--impressions", "1000", "--variants", "3", "--slate", "10", "--history", "4"]
    words += ["--dimension", "50", "--clicks", "0.5", "--items", "2000", "--users", "5000", "--resolve", "1e6"]
    found = CliRunner().invoke(app, [*words, "--json"])
    assert found.exit_code == 0, found.output
    assert json.loads(found.stdout) == needed(replace(LOAD, slices=6, samples_to_resolve=1e6)).to_json()
    told = CliRunner().invoke(app, words)
    assert told.exit_code == 0, told.output
    for part in ("1 core (9% of it)", "4 partitions", "0.0005 in 2 min", "a goal, not a measurement"):
        assert part in " ".join(told.stdout.split()), told.stdout


def test_command_says_what_one_core_gives() -> None:
    """A share where there is one; a word where pairs are too many."""
    words = ["capacity", "--impressions", "100000", "--clicks"]
    assert "events.user_sample = 0.0" in CliRunner().invoke(app, [*words, "0.01"]).stdout
    assert "pairs alone are more" in CliRunner().invoke(app, [*words, "3"]).stdout
