"""The summary of a run, as the commands write it in JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from lis_online.events.reasons import REFUSED
from lis_online.metrics.alignment import PairAlignment
from lis_online.metrics.diagnosis import INSUFFICIENT, Diagnosis
from lis_online.metrics.estimate import Estimate
from lis_online.metrics.results import SliceNumbers, SourceNumbers, VariantNumbers
from lis_online.metrics.version_keys import variant_of

NO_PAIRS = "no pairs"
LATE = ("late_impression", "late_feedback")


@dataclass(frozen=True, slots=True)
class Judged:
    """The numbers of one slice of one window and what they mean. diagnoses, alignment: by key of the variants."""

    numbers: SliceNumbers
    diagnoses: Mapping[str, Diagnosis]
    alignment: Mapping[str, PairAlignment] = field(default_factory=dict)


def numbers_summary(
    whole: Judged, overlap: Judged | None = None, since: Mapping[str, int | None] | None = None
) -> dict[str, Any]:
    """Return samples, rankers, sources and variants of one slice.

    A variant's entry is its newest version's. Where it has several, or its newest began within the run, "versions" has
    each over the overlap. overlap: the same slice over that time, None before it. since: time of each version's first
    vector, ms, by key of the variants. A version of the alignment alone is one whose pairs have come and whose samples
    follow a horizon later.
    """
    found = whole.numbers
    variants = {key: _variant(whole, key) for key in found.variants if key == variant_of(key)}
    versions = _versions(overlap or whole, since or {})
    for key, pairs in whole.alignment.items():
        if key not in found.variants:
            versions.setdefault(variant_of(key), {})[pairs.version] = _coming(pairs)
    for name, of_variant in versions.items():
        began_within = overlap is not None and found.variants[name].adjusted_ais.value is None
        if len(of_variant) > 1 or began_within:
            variants[name]["versions"] = of_variant
    return {
        "samples": found.samples,
        "slates": found.slates,
        "unleaked": {number: found.unleaked[number].to_json() for number in ("auc", "gauc")},
        "twin": found.twin.difference_json(),
        "effective_users": found.effective_users,
        "sources": {name: _source(source) for name, source in found.sources.items()},
        "variants": variants,
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


def _variant(judged: Judged, key: str) -> dict[str, Any]:
    variant = judged.numbers.variants[key]
    return {"source": variant.source, "version": variant.version, **_measured(judged, key, variant)}


def _versions(judged: Judged, since: Mapping[str, int | None]) -> dict[str, dict[str, Any]]:
    """Return the numbers by variant and version, the oldest first."""
    tables: dict[str, dict[str, Any]] = {}
    for key, variant in sorted(judged.numbers.variants.items(), key=lambda entry: since.get(entry[0]) or 0):
        tables.setdefault(variant_of(key), {})[variant.version] = {
            "since": iso(since.get(key)),
            "newest": key == variant_of(key),
            "samples": judged.numbers.samples,
            **_measured(judged, key, variant),
        }
    return tables


def _coming(pairs: PairAlignment) -> dict[str, Any]:
    """Return what is known of a version before its first sample: its pairs."""
    none = Estimate.none(f"no samples of version {pairs.version} yet").to_json()
    return {
        "since": None,
        "newest": False,
        "samples": 0,
        **dict.fromkeys(("ais", "adjusted_ais", "efficiency"), none),
        "coverage": None,
        "pair_alignment": _pair_alignment(pairs),
        "diagnosis": INSUFFICIENT,
        "sentence": f"Version {pairs.version} of {pairs.variant} has pairs; its samples follow a horizon later.",
    }


def _measured(judged: Judged, key: str, variant: VariantNumbers) -> dict[str, Any]:
    pairs = judged.alignment.get(key)
    return {
        "ais": variant.ais.difference_json(),
        "adjusted_ais": variant.adjusted_ais.difference_json(),
        "efficiency": variant.efficiency.to_json(),
        "coverage": variant.coverage,
        "pair_alignment": _pair_alignment(pairs),
        "diagnosis": judged.diagnoses[key].diagnosis,
        "sentence": judged.diagnoses[key].sentence,
    }


def _pair_alignment(found: PairAlignment | None) -> dict[str, Any]:
    if found is None:
        return Estimate.none(NO_PAIRS).to_json()
    return {**found.share.to_json(), "pairs": found.pairs, "left_out": found.left_out}
