"""Which rankers are set aside, why, when, and that nobody else ever is."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from lis_online.rankers import health
from lis_online.rankers.checks import CPU
from lis_online.rankers.group import RankerGroup
from lis_online.rankers.health import Health
from lis_online.rankers.load import untried_network
from lis_online.rankers.network import Shape
from lis_online.rankers.planted import Step, planted_steps
from lis_online.rankers.signs import watched_parameters
from lis_online.rankers.wide_and_deep import StackedWideAndDeep

SHAPE = Shape(rows=(64, 64, 64, 64), embedding=4, hidden=(16, 8), dense=9, side=3)
NETWORK = StackedWideAndDeep(SHAPE)
RANKERS = [0, 1, 2, 3]
CALM = np.array([[1.0, 1.0, 1.0]], np.float32)
"""Signs of a ranker at a check-up: its largest weight, two gradients."""


@pytest.fixture
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    """Blocks and patience of a few steps."""
    monkeypatch.setattr(health, "PATIENCE", 256)
    monkeypatch.setattr(health, "BLOCK", 64)


def feed(one: Health, logits: np.ndarray, label: np.ndarray, signs: np.ndarray | None = None) -> dict[int, str]:
    """Judge a step of rankers that all run."""
    places = list(range(len(logits)))
    due = np.repeat(CALM, len(logits), axis=0) if signs is None else signs
    return one.update(places, logits.astype(np.float32), due if one.is_due else due[:, :0], label)


def labels(rng: np.random.Generator, samples: int, rate: float = 0.2) -> np.ndarray:
    """Return random labels."""
    return (rng.random(samples) < rate).astype(np.uint8)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_one_logit_that_is_not_finite_is_divergence(bad: float) -> None:
    """At once, whichever sample it is."""
    logits = np.zeros((3, 8))
    logits[1, 5] = bad
    assert feed(Health(3, 2), logits, np.zeros(8, np.uint8)) == {1: "diverged"}


def test_weights_are_looked_at_in_every_eighth_step() -> None:
    """A weight that is not finite is divergence, one above the bound explosion, one at the bound neither."""
    one = Health(4, 2)
    signs = np.repeat(CALM, 4, axis=0)
    signs[:, 0] = [1_000.0, np.nan, np.inf, 1_000.1]
    for step in range(24):
        found = feed(one, np.zeros((4, 8)), np.zeros(8, np.uint8), signs)
        assert found == ({1: "diverged", 2: "diverged", 3: "exploded"} if step % 8 == 7 else {})


def test_logits_that_stay_too_large_are_explosion() -> None:
    """At least half of each step's logits beyond 30, for as many samples as patience lasts; one calm step is enough."""
    one = Health(4, 2)
    hot, half, most = np.full(512, 31.0), np.zeros(512), np.zeros(512)
    half[:256], most[:255] = -30.5, 31.0
    found = []
    for step in range(9):
        interrupted = np.zeros(512) if step == 4 else hot
        found.append(feed(one, np.stack([hot, half, most, interrupted]), np.zeros(512, np.uint8)))
    assert found[:7] == [{}] * 7
    assert found[7] == {0: "exploded", 1: "exploded"}  # 8 * 512 samples
    assert 3 not in found[8]


def test_a_parameter_without_any_gradient_is_a_stall() -> None:
    """It must last for the check-ups of `PATIENCE` samples; one gradient in between begins the count anew."""
    one = Health(3, 2)
    found = {}
    for step in range(64):
        signs = np.repeat(CALM, 3, axis=0)
        signs[1, 2] = 0.0
        signs[2, 1] = 1e-30 if step == 31 else 0.0
        for place, reason in feed(one, np.zeros((3, 128)), np.zeros(128, np.uint8), signs).items():
            found.setdefault(place, (reason, step))
    assert found == {1: ("stalled", 31), 2: ("stalled", 63)}  # 32 steps of 128 samples


def stall(seeds: list[int], rates: list[float], blocks: int = 20) -> dict[int, str]:
    """Return who stalls when rankers say the truth, apart from a shift of their logits."""
    rng = np.random.default_rng(seeds)
    one = Health(len(rates), 2)
    found: dict[int, str] = {}
    for _ in range(blocks * 4):
        truth = rng.normal(-1.5, 1.0, 512)
        label = (rng.random(512) < 1 / (1 + np.exp(-truth))).astype(np.uint8)
        found |= feed(one, np.stack([truth + shift for shift in rates]), label)
    return found


@pytest.mark.parametrize(
    ("shifts", "expected"),
    [
        ([0, 0, 0, 0], {}),
        ([0, 0, 2, 0], {2: "stalled"}),
        ([0, 2, 0, -3], {1: "stalled", 3: "stalled"}),
        ([2, 0, 0, 2], {0: "stalled", 3: "stalled"}),
        ([2, 2, 0, 2], {}),
    ],
)
def test_a_loss_above_the_constants_is_a_stall_while_unleaked_or_twin_are_below(
    shifts: list[float], expected: dict[int, str]
) -> None:
    """Where both are above as well it is the stream, not the ranker; each of the two is judged by the other."""
    assert stall([1], shifts) == expected


def test_a_stall_needs_all_of_its_blocks() -> None:
    """No verdict before 16 blocks of 2,048 samples, and then at once."""
    assert stall([1], [0, 0, 2], blocks=15) == {}
    assert stall([1], [0, 0, 2], blocks=16) == {2: "stalled"}


