from dataclasses import replace

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import log_loss, roc_auc_score

from lis_online.errors import BlockError
from lis_online.events.hashing import group_of, mix
from lis_online.metrics.auc import auc
from lis_online.metrics.bins import FINE_PLACES, FIXED, GROUPS
from lis_online.metrics.layout import Layout
from lis_online.metrics.scored import Scored
from lis_online.metrics.statistics import (
    COVERED,
    FALSE_COVER,
    GAUC,
    LOG_LOSS,
    MIXED,
    POSITIVES,
    PREDICTED,
    SAMPLES,
    SLATES,
    VERSION,
    Statistics,
)
from lis_online.settings import Settings
from tests.metrics.worlds import make_layout, make_scored, make_statistics, same


def test_counts_equal_a_loop_over_samples() -> None:
    """Every count is that of a plain loop: per slice, and user group."""
    layout = make_layout()
    batch = make_scored(np.random.default_rng(0), layout)
    counts = make_statistics(layout, batch).counts
    group = group_of(batch.user, GROUPS)
    expected = np.zeros_like(counts)
    for slate in range(len(batch.user)):
        labels = batch.label[batch.slate == slate]
        for member in batch.slices[slate][batch.slices[slate] >= 0]:
            row = len(labels), labels.sum(), 1, len(set(labels.tolist())) == 2
            expected[member, group[slate]] += np.array(row, np.int64)
    np.testing.assert_array_equal(counts, expected)


def test_histograms_count_each_sample_of_a_slice_once() -> None:
    """Fine and coarse histograms hold the same samples at the same places, and the fine ones sum to the coarse."""
    layout = make_layout()
    statistics = make_statistics(layout, make_scored(np.random.default_rng(1), layout))
    slices, rankers = statistics.fine.shape[:2]
    folded = statistics.fine.reshape(slices, rankers, 2, 128, 8).sum(axis=-1)
    np.testing.assert_array_equal(folded, statistics.coarse.sum(axis=2))
    offset = 32 * (statistics.fine.reshape(slices, rankers, 2, 128, 8) * np.arange(8)).sum(axis=-1)
    places = statistics.fine_places.reshape(slices, rankers, 2, 128, 8).sum(axis=-1) + offset
    np.testing.assert_array_equal(places, statistics.coarse_places.sum(axis=2))
    by_slice = statistics.counts[:, :, 0].sum(axis=1)
    np.testing.assert_array_equal(statistics.fine.sum(axis=(2, 3)), np.repeat(by_slice[:, None], rankers, axis=1))


def test_auc_error_is_under_a_tenth_of_its_standard_error() -> None:
    """AUC from bins and places, against a full sort of 50,000: Hanley and McNeil's standard error is the yardstick."""
    layout = make_layout()
    rng = np.random.default_rng(2)
    batch = make_scored(rng, layout, slates=8_000, users=3_000)
    statistics = make_statistics(layout, batch)
    found = auc(statistics.fine[0], statistics.fine_places[0], FINE_PLACES)
    for row in range(len(layout.rankers)):
        exact = roc_auc_score(batch.label, batch.logits[row])
        assert abs(found[row] - exact) < 0.1 * _hanley(exact, batch.label)


def _hanley(a: float, label: np.ndarray) -> float:
    p = int(label.sum())
    n = len(label) - p
    q1, q2 = a / (2 - a), 2 * a * a / (1 + a)
    return float(np.sqrt((a * (1 - a) + (p - 1) * (q1 - a * a) + (n - 1) * (q2 - a * a)) / (p * n)))


