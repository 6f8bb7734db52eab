"""Keep experiments' moments, lifts and users' totals, counts, spans of buckets, drift events and annotations.

New tables and a column that may be empty: no row moves, and code of 0003 writes on beside code of 0004.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

LIFT_NUMBERS = (
    "level", "control_level", "value", "stderr", "lower", "upper", "fixed_lower", "fixed_upper", "absolute",
    "absolute_lower", "absolute_upper", "p_value", "p_adjusted",
)  # fmt: skip
DRIFT_NUMBERS = ("before", "before_lower", "before_upper", "after", "after_lower", "after_upper")
CONFIGURATIONS = "SELECT id AS configuration, fingerprint, settings, created_at{0} FROM configurations"

VIEWS = {
    "lis_lifts": """
        SELECT configuration_id AS configuration, bucket_end AS time, experiment, arm, metric, level, control_level,
               value, stderr, lower, upper, fixed_lower, fixed_upper, absolute, absolute_lower, absolute_upper,
               p_value, p_adjusted, guardrail, users_needed, reason
        FROM lifts""",
    "lis_sample_ratios": """
        SELECT configuration_id AS configuration, bucket_end AS time, experiment, p_value, mismatch, users, reason
        FROM sample_ratios""",
    "lis_event_counts": """
        SELECT configuration_id AS configuration, bucket_end AS time, fate, records FROM event_counts""",
    "lis_drift_events": """
        SELECT configuration_id AS configuration, "time", kind, variant, number, slice, window_ms, detected_at, until,
               before, before_lower, before_upper, after, after_lower, after_upper, cause, sentence, detector
        FROM drift_events""",
    "lis_annotations": """SELECT id AS annotation, "time", end_time, text, tags, created_at FROM annotations""",
}
"""What analysts read: their names and columns stay when the tables change."""

TABLES = ("moments", "lifts", "sample_ratios", "event_counts", "user_totals", "spans", "drift_events")


def upgrade() -> None:
    note = sa.Column("note", sa.Text(), nullable=True, comment="null: live; else what a backfill was made from")
    op.add_column("configurations", note)
    _create_of_experiments()
    _create_of_stretches()
    _create_events()
    op.execute(f"CREATE OR REPLACE VIEW lis_configurations AS {CONFIGURATIONS.format(', note')}")
    for name, query in VIEWS.items():
        op.execute(f"CREATE VIEW {name} AS {query}")


def downgrade() -> None:
    """What code of 0003 knows stays; the new tables go. Readers' roles need a `db grant-reader` again."""
    for name in (*VIEWS, "lis_configurations"):
        op.execute(f"DROP VIEW {name}")
    for name in (*TABLES, "annotations"):
        op.drop_table(name)
    op.drop_column("configurations", "note")
    op.execute(f"CREATE VIEW lis_configurations AS {CONFIGURATIONS.format('')}")


def _create_of_experiments() -> None:
    """Create what is cumulative to the end of a bucket."""
    counts = _counts("users", "assigned", "crossed")
    _create("moments", ("experiment", "arm"), "bucket_end", *counts, _data(), *_counts("revision"))
    _create(
        "lifts",
        ("experiment", "arm", "metric"),
        "bucket_end",
        *(sa.Column(name, sa.Double(), nullable=True) for name in LIFT_NUMBERS),
        sa.Column("guardrail", sa.Text(), nullable=True, comment="null: not declared"),
        sa.Column("users_needed", sa.BigInteger(), nullable=True, comment="of both arms, in all"),
        sa.Column("reason", sa.Text(), nullable=True, comment="why there is no value or no interval"),
        *_counts("revision"),
        _check("lifts", "guardrail", "guardrail IN ('breached', 'holds', 'undecided')"),
        _check("lifts", "value_or_reason", "value IS NOT NULL OR reason IS NOT NULL"),
        *_finite("lifts", LIFT_NUMBERS),
    )
    _create(
        "sample_ratios",
        ("experiment",),
        "bucket_end",
        sa.Column("p_value", sa.Double(), nullable=True, comment="sequential"),
        sa.Column("mismatch", sa.Boolean(), nullable=False),
        *_counts("users"),
        sa.Column("reason", sa.Text(), nullable=True, comment="why there is no p-value"),
        *_counts("revision"),
        _check("sample_ratios", "value_or_reason", "p_value IS NOT NULL OR reason IS NOT NULL"),
        *_finite("sample_ratios", ("p_value",)),
    )
    _create("event_counts", ("fate",), "bucket_end", *_counts("records", "revision"))


