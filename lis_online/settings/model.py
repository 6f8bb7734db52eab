"""The typed settings: every key, its default and its rule. Durations are kept in ms."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr, field_validator, model_validator

from lis_online.rankers.shipped import DEFAULT, SHIPPED, is_ranker
from lis_online.settings.addresses import split_address
from lis_online.settings.durations import Duration, format_duration


def _name(value: str) -> str:
    if not value or not all(c.isalnum() or c in "-_." for c in value):
        raise ValueError(f"must be letters, digits, '-', '_' or '.', got {value!r}")
    return value


Name = Annotated[str, AfterValidator(_name)]
"""A name that becomes a label value, a file name and part of a topic key."""


DAY = 86_400_000  # ms
WEEK = 7 * DAY  # the history's partitions
LEAST_KEY = 16  # bytes of a secret that nobody is to guess
MINIMUM_EFFECT = 0.01  # relative to control: what a metric is watched for where nothing is declared


def _long_enough(key: SecretStr | None) -> SecretStr | None:
    length = LEAST_KEY if key is None else len(key.get_secret_value().encode())
    if length < LEAST_KEY:
        raise ValueError(f"must have at least {LEAST_KEY} bytes, got {length}")
    return key


class Section(BaseModel):
    """A table of the settings file: unknown keys are errors, values never change."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False, hide_input_in_errors=True)


class KafkaSettings(Section):
    """Where Kafka is, what the topics are called and how they are shaped."""

    bootstrap: str = "127.0.0.1:9092"
    prefix: Name = "lis"
    impressions: Name = "impressions"
    feedback: Name = "feedback"
    representations: Name = "representations"
    preferences: Name = "preferences"
    partitions: int = Field(4, ge=1, le=4096)
    replication: int = Field(1, ge=1)
    retention: Duration = 7 * 86_400_000
    security_protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = "PLAINTEXT"
    sasl_mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] | None = None
    username: str | None = None
    password: SecretStr | None = None
    ca_file: str | None = None
    certificate_file: str | None = None
    key_file: str | None = None
    session_timeout: Duration = 10_000
    idle_after: Duration = 30_000

    @field_validator("bootstrap")
    @classmethod
    def _addresses(cls, value: str) -> str:
        for address in value.split(","):
            split_address(address.strip())
        return value

    @model_validator(mode="after")
    def _whole(self) -> KafkaSettings:
        sasl = self.security_protocol.startswith("SASL")
        if sasl and (not self.sasl_mechanism or not self.username or self.password is None):
            raise ValueError(f"security_protocol {self.security_protocol} needs sasl_mechanism, username and password")
        if not sasl and (self.sasl_mechanism or self.username or self.password is not None):
            raise ValueError(
                "sasl_mechanism, username and password need security_protocol SASL_SSL or "
                f"SASL_PLAINTEXT, got {self.security_protocol}"
            )
        if bool(self.certificate_file) != bool(self.key_file):
            raise ValueError("certificate_file and key_file must be given together")
        if self.certificate_file and not self.security_protocol.endswith("SSL"):
            raise ValueError(
                f"certificate_file and key_file need security_protocol SSL or SASL_SSL, got {self.security_protocol}"
            )
        return self


class HistorySettings(Section):
    """Where the history is kept and for how long. With an empty url nothing is written."""

    url: SecretStr | None = SecretStr("postgresql+psycopg://lis@127.0.0.1/lis")
    keep_buckets: Duration = 14 * DAY
    keep_numbers: Duration = 14 * DAY
    rollup: Duration = 900_000
    keep_rollups: Duration = 400 * DAY
    keep_user_totals: Duration = 60 * DAY
    user_totals_share: float = Field(1.0, ge=0, le=1)

    @field_validator("url", mode="before")
    @classmethod
    def _none(cls, value: object) -> object:
        return None if value == "" else value

    @model_validator(mode="after")
    def _whole(self) -> HistorySettings:
        if self.rollup < 1000 or DAY % self.rollup:
            raise ValueError(f"rollup must be >= 1s and fit a day evenly, got {format_duration(self.rollup)}")
        if self.keep_rollups < max(self.keep_buckets, self.keep_numbers):
            raise ValueError(
                f"keep_rollups must be >= keep_buckets and keep_numbers, got {format_duration(self.keep_rollups)}"
            )
        return self


class CheckpointSettings(Section):
    """Where shards are saved, how often (wall clock) and how many are kept."""

    directory: str = "checkpoints"
    every: Duration = 30_000
    keep: int = Field(3, ge=2)


