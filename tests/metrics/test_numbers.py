from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from lis_online.events.hashing import group_of
from lis_online.metrics.bins import GROUPS
from lis_online.metrics.numbers import numbers
from lis_online.metrics.results import SliceNumbers
from lis_online.metrics.scored import Scored
from lis_online.metrics.statistics import Statistics
from lis_online.metrics.windows import RollingWindow, Window
from tests.metrics import raw
from tests.metrics.worlds import make_layout, make_scored

LAYOUT = make_layout()
RANKER = {name: k for k, name in enumerate(LAYOUT.rankers)}
GAINS = {"leaked:coclick": 0.6, "past:coclick": 0.45, "aligned:v": 0.5}
CONTRASTS = {
    "lis": ("leaked:coclick", "unleaked"),
    "past": ("past:coclick", "unleaked"),
    "future": ("leaked:coclick", "past:coclick"),
    "placebo": ("placebo:coclick", "unleaked"),
    "adjusted_lis": ("leaked:coclick", "placebo:coclick"),
    "bound": ("leaked:coclick", "thinned:coclick"),
    "ais": ("aligned:v", "unleaked"),
    "adjusted_ais": ("aligned:v", "permuted:v"),
    "twin": ("twin", "unleaked"),
}


@cache
def world() -> tuple[list[Scored], Window]:
    """Return 16 buckets of samples, and their window."""
    rng = np.random.default_rng(11)
    batches = [make_scored(rng, LAYOUT, slates=60, users=120, gains=GAINS) for _ in range(16)]
    return batches, window_of(batches)


def window_of(batches: list[Scored]) -> Window:
    """Return the window over buckets of one batch each."""
    window = RollingWindow(LAYOUT, 16, 1)
    for start, batch in enumerate(batches):
        statistics = Statistics(LAYOUT)
        statistics.update(batch)
        window.update(start, statistics)
    return window.get(16)


class Raw:
    """The samples themselves, with the AUC of any subset of them, pair by pair.

    width: how many of the 32,768 places over [-8, 8] a bin has; None: a full sort.
    """

    def __init__(self, batches: list[Scored], width: int | None) -> None:
        self.width = width
        self.logits = np.concatenate([b.logits for b in batches], axis=1)
        self.label = np.concatenate([b.label for b in batches])
        self.group = np.concatenate([group_of(b.user, GROUPS)[b.slate] for b in batches])
        self.block = np.concatenate([np.full(len(b.label), k) for k, b in enumerate(batches)])
        self.surface = np.concatenate([b.slices[:, 1][b.slate] for b in batches])

    def won(self, ranker: str, kept: np.ndarray) -> np.ndarray:
        """Return by how much each positive beats each negative."""
        assert self.width is not None
        logits, label = self.logits[RANKER[ranker], kept], self.label[kept]
        return raw.won(raw.places(logits), label, self.width)

    def auc(self, ranker: str, kept: np.ndarray) -> float:
        """Return a ranker's AUC over some samples."""
        if self.width is None:
            return float(roc_auc_score(self.label[kept], self.logits[RANKER[ranker], kept]))
        return float(self.won(ranker, kept).mean())

    def deleted(self, first: str, second: str, of: np.ndarray, within: np.ndarray) -> np.ndarray:
        """Return a difference without one group at a time: all pairs but those that one of its samples is in."""
        ahead = self.won(first, within) - self.won(second, within)
        groups = np.unique(of[within])
        rows, columns = ((of[within & (self.label == label)][:, None] == groups).astype(np.float64) for label in (1, 0))
        between = rows.T @ ahead @ columns
        left = between.sum() - between.sum(axis=0) - between.sum(axis=1) + between.diagonal()
        pairs = (rows.sum() - rows.sum(axis=0)) * (columns.sum() - columns.sum(axis=0))
        deleted: np.ndarray = left / pairs
        return deleted


def _variance(deleted: np.ndarray) -> float:
    return float((len(deleted) - 1) / len(deleted) * ((deleted - deleted.mean()) ** 2).sum())