def test_sums_equal_scikit_learn() -> None:
    """GAUC, log loss and predictions in fixed point are those of scikit-learn within the rounding."""
    layout = make_layout()
    batch = make_scored(np.random.default_rng(3), layout, slates=40)
    sums = make_statistics(layout, batch).sums[0].sum(axis=1) / FIXED
    for row, logits in enumerate(batch.logits.astype(np.float64)):
        p = 1 / (1 + np.exp(-logits))
        slates = [batch.slate == k for k in range(40)]
        per_slate = [roc_auc_score(batch.label[m], logits[m]) for m in slates if len(set(batch.label[m])) == 2]
        assert sums[row, GAUC] == pytest.approx(sum(per_slate), abs=1e-4)
        assert sums[row, LOG_LOSS] == pytest.approx(log_loss(batch.label, p, normalize=False), abs=1e-3)
        assert sums[row, PREDICTED] == pytest.approx(p.sum(), abs=1e-3)


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 2**32 - 1), st.permutations(range(4)), st.integers(1, 3))
def test_merges_in_any_order_and_grouping_are_equal(seed: int, order: list[int], cut: int) -> None:
    """Statistics add in any order, and however batches are grouped: equal to updating with all."""
    layout = make_layout()
    rng = np.random.default_rng(seed)
    batches = [make_scored(rng, layout, slates=int(rng.integers(0, 6))) for _ in range(4)]
    together = make_statistics(layout, *batches)
    first = make_statistics(layout, *[batches[k] for k in order[:cut]])
    second = make_statistics(layout, *[batches[k] for k in order[cut:]])
    second.merge(first)
    assert same(together, second)
    second.subtract(first)
    assert same(second, make_statistics(layout, *[batches[k] for k in order[cut:]]))


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(0, 30))
def test_decoded_statistics_equal_the_encoded(seed: int, slates: int) -> None:
    """Bytes carry statistics exactly, empty ones too."""
    layout = make_layout()
    statistics = make_statistics(layout, make_scored(np.random.default_rng(seed), layout, slates=slates))
    statistics.leave_out(7, 2)
    assert same(Statistics.decode(layout, statistics.encode()), statistics)


def test_other_axes_are_refused() -> None:
    """Statistics of other rankers are not read as these."""
    data = Statistics(Layout.of(Settings.of({}))).encode()
    with pytest.raises(BlockError, match="the settings ask for"):
        Statistics.decode(make_layout(), data)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_diverged_ranker_touches_no_other(bad: float) -> None:
    """A logit that is not finite takes its ranker out of the batch, and leaves every other count as it was."""
    layout = make_layout()
    batch = make_scored(np.random.default_rng(4), layout)
    logits = batch.logits.copy()
    logits[3, 5] = bad
    clean, spoilt = make_statistics(layout, batch), make_statistics(layout, replace(batch, logits=logits))
    others = [k for k in range(len(layout.rankers)) if k != 3]
    for name in ("fine", "coarse", "sums"):
        one, two = clean.arrays()[name], spoilt.arrays()[name]
        np.testing.assert_array_equal(one[:, others], two[:, others])
        assert not two[:, 3].any()
    np.testing.assert_array_equal(clean.counts, spoilt.counts)


def test_extreme_logits_stay_in_the_last_bins() -> None:
    """Logits beyond the edge are counted in the last bin, and add a bounded loss."""
    layout = make_layout()
    batch = make_scored(np.random.default_rng(5), layout)
    logits = np.where(batch.label > 0, -1e30, 1e30).astype(np.float32) * np.ones_like(batch.logits)
    statistics = make_statistics(layout, replace(batch, logits=logits))
    assert statistics.fine[0, 0, 0, -1] + statistics.fine[0, 0, 1, 0] == statistics.samples
    assert statistics.sums[0, 0, :, LOG_LOSS].sum() == 32 * FIXED * statistics.samples


def test_bins_widen_before_they_overflow() -> None:
    """Histograms go to 64 bits before counts or places can pass 2**31, by merging or by decoding."""
    layout = make_layout()
    statistics = make_statistics(layout, make_scored(np.random.default_rng(6), layout))
    doubled = Statistics(layout)
    doubled.merge(statistics)
    for _ in range(29):
        doubled.merge(Statistics.decode(layout, doubled.encode()))
    assert doubled.fine.dtype == np.int64
    np.testing.assert_array_equal(doubled.fine, statistics.fine.astype(np.int64) << 29)
    assert same(Statistics.decode(layout, doubled.encode()), doubled)


