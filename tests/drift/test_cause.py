"""Why something moved, on constructed evidence."""

from __future__ import annotations

import pytest

from lis_online.drift import reading as names
from lis_online.drift.cause import Verdict, decide
from lis_online.drift.reading import INPUT, SOURCE, UNLEAKED, VARIANT, Series
from lis_online.drift.tracker import Shift, Signal
from lis_online.metrics.estimate import Estimate

LIS = Series(SOURCE, "coclick", names.ADJUSTED_LIS)
PAIRS = Series(SOURCE, "coclick", names.COVERAGE)
AIS = Series(VARIANT, "title", names.ADJUSTED_AIS)
SHARE = Series(VARIANT, "title", names.EFFICIENCY)
ALIGNED = Series(VARIANT, "title", names.PAIR_ALIGNMENT)
COVER = Series(VARIANT, "title", names.COVERAGE)
NORM = Series(VARIANT, "title", names.VECTOR_NORM)
CENTRE = Series(VARIANT, "title", names.VECTOR_SHIFT)
TWIN = Series(UNLEAKED, "", names.TWIN)
AUC = Series(UNLEAKED, "", names.AUC)
TRAFFIC = Series(INPUT, "", names.TRAFFIC)


def verdict(
    moved: Series,
    also: dict[Series, float] | None = None,
    rankers: dict[str, str] | None = None,
    versions: tuple[str, str] | None = None,
) -> Verdict:
    """Return what is decided of a series that is off by -6 standard errors, beside others."""
    signal = Signal(moved, 0, Shift(Estimate.of(1, 0), Estimate.of(0, 0), -6.0), versions)
    source = "coclick" if moved.kind == VARIANT else ""
    return decide(signal, source, lambda series, _: (also or {}).get(series, 0.0), rankers or {})


@pytest.mark.parametrize(
    ("moved", "also", "cause", "about"),
    [
        (LIS, {}, "source", "coclick"),
        (PAIRS, {}, "source", "coclick"),
        (LIS, {TRAFFIC: -5}, "data", ""),
        (SHARE, {LIS: -5.0}, "source", "coclick"),
        (AIS, {LIS: -7.0, SHARE: 1.0}, "source", "coclick"),
        (SHARE, {PAIRS: -9.0, AIS: -1.0}, "unknown", "title"),
        (AIS, {LIS: 1.0, SHARE: -5.0}, "representation", "title"),
        (SHARE, {AIS: -5.0, LIS: 1.0}, "representation", "title"),
        (ALIGNED, {}, "representation", "title"),
        (AIS, {ALIGNED: -9.0, COVER: -9.0}, "representation", "title"),
        (NORM, {AIS: -5.0}, "representation", "title"),
        (COVER, {AIS: -4.5}, "data", "title"),
        (AIS, {COVER: -5.0}, "data", "title"),
        (CENTRE, {COVER: -5.0}, "data", "title"),
        (CENTRE, {}, "unknown", "title"),
        (AIS, {TWIN: 5.0}, "ranker", ""),
        (LIS, {AUC: 5.0}, "ranker", ""),
        (COVER, {AUC: 5.0}, "data", "title"),
        (AUC, {}, "ranker", ""),
        (TWIN, {}, "ranker", ""),
        (TRAFFIC, {}, "data", ""),
        (SHARE, {AIS: 1.0, LIS: 1.0}, "unknown", "title"),
        (SHARE, {AIS: 1.0, LIS: 1.0, TRAFFIC: 5.0}, "data", ""),
    ],
)
def test_cause_follows_from_what_else_moved(moved: Series, also: dict[Series, float], cause: str, about: str) -> None:
    """The rules in their order: instruments, vectors, input, source, representation."""
    assert verdict(moved, also) == Verdict(cause, about)  # type: ignore[arg-type]


@pytest.mark.parametrize("ranker", ["aligned:title", "permuted:title", "leaked:coclick", "placebo:coclick", "unleaked"])
def test_ranker_that_was_touched_is_the_cause_of_what_it_makes(ranker: str) -> None:
    """Set aside or restarted: the number is another one's."""
    assert verdict(SHARE, rankers={ranker: "diverged"}).cause == "ranker"


def test_ranker_of_another_variant_or_number_is_not() -> None:
    """Pair alignment has no ranker in it, and an image's ranker is not the title's."""
    assert verdict(AIS, {SHARE: -5.0, AIS: -6.0}, {"aligned:image": "diverged"}).cause == "representation"
    assert verdict(ALIGNED, rankers={"aligned:title": "diverged"}).cause == "representation"


def test_new_version_is_the_cause_of_what_began_with_it() -> None:
    """Whatever of the variant moved; but a ranker that was set aside comes first."""
    assert verdict(ALIGNED, versions=("1", "2")) == Verdict("version", "title")
    assert verdict(AIS, rankers={"aligned:title": "diverged"}, versions=("1", "2")).cause == "ranker"
