import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from studies import seeds


def _runs(sampling: float, training: float, worlds: int, each: int) -> list[dict[str, Any]]:
    """Runs of made-up numbers: a world's draw, a seed's draw, and a twin that shares the seed's draw with 0.8."""
    rng = np.random.default_rng(5)
    found = []
    for world in range(worlds):
        drawn = sampling * rng.standard_normal()
        for seed in range(each):
            own = training * rng.standard_normal()
            twin = 0.8 * own + 0.6 * training * rng.standard_normal()
            numbers = {name: [0.03 + drawn + own, sampling] for _, name in seeds.NUMBERS} | {"twin": [twin, 0.001]}
            training_seed = 0 if seed == 0 else seeds.own_seed(world) + 1_000 * (seed - 1)
            found.append({"kind": "feed", "world": seeds.SEED + world, "seed": training_seed, "numbers": numbers})
    return found


def test_the_variances_come_apart() -> None:
    """Training's variance is that within worlds, whatever the worlds differ by; the twin explains what it shares."""
    found = seeds.noise(_runs(0.01, 0.004, worlds=400, each=3), "adjusted_lis")

    assert np.sqrt(found.training) == pytest.approx(0.004, rel=0.08)
    assert np.sqrt(found.total) == pytest.approx(np.hypot(0.01, 0.004), rel=0.08)
    assert np.sqrt(found.fixed) == pytest.approx(np.hypot(0.01, 0.004), rel=0.08)
    assert found.degrees == 800
    assert found.shared == pytest.approx(0.64, abs=0.06)
    lower, upper = found.deviation()[1:]
    assert lower < 0.004 < upper


def test_averaging_takes_off_training_alone() -> None:
    """The variance of a mean over k seeds is sampling + training / k."""
    found = seeds.Noise(training=1.0, degrees=10, total=4.0, fixed=3.0, published=3.0, shared=0.5, worlds=9)

    assert found.averaged(4) == pytest.approx(4.0 / (3.0 + 1.0 / 4))
    assert found.averaged(1) == 1
    assert found.controlled() == pytest.approx(4.0 / 3.5)


def test_worlds_that_differ_by_chance_are_not_called_too_different() -> None:
    """The published error is called too small only beyond what that many worlds may differ by chance."""
    same = {"training": 1.0, "degrees": 10, "fixed": 1.0, "published": 1.0, "shared": 0.0}

    assert not seeds.Noise(total=2.0, worlds=6, **same).narrow
    assert seeds.Noise(total=2.0, worlds=60, **same).narrow


def test_the_section_says_which_share_is_trainings(tmp_path: Path) -> None:
    """The facts are those of the runs, and the sentence follows from them."""
    folder = tmp_path / seeds.NAME
    folder.mkdir()
    for number, one in enumerate(_runs(0.01, 0.004, worlds=6, each=3)):
        (folder / f"{number}.json").write_text(json.dumps(one))

    section = seeds.section(tmp_path, tmp_path / "figures")

    assert section is not None
    assert 0 < section.facts["training_noise"]["largest_share"] < 1
    assert "adjusted_lis" in section.markdown
    assert (tmp_path / "figures" / "seeds.svg").exists()
    assert seeds.section(tmp_path / "none", tmp_path) is None
