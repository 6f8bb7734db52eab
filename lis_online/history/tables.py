"""The history's tables. Their schema changes by Alembic alone (`migrations/`).

Every row belongs to a configuration: numbers made under other settings are other numbers. Keys
are natural ones, so that writing twice changes nothing; the time comes last in them, since a
reader asks for one series over a range. Column lengths are left to PostgreSQL's text.

Every table that grows with time is partitioned by its time (`partitions.py`). What is in no other partition is in the
default one, so writing never waits for one to be made.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    Double,
    Identity,
    Integer,
    LargeBinary,
    Table,
    Text,
    UniqueConstraint,
    func,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from lis_online.history import column
from lis_online.history.column import CONFIGURATION as CONFIGURATION
from lis_online.history.column import metadata as metadata
from lis_online.history.experiment_tables import event_counts, lifts, moments, sample_ratios, user_totals
from lis_online.history.rows import (
    AlignmentRow,
    ArmRow,
    BucketRow,
    CountRow,
    DiagnosisRow,
    DriftRow,
    HistoryRow,
    LiftRow,
    MomentsRow,
    NumberRow,
    SampleRatioRow,
    SpanRow,
    UserTotalsRow,
)

configurations = Table(
    "configurations",
    metadata,
    Column("id", Integer, Identity(always=True), primary_key=True),
    column.text("fingerprint"),
    Column("settings", JSONB, nullable=False, comment="the sections that decide numbers; durations in ms; no secret"),
    Column("created_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    Column("note", Text, comment="null: live; else what a backfill was made from"),
    UniqueConstraint("fingerprint"),
)

numbers = Table(
    "numbers",
    metadata,
    column.configuration(),
    column.text("kind", key=True),
    Column("subject", Text, primary_key=True, nullable=False, comment="of a variant's older version: NAME@VERSION"),
    Column("window_ms", BigInteger, primary_key=True, comment=column.WINDOW),
    column.text("slice", key=True),
    column.text("number", key=True),
    column.time("bucket_end", key=True),
    *column.numbers("value", "stderr", "lower", "upper"),
    Column("reason", Text, comment="why there is no value or no interval"),
    column.count("samples"),
    column.count("revision"),
    column.version(),
    Column("samples_to_resolve", Double, comment="a difference's: of how many samples two stderr would be 0.0005"),
    Column("learning_noise", Boolean, comment="the interval was widened for it; null: not recorded"),
    CheckConstraint("kind IN ('unleaked', 'source', 'variant')", name="kind"),
    CheckConstraint("value IS NOT NULL OR reason IS NOT NULL", name="value_or_reason"),
    *column.finite("value", "stderr", "lower", "upper"),
    **column.partitioned_by("bucket_end"),
)

diagnoses = Table(
    "diagnoses",
    metadata,
    column.configuration(),
    Column("variant", Text, primary_key=True, nullable=False, comment="of an older version: NAME@VERSION"),
    Column("window_ms", BigInteger, primary_key=True, comment=column.WINDOW),
    column.text("slice", key=True),
    column.time("bucket_end", key=True),
    column.text("diagnosis"),
    column.text("sentence"),
    column.count("revision"),
    column.version(),
    **column.partitioned_by("bucket_end"),
)

arms = Table(
    "arms",
    metadata,
    column.configuration(),
    column.text("experiment", key=True),
    column.text("arm", key=True),
    column.time("bucket_end", key=True),
    column.count("users"),
    column.count("impressions"),
    column.count("clicks"),
    *column.numbers("ctr", "ctr_stderr", "ctr_lower", "ctr_upper"),
    column.count("crossed"),
    column.count("revision"),
    *column.finite("ctr", "ctr_stderr", "ctr_lower", "ctr_upper"),
    **column.partitioned_by("bucket_end"),
)

buckets = Table(
    "buckets",
    metadata,
    column.configuration(),
    Column("group", Integer, primary_key=True),
    column.time("bucket_start", key=True),
    column.time("bucket_end"),
    column.count("samples"),
    Column("data", LargeBinary, nullable=False),
    column.count("revision"),
    column.state(),
    CheckConstraint("bucket_end > bucket_start", name="not_empty"),
    **column.partitioned_by("bucket_start"),
)

rollups = Table(
    "rollups",
    metadata,
    column.configuration(),
    Column("group", Integer, primary_key=True),
    column.time("bucket_start", key=True),
    column.time("bucket_end"),
    column.count("samples"),
    Column("data", LargeBinary, nullable=False),
    column.count("revision"),
    column.state(),
    Column(
        "members", ARRAY(DateTime(timezone=True)), nullable=False, comment="starts of the buckets that were merged in"
    ),
    CheckConstraint("bucket_end > bucket_start", name="not_empty"),
    **column.partitioned_by("bucket_start"),
)
"""Buckets that were merged into longer ones, by `lis-online db prune` alone. Their own table: a bucket that is written
again after a crash must not replace what it is already part of."""

alignments = Table(
    "alignments",
    metadata,
    column.configuration(),
    Column("group", Integer, primary_key=True),
    column.time("bucket_start", key=True),
    column.time("bucket_end"),
    Column("data", LargeBinary, nullable=False),
    column.count("revision"),
    CheckConstraint("bucket_end > bucket_start", name="not_empty"),
    **column.partitioned_by("bucket_start"),
)

spans = Table(
    "spans",
    metadata,
    column.configuration(),
    Column("group", Integer, primary_key=True),
    Column("level", Integer, primary_key=True, comment="its length in buckets"),
    column.time("bucket_start", key=True),
    column.time("bucket_end"),
    column.count("samples"),
    Column("data", LargeBinary, nullable=False),
    Column("members", LargeBinary, nullable=False, comment="digest of the buckets that were summed"),
    column.count("revision"),
    CheckConstraint("bucket_end > bucket_start", name="not_empty"),
    **column.partitioned_by("bucket_start"),
)
"""Sums of buckets that are there as well: what makes reading a long range fast. Nothing is lost without them."""

drift_events = Table(
    "drift_events",
    metadata,
    column.configuration(),
    column.text("kind", key=True),
    Column("variant", Text, primary_key=True, nullable=False, comment="or source, as kind says"),
    column.text("number", key=True),
    column.text("slice", key=True),
    Column("window_ms", BigInteger, primary_key=True),
    column.time("time", key=True),
    column.time("detected_at"),
    Column("until", DateTime(timezone=True), comment="null: not over yet"),
    *column.numbers("before", "before_lower", "before_upper", "after", "after_lower", "after_upper"),
    column.text("cause"),
    column.text("sentence"),
    column.text("detector"),
    column.count("revision"),
    CheckConstraint("kind IN ('unleaked', 'source', 'variant', 'input')", name="kind"),
    *column.finite("before", "before_lower", "before_upper", "after", "after_lower", "after_upper"),
)
"""A few a month: not partitioned."""

notes = Table(
    "annotations",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("time", DateTime(timezone=True), nullable=False, index=True),
    Column("end_time", DateTime(timezone=True), comment="null: an instant"),
    column.text("text"),
    Column("tags", ARRAY(Text), nullable=False, server_default="{}"),
    Column("created_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    CheckConstraint("end_time > time", name="not_empty"),
)
"""What somebody noted, whatever the configuration: not partitioned."""

TABLES: Final[dict[type[HistoryRow], Table]] = {
    NumberRow: numbers,
    DiagnosisRow: diagnoses,
    ArmRow: arms,
    BucketRow: buckets,
    AlignmentRow: alignments,
    SpanRow: spans,
    MomentsRow: moments,
    LiftRow: lifts,
    SampleRatioRow: sample_ratios,
    CountRow: event_counts,
    UserTotalsRow: user_totals,
    DriftRow: drift_events,
}
"""Where each kind of row goes. Columns and fields have the same names."""

PARTITIONED: Final[dict[Table, str]] = {
    numbers: "bucket_end",
    diagnoses: "bucket_end",
    arms: "bucket_end",
    buckets: "bucket_start",
    rollups: "bucket_start",
    alignments: "bucket_start",
    spans: "bucket_start",
    moments: "bucket_end",
    lifts: "bucket_end",
    sample_ratios: "bucket_end",
    event_counts: "bucket_end",
    user_totals: "bucket_start",
}
"""The time that each table is partitioned by."""