def test_covered_samples_are_counted_with_the_expected_collisions() -> None:
    """An uncovered sample that would look covered with probability f stands for f / (1 - f) false ones."""
    layout = make_layout()
    batch = make_scored(np.random.default_rng(7), layout)
    false = np.full_like(batch.false_cover, 0.2)
    cover = make_statistics(layout, replace(batch, false_cover=false)).cover[0, 0]
    uncovered = int((~batch.covered[0]).sum())
    assert cover[0] == batch.covered[0].sum()
    assert cover[1] / FIXED == pytest.approx(uncovered * 0.25, rel=1e-5)


def test_wrong_shape_is_refused() -> None:
    """A batch of other rankers is named, not broadcast."""
    layout = make_layout()
    batch: Scored = make_scored(np.random.default_rng(8), layout)
    with pytest.raises(ValueError, match=r"logits must have shape \(8, \d+\), got \(7, \d+\)"):
        Statistics(layout).update(replace(batch, logits=batch.logits[:7]))


def test_input_is_not_changed() -> None:
    """Statistics read a batch and leave it as it was."""
    layout = make_layout()
    batch = make_scored(np.random.default_rng(9), layout)
    before = batch.logits.copy()
    make_statistics(layout, batch)
    np.testing.assert_array_equal(batch.logits, before)


def test_a_user_is_counted_in_the_cell_of_its_hash() -> None:
    """The same cell in every process and version: shards merge by addition."""
    layout = make_layout()
    batch = make_scored(np.random.default_rng(10), layout, slates=30)
    users = make_statistics(layout, batch).users[0]
    expected = np.zeros(4096, np.int64)
    for slate, user in enumerate(batch.user):
        expected[int(mix(np.array([user]), 3)[0]) % 4096] += int((batch.slate == slate).sum())
    np.testing.assert_array_equal(users, expected)


def test_fixed_point_is_a_millionth() -> None:
    """One slate put in order counts 2**20 in GAUC; a certain miss costs 32 nats, a certain hit none."""
    layout = make_layout()
    batch = make_scored(np.random.default_rng(11), layout, slates=1)
    order = np.where(np.arange(len(batch.label)) == 0, 100.0, -100.0)
    label = (order > 0).astype(np.uint8)
    logits = np.tile(order, (len(layout.rankers), 1)).astype(np.float32)
    sums = make_statistics(layout, replace(batch, logits=logits, label=label)).sums[0].sum(axis=1)
    assert sums[:, GAUC].tolist() == [2**20] * len(layout.rankers) and sums[:, LOG_LOSS].max() == 0
    assert sums[:, PREDICTED].tolist() == [2**20] * len(layout.rankers)
    missed = make_statistics(layout, replace(batch, logits=-logits, label=label)).sums[0].sum(axis=1)
    assert missed[:, LOG_LOSS].tolist() == [32 * 2**20 * len(label)] * len(layout.rankers)


def test_expected_collisions_stay_bounded() -> None:
    """Where nearly every unknown pair looks known, one uncovered sample stands for at most 1,024 false ones."""
    layout = make_layout()
    batch = make_scored(np.random.default_rng(12), layout)
    covered = np.zeros_like(batch.covered)
    covered[:, 1:] = True
    for false, expected in ((0.75, 3.0), (0.9999, 0.9999 * 1024)):
        table = np.full_like(batch.false_cover, false)
        cover = make_statistics(layout, replace(batch, covered=covered, false_cover=table)).cover[0, 0]
        assert cover[1] / FIXED == pytest.approx(expected, rel=1e-4)


def test_other_bytes_are_refused() -> None:
    """Damage, another version and other arrays are each named; none is read as if it were these statistics."""
    layout = make_layout()
    good = msgspec.msgpack.decode(Statistics(layout).encode())
    assert good["version"] == VERSION and list(good["arrays"]) == list(Statistics(layout).arrays())
    bad = [
        (b"\xc1", "statistics cannot be read"),
        (msgspec.msgpack.encode({**good, "version": VERSION + 1}), f"have version {VERSION + 1}, this code reads"),
        (msgspec.msgpack.encode({**good, "version": VERSION - 1}), f"have version {VERSION - 1}, this code reads"),
        (msgspec.msgpack.encode({**good, "arrays": {"fine": b""}}), r"have the arrays \['fine'\]"),
    ]
    for data, message in bad:
        with pytest.raises(BlockError, match=message):
            Statistics.decode(layout, data)


