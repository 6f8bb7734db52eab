"""The published numbers of one slice of one window; definitions after arXiv 2508.04963."""

from __future__ import annotations

from dataclasses import dataclass, field

from lis_online.metrics.estimate import Estimate


@dataclass(frozen=True, slots=True)
class SourceNumbers:
    """What a preference source gives, as differences of the metric M between rankers.

    lis: leaked - unleaked; past: past - unleaked; future: leaked - past; placebo: placebo - unleaked;
    adjusted_lis: leaked - placebo; bound: leaked - thinned.
    coverage: share of samples with a true pair between candidate and history, expected hash
    collisions taken off; collision_share: what they explain of the coverage that was seen. None without samples.
    """

    lis: Estimate
    past: Estimate
    future: Estimate
    placebo: Estimate
    adjusted_lis: Estimate
    bound: Estimate
    coverage: float | None
    collision_share: float | None


@dataclass(frozen=True, slots=True)
class VariantNumbers:
    """What a variant's vectors give, as differences of M, and as a share of its source's LIS.

    ais: aligned - unleaked; adjusted_ais: aligned - permuted; efficiency: adjusted AIS / adjusted LIS.
    coverage: share of samples whose candidate and history have vectors; None without samples.
    variant, version: whose vectors; version is "" while none came.
    """

    source: str
    ais: Estimate
    adjusted_ais: Estimate
    efficiency: Estimate
    coverage: float | None
    variant: str = ""
    version: str = ""


@dataclass(frozen=True, slots=True)
class SliceNumbers:
    """All numbers of one slice of one window.

    unleaked: "auc", "gauc", "normalised_entropy", "calibration" of the unleaked ranker; twin: M(twin) - M(unleaked),
    an A/A test of the learning; levels: M of each ranker, None where there is none. variants: "v" is the newest version
    of the variant v, "v@1" an older version "1" that is still measured; rankers are named alike ("aligned:v@1").
    start: of the window, ms since 1970.
    """

    slice: str
    samples: int
    slates: int
    positives: int
    effective_users: float | None
    unleaked: dict[str, Estimate]
    twin: Estimate
    sources: dict[str, SourceNumbers] = field(default_factory=dict)
    variants: dict[str, VariantNumbers] = field(default_factory=dict)
    levels: dict[str, float | None] = field(default_factory=dict)
    start: int = 0