def _create_of_stretches() -> None:
    """Create what belongs to a stretch of time."""
    _create(
        "user_totals",
        ("experiment",),
        "bucket_start",
        *(sa.Column(name, sa.Integer(), nullable=False) for name in ("shard", "part")),
        sa.Column("bucket_end", sa.DateTime(timezone=True), nullable=False),
        *_counts("users"),
        _data("what users did, by hash"),
        *_counts("revision"),
        _check("user_totals", "not_empty", "bucket_end > bucket_start"),
        after=("shard", "part"),
    )
    _create(
        "spans",
        (),
        "bucket_start",
        sa.Column("group", sa.Integer(), nullable=False),
        sa.Column("level", sa.Integer(), nullable=False, comment="its length in buckets"),
        sa.Column("bucket_end", sa.DateTime(timezone=True), nullable=False),
        *_counts("samples"),
        _data(),
        sa.Column("members", sa.LargeBinary(), nullable=False, comment="digest of the buckets that were summed"),
        *_counts("revision"),
        _check("spans", "not_empty", "bucket_end > bucket_start"),
        before=("group", "level"),
    )


def _create_events() -> None:
    """Create what is rare, and not partitioned."""
    keys = ("kind", "variant", "number", "slice")
    comments = {"variant": "or source, as kind says"}
    op.create_table(
        "drift_events",
        sa.Column("configuration_id", sa.Integer(), nullable=False),
        *(sa.Column(name, sa.Text(), nullable=False, comment=comments.get(name)) for name in keys),
        sa.Column("window_ms", sa.BigInteger(), nullable=False),
        *(sa.Column(name, sa.DateTime(timezone=True), nullable=False) for name in ("time", "detected_at")),
        sa.Column("until", sa.DateTime(timezone=True), nullable=True, comment="null: not over yet"),
        *(sa.Column(name, sa.Double(), nullable=True) for name in DRIFT_NUMBERS),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("cause", "sentence", "detector")),
        *_counts("revision"),
        _check("drift_events", "kind", "kind IN ('unleaked', 'source', 'variant', 'input')"),
        *_finite("drift_events", DRIFT_NUMBERS),
        _foreign_key("drift_events"),
        sa.PrimaryKeyConstraint("configuration_id", *keys, "window_ms", "time", name=op.f("pk_drift_events")),
    )
    op.create_table(
        "annotations",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("time", sa.DateTime(timezone=True), nullable=False),
        sa.Column("end_time", sa.DateTime(timezone=True), nullable=True, comment="null: an instant"),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("tags", postgresql.ARRAY(sa.Text()), server_default="{}", nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        _check("annotations", "not_empty", "end_time > time"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_annotations")),
    )
    op.create_index(op.f("ix_annotations_time"), "annotations", ["time"])


def _create(
    name: str,
    keys: tuple[str, ...],
    time: str,
    *rest: sa.schema.SchemaItem,
    before: tuple[str, ...] = (),
    after: tuple[str, ...] = (),
) -> None:
    """Create a table that is partitioned by a time, with its default partition.

    keys: texts in the key; before, after: columns of `rest` that stand before and after the time in it.
    """
    op.create_table(
        name,
        sa.Column("configuration_id", sa.Integer(), nullable=False),
        *(sa.Column(key, sa.Text(), nullable=False) for key in keys),
        sa.Column(time, sa.DateTime(timezone=True), nullable=False),
        *rest,
        _foreign_key(name),
        sa.PrimaryKeyConstraint("configuration_id", *keys, *before, time, *after, name=op.f(f"pk_{name}")),
        postgresql_partition_by=f"RANGE ({time})",
    )
    op.execute(f"CREATE TABLE {name}_default PARTITION OF {name} DEFAULT")


def _counts(*names: str) -> list[sa.Column[int]]:
    return [sa.Column(name, sa.BigInteger(), nullable=False) for name in names]


def _data(comment: str | None = None) -> sa.Column[bytes]:
    return sa.Column("data", sa.LargeBinary(), nullable=False, comment=comment)


def _check(table: str, name: str, rule: str) -> sa.CheckConstraint:
    return sa.CheckConstraint(rule, name=op.f(f"ck_{table}_{name}"))


def _finite(table: str, names: tuple[str, ...]) -> list[sa.CheckConstraint]:
    return [_check(table, f"{name}_finite", f"{name} BETWEEN '-1e308' AND '1e308'") for name in names]


def _foreign_key(table: str) -> sa.ForeignKeyConstraint:
    name = op.f(f"fk_{table}_configuration_id_configurations")
    return sa.ForeignKeyConstraint(["configuration_id"], ["configurations.id"], name=name, ondelete="CASCADE")