def test_one_block_below_the_constant_is_no_stall() -> None:
    """Whoever learns now and then is not set aside."""
    rng = np.random.default_rng(2)
    one = Health(3, 2)
    found: dict[int, str] = {}
    for step in range(30 * 4):
        truth = rng.normal(-1.5, 1.0, 512)
        label = (rng.random(512) < 1 / (1 + np.exp(-truth))).astype(np.uint8)
        shift = 0 if step // 4 % 15 == 14 else 2
        found |= feed(one, np.stack([truth, truth, truth + shift]), label)
    assert found == {}


def test_a_forgotten_place_begins_anew() -> None:
    """A ranker that was started again is judged by its own blocks alone."""
    rng = np.random.default_rng(3)
    one = Health(3, 2)
    for step in range(40 * 4):
        truth = rng.normal(-1.5, 1.0, 512)
        label = (rng.random(512) < 1 / (1 + np.exp(-truth))).astype(np.uint8)
        found = feed(one, np.stack([truth, truth, truth + 2]), label)
        if step == 50:
            one.forget(2)
        # it was there for a part of block 12: blocks 13 to 28 are its first whole ones
        assert found == ({2: "stalled"} if step >= 29 * 4 - 1 and step % 4 == 3 else {}), step


@given(st.integers(0, 2**32), st.integers(1, 400), st.booleans())
def test_a_verdict_does_not_depend_on_the_rankers_beside(seed: int, samples: int, ill: bool) -> None:
    """Without the others, and with other ones, a leaked ranker is judged the same; restored in the middle as well."""
    rng = np.random.default_rng(seed)
    few, many = Health(3, 2), Health(6, 2)
    for step in range(12):
        logits = rng.normal(0, 30 if ill else 2, (6, samples))
        label, signs = labels(rng, samples), rng.choice([0.0, 1.0, 2_000.0], (6, 3), p=[0.6, 0.3, 0.1])
        if step == 5:
            again = Health(6, 2)
            again.restore(many.snapshot())
            many = again
        expected, found = feed(few, logits[:3], label, signs[:3]), feed(many, logits, label, signs)
        assert expected == {place: reason for place, reason in found.items() if place < 3}


def group(rate: float = 0.06) -> RankerGroup:
    """Return a group of four."""
    return RankerGroup(NETWORK, [0, 1, 0, 0], rate, 64, CPU)


def steps(count: int) -> list[Step]:
    """Return planted steps of 64 samples or fewer."""
    return planted_steps(SHAPE, count, 64)


def others_move_no_bit(ill: RankerGroup, given: list[Step], place: int) -> None:
    """Hold the other rankers of a group to those of a healthy one."""
    calm = group()
    for step in given:
        expected, found = calm.step(*step.of(RANKERS)), ill.step(*step.of(RANKERS))
        rest = [k for k in RANKERS if k != place]
        assert np.array_equal(expected[rest], found[rest])


def test_a_ranker_whose_hidden_units_all_die_stalls(short: None) -> None:
    """No sample reaches its deep part any more: found within patience, and no other ranker moves."""
    ill = group()
    ill.parameters["bias0"][2].fill_(-100.0)
    others_move_no_bit(ill, steps(30), 2)
    assert ill.set_aside == {2: "stalled"}


def test_a_ranker_that_sees_wild_features_explodes(short: None) -> None:
    """Features beyond all measure make logits beyond all measure."""
    ill, given = group(), steps(30)
    wild = [Step(step.inputs, step.side.clone(), step.label) for step in given]
    for step in wild:
        step.side[3, :, 0] += 1e5
    calm = group()
    for step, other in zip(given, wild, strict=True):
        expected, found = calm.step(*step.of(RANKERS)), ill.step(*other.of(RANKERS))
        assert np.array_equal(expected[:3], found[:3])
    assert ill.set_aside == {3: "exploded"}


def test_a_rate_far_too_large_explodes() -> None:
    """The weights pass the bound at the first check-up after."""
    ill = group(rate=2_000.0)
    for step in steps(16):
        ill.step(*step.of(RANKERS))
    assert set(ill.set_aside) == set(RANKERS)
    assert set(ill.set_aside.values()) <= {"exploded", "diverged"}


@pytest.mark.parametrize("rate", [0.02, 0.5])
def test_nobody_is_set_aside_on_noise(short: None, rate: float) -> None:
    """Labels that nothing predicts: whoever learns them by heart loses a little, all alike, and nobody is ill."""
    rng = np.random.default_rng(5)
    calm = group()
    for step in steps(150):
        inputs, side, label = step.of(RANKERS)
        calm.step(inputs, side, labels(rng, len(label), rate))
    assert calm.set_aside == {}


@pytest.mark.parametrize("place", ["wide-and-deep", "dcn-v2", "tests.rankers.broken:Tower"])
def test_features_that_fall_silent_are_no_stall(short: None, place: str) -> None:
    """A source without pairs, a variant without vectors: its weights have no gradient, and that is not its fault."""
    calm = RankerGroup(untried_network(place, SHAPE, CPU), [0, 1, 0, 0], 0.06, 64, CPU)
    for number, step in enumerate(steps(60)):
        inputs, side, label = step.of(RANKERS)
        calm.step(inputs, side if number < 10 else torch.zeros_like(side), label)
    assert calm.set_aside == {}


def test_weights_of_side_features_alone_are_not_watched() -> None:
    """They have no gradient in a healthy unleaked ranker; everything else does."""
    network = untried_network("tests.rankers.broken:Tower", SHAPE, CPU)
    watched = watched_parameters(network, network.initial(0), CPU)
    assert watched == ["module.out", "module.hidden.weight", "module.hidden.bias"]