@pytest.mark.parametrize("number", CONTRASTS)
@pytest.mark.parametrize("name", ["all", "surface:ads"])
def test_intervals_are_those_of_explicit_deletion(number: str, name: str) -> None:
    """V is the larger of two jackknives: every group of users, and every block of time, left out of the raw samples."""
    batches, window = world()
    found = _number(numbers(window, LAYOUT)[name], number)
    first, second = CONTRASTS[number]
    coarse, exact = Raw(batches, 256), Raw(batches, None)
    within = np.ones(len(exact.label), np.bool_) if name == "all" else exact.surface == LAYOUT.slices.index(name)
    by_user = _variance(coarse.deleted(first, second, coarse.group, within))
    by_time = _variance(coarse.deleted(first, second, coarse.block, within))
    assert found.value is not None and found.stderr is not None
    assert not found.learning_noise
    assert found.stderr == pytest.approx(np.sqrt(max(by_user, by_time)), rel=1e-9)
    fine = Raw(batches, 32)
    assert found.value == pytest.approx(fine.auc(first, within) - fine.auc(second, within), rel=1e-9)
    assert found.value == pytest.approx(exact.auc(first, within) - exact.auc(second, within), abs=found.stderr / 10)
    assert (found.lower, found.upper) == (found.value - 2.04 * found.stderr, found.value + 2.04 * found.stderr)


def _auc(label: np.ndarray, logits: np.ndarray) -> float:
    gaps = logits[label == 1][:, None] - logits[label == 0]
    return float(((gaps > 0) + 0.5 * (gaps == 0)).mean())


def _number(found: SliceNumbers, number: str):  # type: ignore[no-untyped-def]
    if number == "twin":
        return found.twin
    owner = found.variants["v"] if "ais" in number else found.sources["coclick"]
    return getattr(owner, number)


def test_efficiency_is_the_ratio_with_the_widest_fieller_interval() -> None:
    """The interval covers both those from the user and from the time covariance, recomputed from raw samples."""
    batches, window = world()
    found = numbers(window, LAYOUT)["all"]
    share = found.variants["v"].efficiency
    ais, lis = found.variants["v"].adjusted_ais, found.sources["coclick"].adjusted_lis
    assert share.value == ais.value / lis.value  # type: ignore[operator]
    samples = Raw(batches, 256)
    within = np.ones(len(samples.label), np.bool_)
    ratios = np.linspace(-2, 4, 600_001)
    widths = []
    for of in (samples.group, samples.block):
        a, b = (samples.deleted(*CONTRASTS[n], of, within) for n in ("adjusted_ais", "adjusted_lis"))
        scale = (len(a) - 1) ** 2 / len(a)
        c = np.cov(a, b) * scale
        kept = ratios[
            (ais.value - ratios * lis.value) ** 2 <= 2.04**2 * (c[0, 0] - 2 * ratios * c[0, 1] + ratios**2 * c[1, 1])
        ]
        widths.append((kept[-1] - kept[0], kept[0], kept[-1]))
    assert (share.lower, share.upper) == pytest.approx(max(widths)[1:], abs=2e-5)


def test_gauc_and_its_interval_are_those_of_explicit_deletion() -> None:
    """GAUC is the mean within-slate AUC of slates with both labels; its jackknife leaves users out."""
    batches, window = world()
    found = numbers(window, LAYOUT, "gauc")["all"].sources["coclick"].lis
    per_slate, groups, blocks = [], [], []
    for k, batch in enumerate(batches):
        for slate in range(len(batch.user)):
            mine = batch.slate == slate
            if len(set(batch.label[mine].tolist())) == 2:
                values = [_auc(batch.label[mine], batch.logits[RANKER[n], mine]) for n in CONTRASTS["lis"]]
                per_slate.append(values[0] - values[1])
                groups.append(int(group_of(batch.user[slate : slate + 1], GROUPS)[0]))
                blocks.append(k)
    values = np.array(per_slate)
    variances = [
        _variance(np.array([values[np.array(of) != one].mean() for one in sorted(set(of))])) for of in (groups, blocks)
    ]
    assert found.value == pytest.approx(values.mean(), abs=1e-5)
    assert found.stderr == pytest.approx(np.sqrt(max(variances)), rel=1e-3)


