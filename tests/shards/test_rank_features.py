"""The features of a step: what the bucket is told of the cover."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from lis_online.preference.lookup import Lookup, PairFeatures
from lis_online.preference.sketch_features import PairSketches
from lis_online.rankers.inputs import Inputs
from lis_online.shards.rank import RankShard
from lis_online.shards.rank_features import FeatureBuilder, Features
from tests.shards.village import SETTINGS, blocks, rank_log


def test_the_cover_of_a_step_is_what_the_sketches_said_of_its_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """In their order, with the steps in it that are cut where the past forgets."""
    said: list[PairFeatures] = []
    built: list[tuple[Features, list[PairFeatures]]] = []
    ask, build = PairSketches.get, FeatureBuilder.get

    def asked(sketches: PairSketches, at: Lookup) -> PairFeatures:
        said.append(ask(sketches, at))
        return said[-1]

    def kept(builder: FeatureBuilder, *arguments: object) -> Features:
        said.clear()
        features = build(builder, *arguments)  # type: ignore[arg-type]
        built.append((features, list(said)))
        return features

    monkeypatch.setattr(PairSketches, "get", asked)
    monkeypatch.setattr(FeatureBuilder, "get", kept)
    RankShard(SETTINGS).feed(rank_log(blocks()[0]))
    for features, parts in built:
        assert np.array_equal(features.covered, torch.cat([part.covered for part in parts], dim=1).numpy())
        assert np.array_equal(features.false_cover, torch.cat([part.false_cover for part in parts], dim=1).numpy())
    assert max(len(parts) for _, parts in built) > 1
    assert {bool(covered) for features, _ in built for covered in features.covered.ravel()} == {False, True}


def test_the_cover_is_read_back_once() -> None:
    """What a GPU is asked for is kept: the bucket asks for both of it."""
    cover = torch.tensor([[[0.0, 1.0]], [[0.25, 0.5]]])
    features = Features(
        Inputs(np.zeros((4, 2), np.int64), np.zeros((2, 1), np.float32)), cover, cover, np.zeros((1, 2))
    )
    assert features.covered.tolist() == [[False, True]]
    features.cover = cover + 1
    assert features.covered.dtype == bool
    assert features.false_cover.tolist() == [[0.25, 0.5]]
