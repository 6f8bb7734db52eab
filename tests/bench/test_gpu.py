"""The GPU benchmark: every line of it that a CPU can run, and on a GPU what the rank step must hold."""

from __future__ import annotations

import json
import warnings
from pathlib import Path

import pytest
import torch

from bench import gpu
from bench.measured import Measured
from bench.page import decode, encode
from lis_online.rankers.network import Shape
from lis_online.rankers.wide_and_deep import StackedWideAndDeep

CPU = torch.device("cpu")
TINY = gpu.Sizes(rankers=4, samples=64, steps=3, copied=1 << 16)
NO_CUDA = pytest.mark.skipif(not torch.cuda.is_available(), reason="torch sees no CUDA")

KNOWN_WAITS = 1
"""Of a step: the logits come back, and with them the rankers' health. Inputs go from pinned memory, and no size is
asked for: `tests/rankers/test_no_waits.py` holds that without a GPU."""


@pytest.fixture
def small_tables(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the tables be small: a CPU would spend the test on drawing them."""
    monkeypatch.setattr(gpu, "SHAPE", Shape((64, 64, 16, 8), 2, (8, 4), gpu.SHAPE.dense, gpu.SHAPE.side))


@pytest.mark.usefixtures("small_tables")
def test_every_row_is_measured_on_a_device(monkeypatch: pytest.MonkeyPatch) -> None:
    """A CPU held against itself: same bits, no difference, and rows that can be written and read again.

    Nothing is really compiled: that alone takes longer than all else here.
    """
    asked = []
    monkeypatch.setattr(torch, "compile", lambda forward, **arguments: asked.append(arguments) or forward)
    rows = gpu.run(TINY, CPU, {"as it is": None, "compiled": {"mode": "reduce-overhead"}})
    assert asked == [{"mode": "reduce-overhead"}]
    assert decode(encode(rows)) == [
        Measured(row.name, float(f"{row.ratio:.4g}"), row.goal, row.better, row.detail) for row in rows
    ]
    found = {row.name.removeprefix("rank step on a GPU"): row for row in rows}
    assert found[": runs that differ by a bit"].ratio == 0
    assert found[": difference from the CPU, of what is allowed"].ratio == 0
    assert found[": waits of the host in a step"].ratio == 0
    assert found[""].ratio > 0
    assert found[": share of its memory bandwidth"].ratio > 0
    assert found[": compiled"].ratio > 0


@pytest.mark.usefixtures("small_tables")
def test_a_bit_of_difference_between_two_runs_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    """A weight of the second run is another: two runs do not have the same bits, nor the device those of the CPU."""
    plain, groups = gpu.new_group, []

    def other(*arguments: object) -> object:
        group = plain(*arguments)  # type: ignore[arg-type]
        if groups:
            group.parameters["offset"].add_(0.01)
        groups.append(group)
        return group

    monkeypatch.setattr(gpu, "new_group", other)
    assert not gpu.same_twice(TINY, CPU)
    groups.clear()
    assert gpu.largest_difference(4, 64, CPU, count=2) > gpu.TOLERANCE


@pytest.mark.usefixtures("small_tables")
def test_bits_of_weights_and_sums_count_too() -> None:
    """What the last step learnt is in no logit yet."""
    group = gpu.new_group(StackedWideAndDeep(gpu.SHAPE), 3, 32, CPU)
    before = gpu.state_bits(group, [])
    group.optimiser.sums["offset"].add_(1)
    assert gpu.state_bits(group, []) != before


def test_steps_are_the_same_on_every_device_and_unleaked_rankers_see_nothing() -> None:
    """Another device must be given the same samples: they are drawn on the host."""
    first, second = (gpu.made_steps(3, 32, 2, CPU) for _ in range(2))
    for one, other in zip(first, second, strict=True):
        assert (one.inputs.ids == other.inputs.ids).all()
        assert torch.equal(one.side, other.side)
        assert not one.side[:2].any()
        assert one.side[2].any()
    assert (first[0].inputs.ids != first[1].inputs.ids).any()


def test_waits_are_counted_by_line_and_other_warnings_are_not() -> None:
    """Torch tells of each wait in a warning: those alone count."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        for _ in range(3):
            warnings.warn("called a synchronizing CUDA operation", UserWarning, stacklevel=1)
        warnings.warn("something else", UserWarning, stacklevel=1)
    ((place, count),) = gpu.counted(caught).items()
    assert count == 3
    assert place.startswith("test_gpu.py:")


def test_model_of_the_bytes_moved_is_the_documented_sum() -> None:
    """Two rankers, three samples: 5 passes over inputs and hidden layers, 8 over the tables' rows, 4 bytes each."""
    shape = Shape((8, 8, 8, 8), embedding=2, hidden=(5,), dense=4, side=3)
    assert shape.width == 7 * 2 + 4 + 3
    assert gpu.bytes_moved(shape, 2, 3) == 4 * (5 * (21 + 5) + 8 * 4 * 3) * 2 * 3


def test_without_cuda_one_sentence_and_exit_code_2(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A machine without a GPU is told so, and nothing is written."""
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert gpu.main([]) == 2
    assert capsys.readouterr() == ("", "bench.gpu needs a GPU, and torch sees no CUDA here.\n")


@pytest.mark.usefixtures("small_tables")
def test_results_are_written(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """As the other benchmarks' are: rows of name, ratio, goal, better and detail."""
    monkeypatch.setattr(gpu, "RESULTS", tmp_path / "results" / "gpu.json")
    monkeypatch.setattr(gpu, "MODES", {"as it is": None})
    gpu.write(gpu.run(TINY, CPU, gpu.MODES))
    rows = json.loads((tmp_path / "results" / "gpu.json").read_text())
    assert rows[0].keys() == {"name", "ratio", "goal", "better", "detail"}


@pytest.mark.gpu
@NO_CUDA
def test_a_gpu_gives_the_same_bits_twice() -> None:
    """Logits, weights and sums of squares, over steps whose samples share rows of the tables."""
    assert gpu.same_twice(gpu.Sizes(rankers=10, samples=16_384, steps=6), torch.device("cuda"))


@pytest.mark.gpu
@NO_CUDA
def test_a_gpu_agrees_with_the_cpu() -> None:
    """Within the tolerance that the benchmark states, after steps that learn."""
    assert gpu.largest_difference(10, 2_048, torch.device("cuda")) <= gpu.TOLERANCE


@pytest.mark.gpu
@NO_CUDA
def test_the_host_waits_no_oftener_than_is_known() -> None:
    """A new wait in the step stops the device's queue for every ranker; each is named in the message."""
    device = torch.device("cuda")
    steps = gpu.made_steps(10, 1_024, 4, device)
    group = gpu.new_group(StackedWideAndDeep(gpu.SHAPE), 10, 1_024, device)
    gpu.take(group, steps[:1])
    waits = gpu.waits_of(lambda: gpu.take(group, steps[1:]), device)
    assert waits is not None
    assert sum(waits.values()) <= KNOWN_WAITS * 3, waits
