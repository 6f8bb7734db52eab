"""The axes of every metric array: which rankers, slices, sources and variants there are, in order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from lis_online.settings import Settings

UNLEAKED = 0
TWIN = 1
PER_SOURCE = ("leaked", "past", "placebo", "thinned")
PER_VARIANT = ("aligned", "permuted")
SLOT = "#"
"""Between a variant's name and the number of its slot, from the second on; the settings allow it in no name."""
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
    (('leaked:coclick', 'past:coclick'), 'permuted:v#2', ('all', 'surface:feed', 'surface:ads', 'surface:other'))
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
        slots = [(variant, place) for variant in settings.variant for place in range(variant.versions)]
        names = tuple(slot_name(variant.name, place) for variant, place in slots)
        rankers = ["unleaked", "twin"]
        rankers += [f"{kind}:{source}" for source in sources for kind in PER_SOURCE]
        rankers += [f"{kind}:{slot}" for slot in names for kind in PER_VARIANT]
        slices = [ALL, *(f"surface:{name}" for name in settings.events.surfaces), OTHER_SURFACE]
        slices += [f"arm:{e.name}/{arm.name}" for e in settings.experiment for arm in e.arm]
        return cls(
            rankers=tuple(rankers),
            slices=tuple(slices),
            sources=sources,
            variants=names,
            variant_of=tuple(variant.name for variant, _ in slots),
            variant_source=tuple(sources.index(variant.preference) for variant, _ in slots),
            surfaces=len(settings.events.surfaces),
            arms=tuple(len(experiment.arm) for experiment in settings.experiment),
        )

    def of_source(self, kind: str, source: int) -> int:
        """Return the ranker index of "leaked", "past", "placebo" or "thinned" of a source."""
        return 2 + len(PER_SOURCE) * source + PER_SOURCE.index(kind)

    def of_variant(self, kind: str, variant: int) -> int:
        """Return the ranker index of "aligned" or "permuted" of a variant's slot."""
        return 2 + len(PER_SOURCE) * len(self.sources) + len(PER_VARIANT) * variant + PER_VARIANT.index(kind)

    def firsts(self) -> list[int]:
        """Return the first slot of each variant, which is in use from the start."""
        return [slot for slot, name in enumerate(self.variants) if name == self.variant_of[slot]]

    def places(self, slots: Sequence[int]) -> list[int]:
        """Return the rankers that there are where only some slots are in use, in order."""
        shared = 2 + len(PER_SOURCE) * len(self.sources)
        return [*range(shared), *(self.of_variant(kind, slot) for slot in slots for kind in PER_VARIANT)]

    def take(self, slots: Sequence[int]) -> Layout:
        """Return the layout of some slots alone, ascending: that of a time when only those are in use."""
        if len(slots) == len(self.variants):
            return self
        return replace(
            self,
            rankers=tuple(self.rankers[place] for place in self.places(slots)),
            variants=tuple(self.variants[slot] for slot in slots),
            variant_of=tuple(self.variant_of[slot] for slot in slots),
            variant_source=tuple(self.variant_source[slot] for slot in slots),
        )

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


def slot_name(variant: str, place: int) -> str:
    """Return the name of a variant's slot.

    >>> slot_name("v", 0), slot_name("v", 1)
    ('v', 'v#2')
    """
    return variant if place == 0 else f"{variant}{SLOT}{place + 1}"


def slot_variant(name: str) -> str:
    """Return the variant of a slot's name.

    >>> slot_variant("v"), slot_variant("v#2")
    ('v', 'v')
    """
    return name.partition(SLOT)[0]