def test_louder_twin_widens_every_interval() -> None:
    """Where the twin differs by more than chance, numbers are marked and half its square is added to V."""
    batches, window = world()
    quiet = numbers(window, LAYOUT)["all"]
    loud_batches = []
    for batch in batches:
        logits = batch.logits.copy()
        logits[RANKER["twin"]] = logits[RANKER["leaked:coclick"]]
        loud_batches.append(replace(batch, logits=logits))
    loud = numbers(window_of(loud_batches), LAYOUT)["all"]
    before, after = quiet.sources["coclick"].adjusted_lis, loud.sources["coclick"].adjusted_lis
    assert not before.learning_noise and after.learning_noise and not loud.twin.learning_noise
    assert after.stderr**2 == pytest.approx(before.stderr**2 + loud.twin.value**2 / 2)  # type: ignore[operator]
    assert after.to_json()["learning_noise"] is True
    wide, narrow = loud.variants["v"].efficiency, quiet.variants["v"].efficiency
    if wide.value is not None:
        assert wide.learning_noise and wide.upper - wide.lower > narrow.upper - narrow.lower  # type: ignore[operator]


def test_number_of_nothing_is_none_with_a_reason() -> None:
    """An empty window has no number, and says so."""
    found = numbers(RollingWindow(LAYOUT, 16, 1).get(16), LAYOUT)["all"]
    assert found.samples == 0 and found.effective_users is None
    estimates = [found.twin, *found.unleaked.values(), found.sources["coclick"].lis, found.variants["v"].efficiency]
    assert {estimate.reason for estimate in estimates} == {"no samples"}
    assert {estimate.value for estimate in estimates} == {None}
    assert found.sources["coclick"].coverage is None and found.variants["v"].coverage is None


@pytest.mark.parametrize(("label", "reason"), [(0, "no positives"), (1, "no negatives")])
def test_number_of_one_class_is_none_with_a_reason(label: int, reason: str) -> None:
    """Samples of one label have no AUC and no difference of them; coverage they have."""
    batches = [replace(batch, label=np.full_like(batch.label, label)) for batch in world()[0][:3]]
    found = numbers(window_of(batches), LAYOUT)["all"]
    assert found.sources["coclick"].lis.to_json() == {"value": None, "reason": reason}
    assert found.unleaked["auc"].reason == reason
    assert found.sources["coclick"].coverage is not None


def test_single_positive_has_no_interval() -> None:
    """Where leaving one group out leaves no positive, there is no interval and so no number."""
    batch = world()[0][0]
    label = np.zeros_like(batch.label)
    label[3] = 1
    found = numbers(window_of([replace(batch, label=label)]), LAYOUT)["all"]
    assert found.unleaked["auc"].reason == "too few positives for an interval"


def test_diverged_ranker_has_no_number_and_the_others_keep_theirs() -> None:
    """What a ranker that stopped being finite takes part in is None, diverged; the rest is as it was."""
    batches, window = world()
    logits = batches[4].logits.copy()
    logits[RANKER["past:coclick"], 2] = np.nan
    spoilt = numbers(window_of([*batches[:4], replace(batches[4], logits=logits), *batches[5:]]), LAYOUT)["all"]
    clean = numbers(window, LAYOUT)["all"]
    one, two = clean.sources["coclick"], spoilt.sources["coclick"]
    assert two.past.reason == two.future.reason == "diverged"
    assert (two.lis, two.placebo, two.bound, two.adjusted_lis) == (one.lis, one.placebo, one.bound, one.adjusted_lis)
    assert spoilt.variants == clean.variants and spoilt.levels["past:coclick"] is None


def test_coverage_without_collisions_is_recovered() -> None:
    """Coverage is unbiased after subtracting expected collisions, whatever their probability for each sample."""
    rng = np.random.default_rng(5)
    batch = make_scored(rng, LAYOUT, slates=6_000, users=900)
    n = len(batch.label)
    true = rng.random((1, n)) < 0.3
    false = rng.uniform(0, 0.3, (1, n)).astype(np.float32)
    seen = true | (rng.random((1, n)) < false)
    found = numbers(window_of([replace(batch, covered=seen, false_cover=false)]), LAYOUT)["all"].sources["coclick"]
    assert seen.mean() > 0.38
    assert found.coverage == pytest.approx(true.mean(), abs=0.01)
    assert found.collision_share == pytest.approx(1 - true.mean() / seen.mean(), abs=0.02)


def test_samples_to_resolve_scale_with_the_variance() -> None:
    """A number says how many samples make its interval +-0.0005: n (2 stderr / 0.0005)^2."""
    found = numbers(world()[1], LAYOUT)["all"]
    lis = found.sources["coclick"].lis
    assert lis.samples_to_resolve == pytest.approx(found.samples * (2 * lis.stderr / 0.0005) ** 2)  # type: ignore[operator]
