import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from studies import lift


def _world(ais: list[float], gains: list[float], stderr: float = 0.01) -> dict[str, Any]:
    pairs = [(first, second) for first in range(4) for second in range(first + 1, 4)]
    gaps = [{"first": a, "second": b, "gap": ais[a] - ais[b], "stderr": stderr} for a, b in pairs]
    return {"kind": "feed", "quality": ais, "ais": ais, "stderr": [stderr] * 4, "lift": gains, "gaps": gaps}


def _store(runs: Path, worlds: list[dict[str, Any]]) -> None:
    folder = runs / lift.NAME
    folder.mkdir(parents=True)
    for number, world in enumerate(worlds):
        (folder / f"feed-{number}.json").write_text(json.dumps(world))


UP = [0.0, 0.02, 0.05, 0.1]


def test_agreement_is_one_and_the_reverse_minus_one(tmp_path: Path) -> None:
    """The published correlation is the mean over worlds of each world's own."""
    same, reversed_ = _world(UP, [0.1, 0.2, 0.3, 0.4]), _world(UP, [0.4, 0.3, 0.2, 0.1])
    _store(tmp_path / "runs", [same, same, same, reversed_])

    section = lift.section(tmp_path / "runs", tmp_path / "figures")

    assert section is not None
    found = section.facts["ais_lift_rank_correlation"]
    assert found["value"] == 0.5
    assert found["worlds"] == 4
    assert -1 <= found["lower"] < 0.5 < found["upper"] <= 1
    assert "In 1 of 4 worlds" in section.markdown
    assert (tmp_path / "figures" / "lift.svg").exists()


def test_decisions_are_sorted_by_their_gap_in_standard_errors() -> None:
    """A decision counts where its gap lies, lower edge included; it is right where lift has the same sign."""
    world = _world(UP, [0.1, 0.2, 0.3, 0.25])

    assert sorted(lift.decisions([world], 0, 5)) == [True, True]  # 0.02 and 0.03 apart
    assert lift.decisions([world], 5, np.inf).count(False) == 1  # the last two stand the other way round
    assert len(lift.decisions([world], 0, np.inf)) == 6


def test_without_worlds_there_is_no_section(tmp_path: Path) -> None:
    """A study that was not run says nothing."""
    assert lift.section(tmp_path, tmp_path) is None


def test_the_fourth_variant_is_near_the_third() -> None:
    """Near-ties are in every world, and no quality leaves 0 to 1."""
    for seed in range(50):
        found = lift.qualities(seed)
        assert abs(found[3] - found[2]) <= lift.NEAR
        assert min(found) >= 0
        assert max(found) <= 1


def test_a_small_world_has_truth_and_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    """A real run: every variant has an arm with a lift, and the gaps are those of the published AIS."""
    short = {"leakage": {"horizon": "1m", "memory": "1m", "folds": 2, "sketch_bits": 12, "placebo_pairs": 20}}
    whole = lift.tables_of
    monkeypatch.setattr(lift, "tables_of", lambda parameters, slates: {**whole(parameters, slates), **short})
    monkeypatch.setattr(lift, "WARM_UP", 0)

    found = lift.one_world("feed", 3, 180)

    assert len(found["lift"]) == len(found["ais"]) == 4
    assert all(-1 < value < 10 for value in found["lift"])
    for pair in found["gaps"]:
        assert pair["gap"] == pytest.approx(found["ais"][pair["first"]] - found["ais"][pair["second"]])
        assert pair["stderr"] > 0