class HttpSettings(Section):
    """Where a worker serves /metrics, /healthz and /api, and who may ask. Port 0 takes a free one."""

    host: str = "127.0.0.1"
    port: int = Field(9464, ge=0, le=65535)
    token: SecretStr | None = None
    certificate_file: str | None = None
    key_file: str | None = None
    insecure: bool = False

    @field_validator("token")
    @classmethod
    def _can_be_sent(cls, token: SecretStr | None) -> SecretStr | None:
        if token is not None and not all("!" <= c <= "~" for c in token.get_secret_value()):
            raise ValueError("must be ASCII without spaces, as a header carries it")
        return _long_enough(token)

    @model_validator(mode="after")
    def _whole(self) -> HttpSettings:
        if bool(self.certificate_file) != bool(self.key_file):
            raise ValueError("certificate_file and key_file must be given together")
        return self


class PrivacySettings(Section):
    """What keeps users unknown."""

    user_key: SecretStr | None = None

    @field_validator("user_key")
    @classmethod
    def _long_enough(cls, key: SecretStr | None) -> SecretStr | None:
        return _long_enough(key)


class EventsSettings(Section):
    """How events become labelled slates."""

    label: Name = "click"
    actions: list[Name] = ["click", "like", "collect", "share", "dwell", "ad_value"]
    attribution_window: Duration = 600_000
    allowed_lateness: Duration = 30_000
    max_ahead: Duration = 300_000
    history_length: int = Field(20, ge=1, le=1000)
    user_idle_limit: Duration = 14 * DAY
    user_sample: float = Field(1.0, gt=0, le=1)
    surfaces: list[Name] = ["feed", "ads"]

    @model_validator(mode="after")
    def _whole(self) -> EventsSettings:
        if self.label not in self.actions:
            raise ValueError(f"label must be one of actions {self.actions}, got {self.label!r}")
        for name, values in (("actions", self.actions), ("surfaces", self.surfaces)):
            if len(set(values)) < len(values):
                raise ValueError(f"{name} must differ, got {values}")
        return self