def test_what_is_left_out_is_in_nothing_else() -> None:
    """Samples and slates beyond a user's cap are counted, in this order, and add up."""
    statistics = Statistics(make_layout())
    statistics.leave_out(7, 2)
    statistics.leave_out(3, 1)
    assert statistics.left_out.tolist() == [10, 3] and statistics.samples == 0
    assert not any(array.any() for name, array in statistics.arrays().items() if name != "left_out")


@pytest.mark.parametrize("beyond", [0, 1])
def test_room_is_made_just_before_it_is_needed(beyond: int) -> None:
    """2**31 - 1 over 256 places: so many samples fit in 32 bits in any bin, one more may not; none is lost."""
    layout = make_layout()
    batch = make_scored(np.random.default_rng(13), layout)
    known = Statistics(layout)
    known.counts[0, 0, 0] = (2**31 - 1) // 256 - len(batch.label) + beyond
    known.update(batch)
    for name in ("fine", "fine_places", "coarse", "coarse_places"):
        assert known.arrays()[name].dtype == (np.int64 if beyond else np.int32)
        np.testing.assert_array_equal(known.arrays()[name], make_statistics(layout, batch).arrays()[name])


def test_columns_have_their_names() -> None:
    """Who reads a column by name reads what the docstring says is in it."""
    layout = make_layout()
    batch = make_scored(np.random.default_rng(14), layout)
    statistics = make_statistics(layout, batch)
    counts, cover = statistics.counts[0].sum(axis=0), statistics.cover[0, 0]
    assert counts[SAMPLES] == statistics.samples == len(batch.label)
    assert (counts[POSITIVES], counts[SLATES]) == (batch.label.sum(), len(batch.user))
    assert counts[MIXED] == sum(len(set(batch.label[batch.slate == k])) == 2 for k in range(len(batch.user)))
    assert cover[COVERED] == batch.covered.sum() and cover[FALSE_COVER] == pytest.approx(
        (~batch.covered).sum() * 0.01 / 0.99 * FIXED, rel=1e-4
    )
    assert len({GAUC, LOG_LOSS, PREDICTED}) == 3


def test_bytes_of_fewer_slots_are_read_with_zeros_for_the_others_and_taken_back() -> None:
    """While a variant has one version the bytes are those of a layout without its other slots."""
    two = Layout.of(Settings.of({"variant": [{"name": "v", "preference": "coclick", "dimension": 4}]}))
    one = two.take([0])
    assert len(one.rankers) == len(two.rankers) - 2
    written = make_statistics(one, make_scored(np.random.default_rng(5), one))
    found = Statistics.decode(two, written.encode())
    for name, array in found.arrays().items():
        held = getattr(written, name)
        if held.shape != array.shape:
            assert np.array_equal(array[:, : held.shape[1]], held) and not array[:, held.shape[1] :].any(), name
        else:
            assert np.array_equal(array, held), name
    assert same(found.take([0]), written) and found.take([0]).encode() == written.encode()
    assert same(Statistics.decode(two, found.encode()), found)
    with pytest.raises(BlockError, match="statistics have the axes"):
        Statistics.decode(one, found.encode())


@settings(max_examples=15)
@given(
    seeds=st.lists(st.integers(0, 9), max_size=5), slots=st.lists(st.sets(st.integers(0, 1)), min_size=5, max_size=5)
)
def test_the_sum_of_bytes_is_what_decoding_and_merging_gives(seeds: list[int], slots: list[set[int]]) -> None:
    """Also where buckets were written with other slots in use, and of none."""
    layout = Layout.of(
        Settings.of({"variant": [{"name": "v", "preference": "coclick", "dimension": 4, "versions": 2}]})
    )
    merged, encoded = Statistics(layout), []
    for seed, used in zip(seeds, slots, strict=False):
        held = layout.take(sorted(used))
        one = make_statistics(held, make_scored(np.random.default_rng(seed), held, slates=5))
        encoded.append(one.encode())
        merged.merge(Statistics.decode(layout, encoded[-1]))
    assert same(Statistics.sum_of(layout, encoded), merged)
