"""Settings from one TOML file and the environment, read once at the edge."""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pydantic import Field, ValidationError, model_validator
from pydantic_settings import (
    BaseSettings,
    InitSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from lis_online.errors import SettingsError
from lis_online.settings.durations import format_duration
from lis_online.settings.environment import BETWEEN, PREFIX, Environment
from lis_online.settings.mapping import MappingSettings
from lis_online.settings.model import (
    CheckpointSettings,
    DriftSettings,
    EventsSettings,
    ExperimentSettings,
    HistorySettings,
    HttpSettings,
    KafkaSettings,
    LeakageSettings,
    MetricsSettings,
    PreferenceSettings,
    PrivacySettings,
    TrainingSettings,
    VariantSettings,
)
from lis_online.settings.problems import problems_of


class Settings(BaseSettings):
    """All settings. Environment (`LIS_KAFKA__BOOTSTRAP`) overrides the file.

    >>> Settings.of({"leakage": {"horizon": "1h"}}).leakage.horizon
    3600000
    """

    model_config = SettingsConfigDict(
        extra="forbid",
        frozen=True,
        env_prefix=PREFIX,
        env_nested_delimiter=BETWEEN,
        allow_inf_nan=False,
        hide_input_in_errors=True,  # it may hold a password
    )

    kafka: KafkaSettings = KafkaSettings()
    history: HistorySettings = HistorySettings()
    checkpoints: CheckpointSettings = CheckpointSettings()
    http: HttpSettings = HttpSettings()
    privacy: PrivacySettings = PrivacySettings()
    events: EventsSettings = EventsSettings()
    mapping: MappingSettings = MappingSettings()
    leakage: LeakageSettings = LeakageSettings()
    training: TrainingSettings = TrainingSettings()
    metrics: MetricsSettings = MetricsSettings()
    drift: DriftSettings = DriftSettings()
    preference: list[PreferenceSettings] = Field(default_factory=lambda: [PreferenceSettings(name="coclick")])
    variant: list[VariantSettings] = []
    experiment: list[ExperimentSettings] = []

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Return the environment before the file; a table given alone stands alone."""
        del env_settings, dotenv_settings, file_secret_settings
        if isinstance(init_settings, InitSettingsSource) and init_settings.init_kwargs.pop("_plain", None):
            return (init_settings,)
        return (Environment(settings_cls), init_settings)

    @classmethod
    def of(cls, table: dict[str, Any], origin: str = "settings") -> Settings:
        """Return settings from a table alone, without the environment."""
        return _checked({**table, "_plain": True}, origin)

    @property
    def warm_up(self) -> int:
        """Event time from the first sample before numbers count, ms: as set, or P + H.

        >>> Settings.of({"leakage": {"horizon": "1h", "memory": "2h"}}).warm_up
        10800000
        """
        warm_up = self.metrics.warm_up
        return self.leakage.memory + self.leakage.horizon if warm_up == "auto" else int(warm_up)

    @model_validator(mode="after")
    def _names_agree(self) -> Settings:
        problems = [*_repeated(self), *_unknown(self)]
        horizon, window = self.leakage.horizon, self.events.attribution_window
        if horizon < window:
            problems.append(
                f"leakage.horizon must be >= events.attribution_window, {format_duration(window)}: a label must be "
                f"known H later, got {format_duration(horizon)}"
            )
        if problems:
            raise ValueError("; ".join(problems))
        return self


def load(path: Path | None) -> Settings:
    """Return the settings of a file (or the defaults) with the environment's overrides.

    Raises SettingsError naming every wrong key, its rule and its value.
    """
    return load_table(path, lambda table: None)


def load_table(path: Path | None, change: Callable[[dict[str, Any]], None]) -> Settings:
    """Return the settings of a file whose tables were changed first: what a command's options ask for."""
    table = {} if path is None else _read(path)
    change(table)
    return _checked(table, "settings" if path is None else str(path))


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as exc:
        raise SettingsError([("", f"cannot read the file: {exc.strerror}")], str(path)) from exc
    except (ValueError, RecursionError) as exc:  # ValueError: not TOML, not UTF-8, or a number of thousands of digits
        raise SettingsError([("", f"is not TOML: {exc}")], str(path)) from exc


def _checked(table: dict[str, Any], origin: str) -> Settings:
    try:
        return Settings(**table)
    except ValidationError as exc:
        raise SettingsError(problems_of(exc, Settings), origin) from exc


def _repeated(settings: Settings) -> list[str]:
    problems = []
    for kind in ("preference", "variant", "experiment"):
        names = [entry.name for entry in getattr(settings, kind)]
        problems += [
            f"{kind} names must differ, got {name!r} twice" for name in {n for n in names if names.count(n) > 1}
        ]
    return sorted(problems)


def _unknown(settings: Settings) -> list[str]:
    sources = [source.name for source in settings.preference]
    variants = [variant.name for variant in settings.variant]
    problems = [
        f"variant {variant.name}: preference must be one of {sources}, got {variant.preference!r}"
        for variant in settings.variant
        if variant.preference not in sources
    ]
    for source in settings.preference:
        problems += [
            f"preference {source.name}: actions must be among {settings.events.actions}, got {action!r}"
            for action in source.actions
            if action not in settings.events.actions
        ]
    for experiment in settings.experiment:
        problems += [
            f"experiment {experiment.name}, arm {arm.name}: variant must be one of {variants}, got {arm.variant!r}"
            for arm in experiment.arm
            if arm.variant is not None and arm.variant not in variants
        ]
        known = {*settings.events.actions, "impression"}
        for metric in experiment.metric:
            named = {metric.numerator, metric.denominator, metric.action} - {None}
            problems += [
                f"experiment {experiment.name}, metric {metric.name}: must use impression or one of "
                f"{settings.events.actions}, got {name!r}"
                for name in sorted(str(n) for n in named - known)
            ]
    return problems
