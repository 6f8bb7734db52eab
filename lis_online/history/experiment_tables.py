"""The history's tables of experiments and of the input. What is in `tables.py` holds for them too."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, CheckConstraint, Column, DateTime, Double, Integer, LargeBinary, Table, Text

from lis_online.history import column
from lis_online.history.column import metadata

LIFT_NUMBERS = (
    "level", "control_level", "value", "stderr", "lower", "upper", "fixed_lower", "fixed_upper", "absolute",
    "absolute_lower", "absolute_upper", "p_value", "p_adjusted",
)  # fmt: skip

moments = Table(
    "moments",
    metadata,
    column.configuration(),
    column.text("experiment", key=True),
    column.text("arm", key=True),
    column.time("bucket_end", key=True),
    column.count("users"),
    column.count("assigned"),
    column.count("crossed"),
    Column("data", LargeBinary, nullable=False),
    column.count("revision"),
    **column.partitioned_by("bucket_end"),
)

lifts = Table(
    "lifts",
    metadata,
    column.configuration(),
    column.text("experiment", key=True),
    column.text("arm", key=True),
    column.text("metric", key=True),
    column.time("bucket_end", key=True),
    *column.numbers(*LIFT_NUMBERS),
    Column("guardrail", Text, comment="null: not declared"),
    Column("users_needed", BigInteger, comment="of both arms, in all"),
    Column("reason", Text, comment="why there is no value or no interval"),
    column.count("revision"),
    CheckConstraint("guardrail IN ('breached', 'holds', 'undecided')", name="guardrail"),
    CheckConstraint("value IS NOT NULL OR reason IS NOT NULL", name="value_or_reason"),
    *column.finite(*LIFT_NUMBERS),
    **column.partitioned_by("bucket_end"),
)

sample_ratios = Table(
    "sample_ratios",
    metadata,
    column.configuration(),
    column.text("experiment", key=True),
    column.time("bucket_end", key=True),
    Column("p_value", Double, comment="sequential"),
    Column("mismatch", Boolean, nullable=False),
    column.count("users"),
    Column("reason", Text, comment="why there is no p-value"),
    column.count("revision"),
    CheckConstraint("p_value IS NOT NULL OR reason IS NOT NULL", name="value_or_reason"),
    *column.finite("p_value"),
    **column.partitioned_by("bucket_end"),
)

event_counts = Table(
    "event_counts",
    metadata,
    column.configuration(),
    column.text("fate", key=True),
    column.time("bucket_end", key=True),
    column.count("records"),
    column.count("revision"),
    **column.partitioned_by("bucket_end"),
)

user_totals = Table(
    "user_totals",
    metadata,
    column.configuration(),
    column.text("experiment", key=True),
    column.time("bucket_start", key=True),
    Column("shard", Integer, primary_key=True),
    Column("part", Integer, primary_key=True),
    column.time("bucket_end"),
    column.count("users"),
    Column("data", LargeBinary, nullable=False, comment="what users did, by hash"),
    column.count("revision"),
    CheckConstraint("bucket_end > bucket_start", name="not_empty"),
    **column.partitioned_by("bucket_start"),
)
"""Read by stretches of time of an experiment, every shard's parts of one after the other."""

forgotten_users = Table(
    "forgotten_users",
    metadata,
    Column(
        "name",
        BigInteger,
        primary_key=True,
        autoincrement=False,
        comment="of a user in user_totals, as a signed number",
    ),
    Column("before", DateTime(timezone=True), nullable=False, comment="not in buckets that began before"),
    Column("until", DateTime(timezone=True), nullable=False, comment="when the row itself may go"),
)
"""Users who were forgotten, whatever the configuration: a few, for as long as something of theirs may still arrive."""
