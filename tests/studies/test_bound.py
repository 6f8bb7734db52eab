import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from studies import bound, bound_verdicts


def _world(kind: str, rng: np.random.Generator) -> dict[str, Any]:
    """A made-up world: LIS grows with the share and stops, a perfect variant gives 0.03, thinning tells."""
    sources = {}
    for share in bound.SHARES:
        lis = 0.05 * share / (share + 0.3)
        half = 0.05 * share / (share + 0.6)
        near = 0.0002 * rng.standard_normal(2)
        numbers = {name: [lis, 0.001] for name in bound.NUMBERS}
        numbers |= {"adjusted_lis": [lis + near[0], 0.001], "bound": [lis - half + near[1], 0.001]}
        sources[f"{share:g}"] = numbers | {"coverage": rng.random()}
    variants = {
        name: {number: [0.03 * quality, 0.001] for number in ("ais", "adjusted_ais")}
        for name, quality in (("perfect", 1.0), ("good", -1.0))
    }
    return {"kind": kind, "regime": "400", "sources": sources, "variants": variants}


@pytest.fixture
def worlds() -> list[dict[str, Any]]:
    """Four worlds of each kind."""
    rng = np.random.default_rng(6)
    return [_world(kind, rng) for kind in ("feed", "shop") for _ in range(4)]


def test_a_cells_verdict_is_that_of_its_mean(worlds: list[dict[str, Any]]) -> None:
    """LIS bounds where the perfect variant's AIS is lower over the worlds; near the line nothing is said."""
    cells = bound_verdicts.verdicts(worlds, "perfect")

    assert {share: cells["feed", "400", share].bounded for share in ("0.01", "0.3", "0.6", "1")} == {
        "0.01": False, "0.3": False, "0.6": True, "1": True,
    }  # fmt: skip
    for number, world in enumerate(worlds):
        world["sources"]["0.6"]["adjusted_lis"][0] = 0.03005 + 0.0005 * (-1) ** number
    assert bound_verdicts.verdicts(worlds, "perfect")["feed", "400", "0.6"].bounded is None


def test_separation_is_the_area_under_the_curve() -> None:
    """The same figure as scikit-learn's, ties one half; none where one side is empty."""
    rng = np.random.default_rng(7)
    scores, beyond = rng.integers(0, 6, 80).astype(float), rng.random(80) < 0.4

    assert bound_verdicts.separation(scores, beyond) == pytest.approx(roc_auc_score(beyond, scores))
    assert np.isnan(bound_verdicts.separation(scores, np.ones(80, bool)))


def test_the_threshold_weighs_both_verdicts_alike() -> None:
    """The best cut is the one with the highest mean of the two shares judged rightly, however rare a verdict is."""
    scores, beyond = np.arange(10.0), np.array([False] * 8 + [True] * 2)

    assert bound_verdicts.threshold(scores, beyond) == 8


def test_a_source_without_lis_counts_as_thin() -> None:
    """A ratio to nothing is not small."""
    assert bound_verdicts.thinning({"bound": [0.001, 0.1], "adjusted_lis": [-0.001, 0.1]}) == np.inf
    assert bound_verdicts.thinning({"bound": [0.001, 0.1], "adjusted_lis": [0.01, 0.1]}) == pytest.approx(0.1)


def test_the_section_names_what_tells(tmp_path: Path, worlds: list[dict[str, Any]]) -> None:
    """Where thinning tells by construction it is found to, and a random figure is not."""
    folder = tmp_path / bound.NAME
    folder.mkdir()
    for number, world in enumerate(worlds):
        (folder / f"{number}.json").write_text(json.dumps(world))

    section = bound.section(tmp_path, tmp_path / "figures")

    assert section is not None
    facts = section.facts["bound"]["perfect"]
    assert facts["predictors"][bound_verdicts.THINNING]["value"] == 1
    assert 0.2 < facts["predictors"]["`coverage`"]["value"] < 0.8
    assert (facts["cells_bounded"], facts["cells_beyond"]) == (4, 8)
    assert "The thinned ranker does order them" in section.markdown
    assert "For the good variant all verdicts are the same" in section.markdown
    assert (tmp_path / "figures" / "bound.svg").exists()
    assert bound.section(tmp_path / "none", tmp_path) is None
