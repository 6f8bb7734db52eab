"""Every label and what its values are: all bounded by the settings or by this code.

A variant has as many versions at a time as its setting `versions` says; a retired version's series end.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, get_args

from lis_online.drift.event import CAUSES
from lis_online.drift.reading import KINDS
from lis_online.events import reasons
from lis_online.experiments.guardrail import Holding
from lis_online.exporter import absent
from lis_online.exporter.health import PAUSES
from lis_online.metrics.diagnosis import DIAGNOSES

SET_ASIDE_REASONS: Final = ("diverged", "exploded", "stalled")
"""Why a ranker is set aside (`lis_online.rankers.health`): label values, there before the first of their kind."""

LABELS: Final = {
    "source": "name of a preference source, of the settings",
    "variant": "name of a variant, of the settings",
    "window": "length of the rolling window, such as 15m; run: everything after warm-up; overlap: since the newest "
    "version of a variant began, where it is not the first",
    "slice": "all, surface:NAME or arm:EXPERIMENT/ARM",
    "metric": "auc or gauc; for lis_unleaked_score also normalised_entropy and calibration; of an arm, a metric of its "
    "experiment, of the settings",
    "ranker": "unleaked, twin; leaked, past, placebo or thinned and :SOURCE; aligned or permuted and :VARIANT, "
    "with @VERSION where there are several",
    "diagnosis": "one of the diagnoses; exactly one of a variant's is 1",
    "experiment": "name of an experiment, of the settings",
    "arm": "name of an arm of the experiment",
    "control": "true for the arm that the others are compared with, false for those",
    "status": "breached, holds or undecided; exactly one of a guardrail's is 1",
    "role": "join, rank or publish",
    "partition": "the partition that the shard belongs to",
    "fate": "accepted, or why a record was counted and dropped",
    "reason": "why a record was refused, why a shard is paused, why a ranker was set aside, or why a number is absent",
    "version": "that of a variant's vectors, empty before the first; of lis_build_info, that of lis-online",
    "kind": "what a number is about: unleaked, source or variant; of drift also input; of lis_number_absent also arm "
    "and experiment",
    "subject": "name of the source, variant or experiment, or EXPERIMENT/ARM; empty where there is none",
    "number": "name of a number as the history and drift detection spell it, such as adjusted_lis; of an arm, ctr, "
    "lift:METRIC or lift_interval:METRIC; of an experiment, sample_ratio",
    "cause": "source, representation, version, ranker, data or unknown",
    "state": "allocated: in use by tensors; reserved: taken from the device; total: all that the device has",
    "device": "cpu, or the name of the device that a role computes on",
}
"""Label -> what its values are, for a reader."""

VALUES: Final[Mapping[str, frozenset[str]]] = {
    "diagnosis": frozenset(DIAGNOSES),
    "control": frozenset(("true", "false")),
    "status": frozenset(get_args(Holding)),
    "role": frozenset(("join", "rank", "publish")),
    "fate": frozenset(reasons.COUNTED),
    "reason": frozenset((*reasons.REFUSED, *PAUSES, *SET_ASIDE_REASONS, *absent.WORDS)),
    "kind": frozenset((*KINDS, "arm", "experiment")),
    "cause": frozenset(CAUSES),
    "state": frozenset(("allocated", "reserved", "total")),
}
"""Label -> its values, where this code has them all; those of the others come with the settings."""
