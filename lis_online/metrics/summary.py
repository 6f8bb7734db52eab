"""The summary of a run, as the commands write it in JSON."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from lis_online.events.reasons import REFUSED
from lis_online.metrics.diagnosis import Diagnosis
from lis_online.metrics.results import SliceNumbers, SourceNumbers, VariantNumbers

LATE = ("late_impression", "late_feedback")


def numbers_summary(found: SliceNumbers, diagnoses: Mapping[str, Diagnosis]) -> dict[str, Any]:
    """Return samples, rankers, sources and variants of one slice. diagnoses: by variant."""
    return {
        "samples": found.samples,
        "slates": found.slates,
        "unleaked": {number: found.unleaked[number].to_json() for number in ("auc", "gauc")},
        "twin": found.twin.difference_json(),
        "effective_users": found.effective_users,
        "sources": {name: _source(source) for name, source in found.sources.items()},
        "variants": {name: _variant(variant, diagnoses[name]) for name, variant in found.variants.items()},
    }


def events_summary(counts: Mapping[str, int]) -> dict[str, int]:
    """Return the fates of the input records.

    >>> events_summary({"accepted": 5, "late_feedback": 1, "malformed": 2})
    {'accepted': 5, 'late': 1, 'duplicate': 0, 'dead_letters': 2}
    """
    return {
        "accepted": counts.get("accepted", 0),
        "late": sum(counts.get(fate, 0) for fate in LATE),
        "duplicate": counts.get("duplicate", 0),
        "dead_letters": sum(counts.get(reason, 0) for reason in REFUSED),
    }


def iso(time: int | None) -> str | None:
    """Return a time in ms since 1970 as text, None for None or a negative one.

    >>> iso(1_573_516_800_000)
    '2019-11-12T00:00:00+00:00'
    """
    return None if time is None or time < 0 else datetime.fromtimestamp(time / 1000, UTC).isoformat()


def _source(source: SourceNumbers) -> dict[str, Any]:
    names = ("lis", "past", "future", "placebo", "adjusted_lis", "bound")
    return {**{name: getattr(source, name).difference_json() for name in names}, "coverage": source.coverage}


def _variant(variant: VariantNumbers, diagnosis: Diagnosis) -> dict[str, Any]:
    return {
        "source": variant.source,
        "ais": variant.ais.difference_json(),
        "adjusted_ais": variant.adjusted_ais.difference_json(),
        "efficiency": variant.efficiency.to_json(),
        "coverage": variant.coverage,
        "diagnosis": diagnosis.diagnosis,
        "sentence": diagnosis.sentence,
    }
