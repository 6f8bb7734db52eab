"""The settings that a shard's state depends on, flat: a checkpoint of others is refused."""

from __future__ import annotations

from typing import Any

from lis_online.events.person_hashes import key_digest
from lis_online.experiments.columns import Columns
from lis_online.join.exposures import first_ms
from lis_online.settings import Settings
from lis_online.settings.durations import rollup_length
from lis_online.settings.model import ExperimentSettings, TriggerSettings

_ELSEWHERE = {"training.device", "training.on_device_failure", "training.threads"}
"""Where and on how many threads it is computed: a shard may move to another machine."""


def fingerprint(settings: Settings) -> dict[str, Any]:
    """Return name -> value of every setting that the state of a shard depends on.

    Windows, warm-up and thresholds are not among them: they say how numbers are read, not kept.

    >>> from lis_online.settings import Settings
    >>> before, after = (fingerprint(Settings.of({"leakage": {"folds": folds}})) for folds in (4, 8))
    >>> {name for name in before if before[name] != after[name]}
    {'leakage.folds'}
    """
    flat: dict[str, Any] = {"kafka.partitions": settings.kafka.partitions}
    for section in ("events", "leakage", "training"):
        _flatten(section, getattr(settings, section).model_dump(mode="json"), flat)
    flat["metrics.bucket"] = settings.metrics.bucket
    flat["metrics.max_user_samples"] = settings.metrics.max_user_samples
    for kind in ("preference", "variant"):
        entries = getattr(settings, kind)
        flat[kind] = [entry.name for entry in entries]  # their order is part of the state
        for entry in entries:
            _flatten(f"{kind}.{entry.name}", entry.model_dump(mode="json", exclude={"name"}), flat)
    flat["experiment"] = [
        f"{experiment.name}/{arm.name}" for experiment in settings.experiment for arm in experiment.arm
    ]
    for experiment in settings.experiment:
        flat |= _plan(experiment, settings)
    if settings.privacy.user_key is not None:  # a checkpoint of a version without keys is one without a key
        flat["privacy.user_key"] = key_digest(settings.privacy)
    if settings.experiment:  # what users did is kept for experiments alone
        history = settings.history
        share = history.user_totals_share if history.keep_user_totals else 0
        flat["history.user_totals_share"] = share
        flat["history.rollup"] = rollup_length(history.rollup, settings.metrics.bucket) if share else None
    return {name: value for name, value in flat.items() if name not in _ELSEWHERE}


def _plan(experiment: ExperimentSettings, settings: Settings) -> dict[str, Any]:
    """Return what users' totals and the moments over them depend on.

    What they are compared by (alpha, shares, guardrails) may change at any time.
    """
    trigger = None if experiment.trigger is None else experiment.trigger.model_dump()
    plan: dict[str, Any] = {
        "start": None if experiment.start is None else first_ms(experiment.start),
        "cuped": experiment.cuped,
        "metric": list(Columns.of(experiment, settings.events).names),
        **{f"trigger.{key}": sorted(set(trigger[key])) if trigger else [] for key in TriggerSettings.model_fields},
    }
    return {f"experiment.{experiment.name}.{key}": value for key, value in plan.items()}


def _flatten(prefix: str, table: dict[str, Any], into: dict[str, Any]) -> None:
    for name, value in table.items():
        into[f"{prefix}.{name}"] = value
