"""The settings that a shard's state and output depend on, flat: what a checkpoint is of.

What may differ between a checkpoint and the settings that it is restored under is said in
`lis_online/checkpoints/setting_changes.py`.
"""

from __future__ import annotations

from typing import Any, Final

from lis_online.events.person_hashes import key_digest
from lis_online.experiments.columns import Columns
from lis_online.join.exposures import first_ms
from lis_online.settings import Settings
from lis_online.settings.durations import rollup_length
from lis_online.settings.model import ExperimentSettings, TriggerSettings

_ELSEWHERE = {"training.device", "training.on_device_failure", "training.threads"}
"""Where and on how many threads it is computed: a shard may move to another machine."""


ROLES: Final = ("join", "rank", "publish")

_ONLY: Final[dict[str, tuple[str, ...]]] = {
    "events.actions": ("join",),
    "events.surfaces": ("join", "rank"),
    "events.attribution_window": ("join", "rank"),
    "events.history_length": ("join", "rank"),
    "events": ("join",),
    "events.label": ROLES,
    "leakage.horizon": ("rank", "publish"),
    "leakage": ("rank",),
    "training": ("rank",),
    "metrics.max_user_samples": ("rank",),
    "privacy": ("join", "rank"),
    "history": ("join",),
}
"""The roles that depend on a key, or on all keys of a section that are not named; all three on every other key."""

_OF_PARTS: Final[dict[tuple[str, str], tuple[str, ...]]] = {
    ("preference", "users"): ("rank",),
    ("preference", ""): ("join", "rank"),
    ("variant", "preference"): ("rank", "publish"),
    ("variant", "versions"): ("rank",),
    ("variant", ""): ("join", "rank"),
    ("experiment", ""): ("join",),
}
"""The same of the keys of a source, variant or experiment; "" for those that are not named."""


def fingerprint(settings: Settings, role: str | None = None) -> dict[str, Any]:
    """Return name -> value of every setting that the state of a role's shards depends on; of all roles without one.

    Windows, warm-up and thresholds are not among them: they say how numbers are read, not kept.

    >>> from lis_online.settings import Settings
    >>> before, after = (Settings.of({"leakage": {"folds": folds}}) for folds in (4, 8))
    >>> {name for name, value in fingerprint(before).items() if value != fingerprint(after)[name]}
    {'leakage.folds'}
    >>> fingerprint(before, "join") == fingerprint(after, "join")
    True
    """
    flat: dict[str, Any] = {"kafka.partitions": settings.kafka.partitions}
    for section in ("events", "leakage", "training"):
        _flatten(section, getattr(settings, section).model_dump(mode="json"), flat)
    flat["metrics.bucket"] = settings.metrics.bucket
    flat["metrics.max_user_samples"] = settings.metrics.max_user_samples
    if settings.privacy.user_key is not None:  # a checkpoint of a version without keys is one without a key
        flat["privacy.user_key"] = key_digest(settings.privacy)
    if settings.experiment:  # what users did is kept for experiments alone
        history = settings.history
        share = history.user_totals_share if history.keep_user_totals else 0
        flat["history.user_totals_share"] = share
        flat["history.rollup"] = rollup_length(history.rollup, settings.metrics.bucket) if share else None
    found = {
        name: value
        for name, value in flat.items()
        if name not in _ELSEWHERE
        and (role is None or role in _ONLY.get(name, _ONLY.get(name.partition(".")[0], ROLES)))
    }
    return found | _parts(settings, role)


def _parts(settings: Settings, role: str | None) -> dict[str, Any]:
    """Return the names of sources, variants and arms, in order, and what each of them is."""
    found: dict[str, Any] = {
        "preference": [source.name for source in settings.preference],
        "variant": [variant.name for variant in settings.variant],
        "experiment": [f"{one.name}/{arm.name}" for one in settings.experiment for arm in one.arm],
    }
    parts: list[tuple[str, str, dict[str, Any]]] = []
    for kind in ("preference", "variant"):
        parts += [(kind, one.name, one.model_dump(mode="json", exclude={"name"})) for one in getattr(settings, kind)]
    parts += [("experiment", one.name, _plan(one, settings)) for one in settings.experiment]
    for kind, name, table in parts:
        for key, value in table.items():
            if role is None or role in _OF_PARTS.get((kind, key), _OF_PARTS[kind, ""]):
                found[f"{kind}.{name}.{key}"] = value
    return found


def _plan(experiment: ExperimentSettings, settings: Settings) -> dict[str, Any]:
    """Return what users' totals and the moments over them depend on.

    What they are compared by (alpha, shares, guardrails) may change at any time.
    """
    trigger = None if experiment.trigger is None else experiment.trigger.model_dump()
    return {
        "start": None if experiment.start is None else first_ms(experiment.start),
        "cuped": experiment.cuped,
        "metric": list(Columns.of(experiment, settings.events).names),
        **{f"trigger.{key}": sorted(set(trigger[key])) if trigger else [] for key in TriggerSettings.model_fields},
    }


def _flatten(prefix: str, table: dict[str, Any], into: dict[str, Any]) -> None:
    for name, value in table.items():
        into[f"{prefix}.{name}"] = value
