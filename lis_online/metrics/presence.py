"""Which rankers and versions were there over a whole window: what came within it has no number there yet."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from lis_online.events.windows_log import SlotVersion
from lis_online.metrics.layout import PER_SOURCE, PER_VARIANT, Layout, slot_variant
from lis_online.metrics.version_keys import ranker_key, version_key

RESTARTED = "restarted within the window"
NO_VERSION = "(none yet)"


@dataclass(frozen=True, slots=True)
class Presence:
    """As of a bucket: what the slots in use hold, who was restarted when, who is set aside and why.

    restarted: name of a ranker -> start of the first bucket wholly after it, ms; set_aside: name -> reason. Names are
    the layout's. sources: name of each that came after the group had begun -> start of the first bucket with it, ms.
    """

    versions: Sequence[SlotVersion]
    restarted: dict[str, int] = field(default_factory=dict)
    set_aside: dict[str, str] = field(default_factory=dict)
    sources: dict[str, int] = field(default_factory=dict)

    @classmethod
    def of(cls, layout: Layout) -> Presence:
        """Return that of a group that has just begun."""
        firsts = layout.firsts()
        return cls([SlotVersion(layout.variants[slot], "", -1, 0, newest=True) for slot in firsts])

    def slots(self, layout: Layout) -> list[int]:
        """Return the slots in use, as indices into a layout."""
        return [layout.variants.index(held.slot) for held in self.versions]

    def keys(self) -> list[str]:
        """Return the key of each slot in use: its variant's name for the newest version, "v@1" for an older one."""
        return [version_key(slot_variant(held.slot), held.version, held.newest) for held in self.versions]

    def key(self, ranker: str) -> str:
        """Return how the numbers name a ranker of the layout."""
        return ranker_key(ranker, self.versions)

    def absent(self, start: int) -> dict[str, str]:
        """Return the rankers that were not there, as they are, over all of a window from `start`, ms, and why."""
        reasons = {
            f"{kind}:{held.slot}": f"version {held.version or NO_VERSION} began within the window"
            for held in self.versions
            if held.began > start
            for kind in PER_VARIANT
        }
        sources = {
            f"{kind}:{source}": f"source {source} began within the window"
            for source, began in self.sources.items()
            if began > start
            for kind in PER_SOURCE
        }
        again = {name: RESTARTED for name, began in self.restarted.items() if began > start}
        return {**again, **reasons, **sources}

    def warm(self, warm_up: int) -> Presence:
        """Return this, each source as if it had begun when its own warm-up of so many ms was over."""
        return replace(self, sources={name: began + warm_up for name, began in self.sources.items()})

    def warm_from(self, source: str, start: int, warm_up: int) -> int | None:
        """Return when the warm-up of a source ends, ms; None where a window from `start` on begins after it."""
        until = self.sources.get(source, -warm_up) + warm_up
        return until if start < until else None
