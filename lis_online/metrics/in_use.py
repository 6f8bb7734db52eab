"""Which slots of variants hold anything: what is stored of a sum of buckets."""

from __future__ import annotations

from lis_online.metrics.statistics import Statistics


def in_use(total: Statistics) -> Statistics:
    """Return the statistics without slots of variants that hold nothing: decoding fills them with zeros again."""
    layout = total.layout
    shared = len(layout.places([]))
    held = [
        slot
        for slot in range(len(layout.variants))
        if total.vectors[:, slot].any() or total.fine[:, layout.places([slot])[shared:]].any()
    ]
    return total.take(held)
