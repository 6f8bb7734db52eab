"""The axes of every metric array: which rankers, slices, sources and variants there are, in order."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lis_online.settings import Settings

UNLEAKED = 0
TWIN = 1
PER_SOURCE = ("leaked", "past", "placebo", "thinned")
PER_VARIANT = ("aligned", "permuted")
ALL = "all"
OTHER_SURFACE = "surface:other"


@dataclass(frozen=True, slots=True)
class Layout:
    """Names along the axes, in the settings' order.

    rankers: "unleaked", "twin", then "leaked:S", "past:S", "placebo:S", "thinned:S" of each source S,
    then "aligned:V", "permuted:V" of each variant V. slices: "all", "surface:NAME" of each surface,
    "surface:other", "arm:EXPERIMENT/ARM". variants: a variant's *slots*, one for each of its versions that is
    measured side by side: "V", "V#2" and so on; variant_of: name of the variant each belongs to; variant_source: index
    of the source it was aligned on.
    surfaces: how many are named; arms: how many each experiment has.

    >>> layout = Layout.of(Settings.of({"variant": [{"name": "v", "preference": "coclick", "dimension": 4}]}))
    >>> layout.rankers[2:4], layout.rankers[-1], layout.slices
    (('leaked:coclick', 'past:coclick'), 'permuted:v', ('all', 'surface:feed', 'surface:ads', 'surface:other'))
    """

    rankers: tuple[str, ...]
    slices: tuple[str, ...]
    sources: tuple[str, ...]
    variants: tuple[str, ...]
    variant_of: tuple[str, ...]
    variant_source: tuple[int, ...]
    surfaces: int
    arms: tuple[int, ...]

    @classmethod
    def of(cls, settings: Settings) -> Layout:
        """Return the layout that the settings ask for."""
        sources = tuple(source.name for source in settings.preference)
        variants = tuple(variant.name for variant in settings.variant)
        rankers = ["unleaked", "twin"]
        rankers += [f"{kind}:{source}" for source in sources for kind in PER_SOURCE]
        rankers += [f"{kind}:{variant}" for variant in variants for kind in PER_VARIANT]
        slices = [ALL, *(f"surface:{name}" for name in settings.events.surfaces), OTHER_SURFACE]
        slices += [f"arm:{e.name}/{arm.name}" for e in settings.experiment for arm in e.arm]
        return cls(
            rankers=tuple(rankers),
            slices=tuple(slices),
            sources=sources,
            variants=variants,
            variant_of=variants,
            variant_source=tuple(sources.index(variant.preference) for variant in settings.variant),
            surfaces=len(settings.events.surfaces),
            arms=tuple(len(experiment.arm) for experiment in settings.experiment),
        )

    def of_source(self, kind: str, source: int) -> int:
        """Return the ranker index of "leaked", "past", "placebo" or "thinned" of a source."""
        return 2 + len(PER_SOURCE) * source + PER_SOURCE.index(kind)

    def of_variant(self, kind: str, variant: int) -> int:
        """Return the ranker index of "aligned" or "permuted" of a variant."""
        return 2 + len(PER_SOURCE) * len(self.sources) + len(PER_VARIANT) * variant + PER_VARIANT.index(kind)

    def memberships(self, surface: np.ndarray, arm: np.ndarray) -> np.ndarray:
        """Return the slices each slate belongs to: int16 [slates, 2 + experiments], -1 for none.

        surface: int [slates], index of the surface, their number for one that is not named;
        arm: int [slates, experiments], index of the arm, -1 where there is none.
        """
        columns = np.full((len(surface), 2 + len(self.arms)), -1, np.int16)
        columns[:, 0] = 0
        columns[:, 1] = 1 + surface
        first = 2 + self.surfaces
        for experiment, size in enumerate(self.arms):
            chosen = arm[:, experiment]
            columns[:, 2 + experiment] = np.where(chosen >= 0, first + chosen, -1)
            first += size
        return columns
