from __future__ import annotations

import base64
from dataclasses import replace

import numpy as np
import pytest

from lis_online.errors import UsageError
from lis_online.simulate.catalogue import unit
from lis_online.simulate.parameters import VariantParameters, VersionParameters, WorldParameters
from lis_online.simulate.variants import Variants, packed

QUALITIES = {"perfect": 1.0, "good": 0.6, "weak": 0.3, "random": 0.0}
PARAMETERS = replace(
    WorldParameters(), items=500, variants=tuple(VariantParameters(name, q) for name, q in QUALITIES.items())
)


def drawn() -> tuple[Variants, np.ndarray]:
    """Return variants of 500 items and the items' content."""
    content = unit(np.random.default_rng(0).standard_normal((500, PARAMETERS.content)))
    variants = Variants(PARAMETERS, np.random.default_rng(1))
    variants.update(np.arange(500), content)
    return variants, content


def test_cosines_follow_the_content_as_far_as_the_quality_says() -> None:
    """The slope of a variant's cosines on the content's is its quality."""
    variants, content = drawn()
    pairs = np.triu_indices(500, 1)
    true = (content @ content.T)[pairs]
    for name, quality in QUALITIES.items():
        vectors = variants.vectors[name].astype(np.float64)
        slope = np.polyfit(true, (vectors @ vectors.T)[pairs], 1)[0]
        assert abs(slope - quality) < 0.03, (name, slope)


def test_packed_vector_is_the_vector() -> None:
    """What travels is the float16 numbers themselves, of unit length, in the published dimension."""
    variants, _ = drawn()
    sent = packed(variants.vectors["good"])[7]
    vector = np.frombuffer(base64.b64decode(sent.data), "<f2")
    assert sent.dtype == "float16"
    np.testing.assert_array_equal(vector, variants.vectors["good"][7])
    assert vector.shape == (PARAMETERS.dimension,)
    assert abs(np.linalg.norm(vector.astype(float)) - 1) < 2e-3


def test_others_stay_when_a_new_item_gets_its_vectors() -> None:
    """A birth changes its own slot alone, and none at all changes nothing."""
    variants, content = drawn()
    before = {name: table.copy() for name, table in variants.vectors.items()}
    variants.update(np.array([3]), content[:1])
    variants.update(np.zeros(0, np.int64), content[:0])
    for name, table in variants.vectors.items():
        assert np.flatnonzero((table != before[name]).any(axis=1)).tolist() == [3]


LATER = replace(
    PARAMETERS,
    versions=(VersionParameters("good", 0.9, since=1_000, overlap=500), VersionParameters("weak", 0.0, since=2_000)),
)


def test_version_begins_with_all_items_and_the_one_before_ends_after_its_overlap() -> None:
    """At its time a version has a vector of every item, of its quality; the older one lives as long as is set."""
    content = unit(np.random.default_rng(0).standard_normal((500, PARAMETERS.content)))
    variants = Variants(LATER, np.random.default_rng(1), start=0)
    variants.update(np.arange(500), content)
    assert variants.advance(999, content) == []
    begun = variants.advance(1_000, content)
    assert [(edition.name, edition.version) for edition in begun] == [("good", "2")]
    names = [(edition.name, edition.version) for edition in variants.live]
    assert ("good", "1") in names and ("good", "2") in names
    clean = content @ variants._basis
    assert abs((variants.vectors["good"] * clean).sum(axis=1).mean() - np.sqrt(0.9)) < 0.02
    assert [(edition.name, edition.version) for edition in variants.advance(2_000, content)] == [("weak", "2")]
    names = [(edition.name, edition.version) for edition in variants.live]
    assert ("good", "1") not in names and ("weak", "1") not in names
    assert abs((variants.vectors["weak"] * clean).sum(axis=1).mean()) < 0.03


@pytest.mark.parametrize(
    ("version", "sentence"),
    [
        (VersionParameters("other", 1.0, 5), "versions: the variant must be one of"),
        (VersionParameters("good", 1.0, 0), "versions: those of good must be later than each other and than the start"),
    ],
)
def test_version_that_cannot_be_is_refused(version: VersionParameters, sentence: str) -> None:
    """A version has a variant and comes after the one before it."""
    with pytest.raises(UsageError, match=sentence):
        Variants(replace(PARAMETERS, versions=(version,)), np.random.default_rng(1))