class LeakageSettings(Section):
    """What leaks: horizon H, memory P, user folds, sketch size, placebo buckets."""

    horizon: Duration = 1_800_000
    memory: Duration = 6 * 3_600_000
    folds: int = Field(8, ge=2, le=64)
    sketch_bits: int = Field(22, ge=8, le=28)
    placebo_bucket: Duration | None = None
    placebo_pairs: int = Field(400, ge=1)

    @model_validator(mode="after")
    def _whole(self) -> LeakageSettings:
        if self.horizon <= 0 or self.memory <= 0:
            raise ValueError("horizon and memory must be > 0")
        if self.horizon % self.placebo_grid:
            raise ValueError(
                f"horizon must be a whole number of placebo buckets of "
                f"{format_duration(self.placebo_grid)}, got {format_duration(self.horizon)}"
            )
        return self

    @property
    def placebo_grid(self) -> int:
        """The shortest placebo bucket, ms: as set, or a sixteenth of the horizon."""
        if self.placebo_bucket is not None:
            return max(self.placebo_bucket, 1)
        return next(self.horizon // n for n in (16, 15, 12, 10, 8, 6, 5, 4, 3, 2, 1) if self.horizon % n == 0)


class TrainingSettings(Section):
    """How the rankers learn. batch is samples a step."""

    device: str = Field("auto", pattern=r"^(auto|cpu|cuda(:\d+)?)$")
    on_device_failure: Literal["cpu", "stop"] = "cpu"
    threads: int = Field(1, ge=1)
    batch: int = Field(512, ge=1)
    ranker: str = DEFAULT
    embedding: int = Field(8, ge=1, le=1024)
    hidden: list[Annotated[int, Field(ge=1)]] = Field([64, 32], min_length=1)
    learning_rate: float = Field(0.06, gt=0)
    user_bits: int = Field(16, ge=4, le=28)
    item_bits: int = Field(16, ge=4, le=28)
    half_lives: list[Duration] = Field([600_000, 3_600_000, 21_600_000], min_length=1)
    count_tick: Duration = 10_000
    seed: int = 0

    @field_validator("ranker")
    @classmethod
    def _is_ranker(cls, value: str) -> str:
        if not is_ranker(value):
            raise ValueError(f"must be one of {', '.join(SHIPPED)} or package.module:factory, got {value!r}")
        return value

    @model_validator(mode="after")
    def _whole(self) -> TrainingSettings:
        if self.count_tick <= 0 or min(self.half_lives) <= 0:
            raise ValueError("count_tick and half_lives must be > 0")
        return self


class MetricsSettings(Section):
    """How the numbers are kept and judged."""

    metric: Literal["auc", "gauc"] = "auc"
    bucket: Duration = 60_000
    windows: list[Duration] = Field([900_000, 3_600_000, 21_600_000, 86_400_000], min_length=1)
    warm_up: Literal["auto"] | Duration = "auto"
    warm_up_samples: int = Field(40_000, ge=0)
    min_useful_lis: float = Field(0.0005, ge=0)
    min_efficiency: float = Field(0.5, ge=0, le=1)
    placebo_tolerance: float = Field(0.0005, ge=0)
    min_effective_users: float = Field(200, ge=2)
    min_positives: int = Field(200, ge=1)
    max_user_samples: int = Field(1_000, ge=1)

    @model_validator(mode="after")
    def _whole(self) -> MetricsSettings:
        if self.bucket < 1000:
            raise ValueError(f"bucket must be >= 1s, got {format_duration(self.bucket)}")
        for window in self.windows:
            if window % self.bucket or window < self.bucket:
                raise ValueError(
                    f"windows must be whole numbers of buckets of {format_duration(self.bucket)}, "
                    f"got {format_duration(window)}"
                )
        return self


class DriftSettings(Section):
    """How changes of the numbers are looked for; the defaults are those of the study in docs/drift.md."""

    enabled: bool = True
    bucket: Duration = 3_600_000
    learning: Duration = WEEK
    window: Duration = 4 * WEEK
    gap: Duration = 2 * DAY
    same: Duration = 2 * DAY
    threshold: float = Field(17.0, gt=4)

    @model_validator(mode="after")
    def _whole(self) -> DriftSettings:
        if self.bucket < 1000 or 3_600_000 % self.bucket:
            raise ValueError(f"bucket must be >= 1s and fit an hour evenly, got {format_duration(self.bucket)}")
        if self.learning < 8 * self.bucket:
            raise ValueError(
                f"learning must be >= 8 buckets of {format_duration(self.bucket)}, got {format_duration(self.learning)}"
            )
        if self.window < self.learning:
            raise ValueError(
                f"window must be >= learning, {format_duration(self.learning)}, got {format_duration(self.window)}"
            )
        return self


class PreferenceSettings(Section):
    """One preference source."""

    name: Name
    kind: Literal["co_engagement", "topic"] = "co_engagement"
    actions: list[Name] = ["click"]
    gap: Duration = 6 * 3_600_000
    partners: int = Field(5, ge=1, le=100)
    users: Literal["feed", "independent"] = "feed"


class VariantSettings(Section):
    """One MLLM representation and the source it was aligned on."""

    name: Name
    preference: Name
    dimension: int = Field(ge=1, le=65536)
    versions: int = Field(2, ge=1, le=4)


class ArmSettings(Section):
    """One arm of an experiment and the variant it serves."""

    name: Name
    share: float = Field(gt=0, le=1)
    variant: Name | None = None


class Guardrail(Section):
    """A change of a metric that must not happen."""

    direction: Literal["increase", "decrease"]
    margin: float = Field(gt=0)


class ArmMetricSettings(Section):
    """One metric of an experiment, over per-user totals."""

    name: Name
    kind: Literal["ratio", "mean", "proportion"]
    numerator: Name | None = None
    denominator: Name | None = None
    action: Name | None = None
    cap: float | None = Field(None, gt=0)
    minimum_effect: float = Field(MINIMUM_EFFECT, gt=0)
    guardrail: Guardrail | None = None

    @model_validator(mode="after")
    def _whole(self) -> ArmMetricSettings:
        if self.kind == "ratio" and not (self.numerator and self.denominator):
            raise ValueError("kind ratio needs numerator and denominator")
        if self.kind != "ratio" and not self.action:
            raise ValueError(f"kind {self.kind} needs action")
        if self.kind == "proportion" and self.cap is not None:
            raise ValueError(f"cap must not be set for kind proportion, got {self.cap:g}")
        return self


class TriggerSettings(Section):
    """Which impressions an experiment could touch: all that is given must hold, an item's of any item of the slate."""

    surfaces: list[Name] = []
    categories: list[str] = []
    authors: list[str] = []
    items: list[str] = []

    @model_validator(mode="after")
    def _whole(self) -> TriggerSettings:
        if not (self.surfaces or self.categories or self.authors or self.items):
            raise ValueError("trigger must name surfaces, categories, authors or items, got none")
        return self


class ExperimentSettings(Section):
    """One A/B experiment. The unit is the user."""

    name: Name
    control: Name
    start: datetime | None = None
    alpha: float = Field(0.05, gt=0, lt=1)
    correction: Literal["holm", "benjamini-hochberg", "none"] = "holm"
    cuped: bool = True
    tightest_at_users: int | None = Field(None, ge=2)
    trigger: TriggerSettings | None = None
    arm: list[ArmSettings] = Field(min_length=2, max_length=64)
    metric: list[ArmMetricSettings] = []

    @model_validator(mode="after")
    def _whole(self) -> ExperimentSettings:
        names = [arm.name for arm in self.arm]
        if len(set(names)) < len(names):
            raise ValueError(f"arm names must differ, got {names}")
        if self.control not in names:
            raise ValueError(f"control must be one of the arms {names}, got {self.control!r}")
        total = sum(arm.share for arm in self.arm)
        if abs(total - 1) > 1e-9:
            raise ValueError(f"the arms' shares must sum to 1, got {total:g}")
        if self.start is not None and self.start.tzinfo is None:
            raise ValueError("start must have a time zone, such as 2026-11-01T00:00:00Z")
        return self
