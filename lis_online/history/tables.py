"""The history's tables. Their schema changes by Alembic alone (`migrations/`).

Every row belongs to a configuration: numbers made under other settings are other numbers. Keys
are natural ones, so that writing twice changes nothing; the time comes last in them, since a
reader asks for one series over a range. Column lengths are left to PostgreSQL's text.

Every table but `configurations` is partitioned by its time (`partitions.py`). What is in no other partition is in the
default one, so writing never waits for one to be made.
"""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    Double,
    ForeignKey,
    Identity,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    func,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from lis_online.history.rows import AlignmentRow, ArmRow, BucketRow, DiagnosisRow, HistoryRow, NumberRow

NAMING: Final = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}

metadata = MetaData(naming_convention=NAMING)

WINDOW: Final = "0: the whole run after warm-up; -1: the overlap of a variant's versions"
FINITE: Final = "{0} BETWEEN '-1e308' AND '1e308'"  # PostgreSQL sorts NaN above infinity


CONFIGURATION: Final = "configuration_id"


def _configuration() -> Column[int]:
    return Column(CONFIGURATION, ForeignKey("configurations.id", ondelete="CASCADE"), primary_key=True)


def _time(name: str, *, key: bool = False) -> Column[object]:
    return Column(name, DateTime(timezone=True), primary_key=key, nullable=False)


def _text(name: str, *, key: bool = False) -> Column[str]:
    return Column(name, Text, primary_key=key, nullable=False)


def _count(name: str) -> Column[int]:
    return Column(name, BigInteger, nullable=False)


def _version() -> Column[str]:
    """The default is for code that writes rows without it: a deploy runs two versions of the code side by side."""
    return Column("version", Text, nullable=False, server_default="", comment="of a variant's vectors")


def _state() -> Column[bytes]:
    return Column("state", LargeBinary, comment="versions and rankers as of the bucket; null: not recorded")


def _by(column: str) -> dict[str, Any]:
    return {"postgresql_partition_by": f"RANGE ({column})"}


def _numbers(*names: str) -> list[Column[float]]:
    return [Column(name, Double) for name in names]


def _finite(*names: str) -> list[CheckConstraint]:
    return [CheckConstraint(FINITE.format(name), name=f"{name}_finite") for name in names]


configurations = Table(
    "configurations",
    metadata,
    Column("id", Integer, Identity(always=True), primary_key=True),
    _text("fingerprint"),
    Column("settings", JSONB, nullable=False, comment="the sections that decide numbers; durations in ms; no secret"),
    Column("created_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    UniqueConstraint("fingerprint"),
)

numbers = Table(
    "numbers",
    metadata,
    _configuration(),
    _text("kind", key=True),
    Column("subject", Text, primary_key=True, nullable=False, comment="of a variant's older version: NAME@VERSION"),
    Column("window_ms", BigInteger, primary_key=True, comment=WINDOW),
    _text("slice", key=True),
    _text("number", key=True),
    _time("bucket_end", key=True),
    *_numbers("value", "stderr", "lower", "upper"),
    Column("reason", Text, comment="why there is no value or no interval"),
    _count("samples"),
    _count("revision"),
    _version(),
    Column("samples_to_resolve", Double, comment="a difference's: of how many samples two stderr would be 0.0005"),
    Column("learning_noise", Boolean, comment="the interval was widened for it; null: not recorded"),
    CheckConstraint("kind IN ('unleaked', 'source', 'variant')", name="kind"),
    CheckConstraint("value IS NOT NULL OR reason IS NOT NULL", name="value_or_reason"),
    *_finite("value", "stderr", "lower", "upper"),
    **_by("bucket_end"),
)

diagnoses = Table(
    "diagnoses",
    metadata,
    _configuration(),
    Column("variant", Text, primary_key=True, nullable=False, comment="of an older version: NAME@VERSION"),
    Column("window_ms", BigInteger, primary_key=True, comment=WINDOW),
    _text("slice", key=True),
    _time("bucket_end", key=True),
    _text("diagnosis"),
    _text("sentence"),
    _count("revision"),
    _version(),
    **_by("bucket_end"),
)

arms = Table(
    "arms",
    metadata,
    _configuration(),
    _text("experiment", key=True),
    _text("arm", key=True),
    _time("bucket_end", key=True),
    _count("users"),
    _count("impressions"),
    _count("clicks"),
    *_numbers("ctr", "ctr_stderr", "ctr_lower", "ctr_upper"),
    _count("crossed"),
    _count("revision"),
    *_finite("ctr", "ctr_stderr", "ctr_lower", "ctr_upper"),
    **_by("bucket_end"),
)

buckets = Table(
    "buckets",
    metadata,
    _configuration(),
    Column("group", Integer, primary_key=True),
    _time("bucket_start", key=True),
    _time("bucket_end"),
    _count("samples"),
    Column("data", LargeBinary, nullable=False),
    _count("revision"),
    _state(),
    CheckConstraint("bucket_end > bucket_start", name="not_empty"),
    **_by("bucket_start"),
)

rollups = Table(
    "rollups",
    metadata,
    _configuration(),
    Column("group", Integer, primary_key=True),
    _time("bucket_start", key=True),
    _time("bucket_end"),
    _count("samples"),
    Column("data", LargeBinary, nullable=False),
    _count("revision"),
    _state(),
    Column(
        "members", ARRAY(DateTime(timezone=True)), nullable=False, comment="starts of the buckets that were merged in"
    ),
    CheckConstraint("bucket_end > bucket_start", name="not_empty"),
    **_by("bucket_start"),
)
"""Buckets that were merged into longer ones, by `lis-online db prune` alone. Their own table: a bucket that is written
again after a crash must not replace what it is already part of."""

alignments = Table(
    "alignments",
    metadata,
    _configuration(),
    Column("group", Integer, primary_key=True),
    _time("bucket_start", key=True),
    _time("bucket_end"),
    Column("data", LargeBinary, nullable=False),
    _count("revision"),
    CheckConstraint("bucket_end > bucket_start", name="not_empty"),
    **_by("bucket_start"),
)

TABLES: Final[dict[type[HistoryRow], Table]] = {
    NumberRow: numbers,
    DiagnosisRow: diagnoses,
    ArmRow: arms,
    BucketRow: buckets,
    AlignmentRow: alignments,
}
"""Where each kind of row goes. Columns and fields have the same names."""

PARTITIONED: Final[dict[Table, str]] = {
    numbers: "bucket_end",
    diagnoses: "bucket_end",
    arms: "bucket_end",
    buckets: "bucket_start",
    rollups: "bucket_start",
    alignments: "bucket_start",
}
"""The time that each table is partitioned by."""
