"""Create the history: configurations, numbers, diagnoses, arms and buckets."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "configurations",
        sa.Column("id", sa.Integer(), sa.Identity(always=True), nullable=False),
        sa.Column("fingerprint", sa.Text(), nullable=False),
        sa.Column(
            "settings",
            postgresql.JSONB(),
            nullable=False,
            comment="the sections that decide numbers; durations in ms; no secret",
        ),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_configurations")),
        sa.UniqueConstraint("fingerprint", name=op.f("uq_configurations_fingerprint")),
    )
    op.create_table(
        "arms",
        sa.Column("configuration_id", sa.Integer(), nullable=False),
        sa.Column("experiment", sa.Text(), nullable=False),
        sa.Column("arm", sa.Text(), nullable=False),
        sa.Column("bucket_end", sa.DateTime(timezone=True), nullable=False),
        sa.Column("users", sa.BigInteger(), nullable=False),
        sa.Column("impressions", sa.BigInteger(), nullable=False),
        sa.Column("clicks", sa.BigInteger(), nullable=False),
        sa.Column("ctr", sa.Double(), nullable=True),
        sa.Column("ctr_stderr", sa.Double(), nullable=True),
        sa.Column("ctr_lower", sa.Double(), nullable=True),
        sa.Column("ctr_upper", sa.Double(), nullable=True),
        sa.Column("crossed", sa.BigInteger(), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("ctr BETWEEN '-1e308' AND '1e308'", name=op.f("ck_arms_ctr_finite")),
        sa.CheckConstraint("ctr_lower BETWEEN '-1e308' AND '1e308'", name=op.f("ck_arms_ctr_lower_finite")),
        sa.CheckConstraint("ctr_stderr BETWEEN '-1e308' AND '1e308'", name=op.f("ck_arms_ctr_stderr_finite")),
        sa.CheckConstraint("ctr_upper BETWEEN '-1e308' AND '1e308'", name=op.f("ck_arms_ctr_upper_finite")),
        sa.ForeignKeyConstraint(
            ["configuration_id"],
            ["configurations.id"],
            name=op.f("fk_arms_configuration_id_configurations"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("configuration_id", "experiment", "arm", "bucket_end", name=op.f("pk_arms")),
    )
    op.create_table(
        "buckets",
        sa.Column("configuration_id", sa.Integer(), nullable=False),
        sa.Column("group", sa.Integer(), nullable=False),
        sa.Column("bucket_start", sa.DateTime(timezone=True), nullable=False),
        sa.Column("bucket_end", sa.DateTime(timezone=True), nullable=False),
        sa.Column("samples", sa.BigInteger(), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("bucket_end > bucket_start", name=op.f("ck_buckets_not_empty")),
        sa.ForeignKeyConstraint(
            ["configuration_id"],
            ["configurations.id"],
            name=op.f("fk_buckets_configuration_id_configurations"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("configuration_id", "group", "bucket_start", name=op.f("pk_buckets")),
    )
    op.create_table(
        "diagnoses",
        sa.Column("configuration_id", sa.Integer(), nullable=False),
        sa.Column("variant", sa.Text(), nullable=False),
        sa.Column("window_ms", sa.BigInteger(), nullable=False, comment="0: the whole run after warm-up"),
        sa.Column("slice", sa.Text(), nullable=False),
        sa.Column("bucket_end", sa.DateTime(timezone=True), nullable=False),
        sa.Column("diagnosis", sa.Text(), nullable=False),
        sa.Column("sentence", sa.Text(), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["configuration_id"],
            ["configurations.id"],
            name=op.f("fk_diagnoses_configuration_id_configurations"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint(
            "configuration_id", "variant", "window_ms", "slice", "bucket_end", name=op.f("pk_diagnoses")
        ),
    )
    op.create_table(
        "numbers",
        sa.Column("configuration_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("window_ms", sa.BigInteger(), nullable=False, comment="0: the whole run after warm-up"),
        sa.Column("slice", sa.Text(), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("bucket_end", sa.DateTime(timezone=True), nullable=False),
        sa.Column("value", sa.Double(), nullable=True),
        sa.Column("stderr", sa.Double(), nullable=True),
        sa.Column("lower", sa.Double(), nullable=True),
        sa.Column("upper", sa.Double(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True, comment="why there is no value or no interval"),
        sa.Column("samples", sa.BigInteger(), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("kind IN ('unleaked', 'source', 'variant')", name=op.f("ck_numbers_kind")),
        sa.CheckConstraint("lower BETWEEN '-1e308' AND '1e308'", name=op.f("ck_numbers_lower_finite")),
        sa.CheckConstraint("stderr BETWEEN '-1e308' AND '1e308'", name=op.f("ck_numbers_stderr_finite")),
        sa.CheckConstraint("upper BETWEEN '-1e308' AND '1e308'", name=op.f("ck_numbers_upper_finite")),
        sa.CheckConstraint("value BETWEEN '-1e308' AND '1e308'", name=op.f("ck_numbers_value_finite")),
        sa.CheckConstraint("value IS NOT NULL OR reason IS NOT NULL", name=op.f("ck_numbers_value_or_reason")),
        sa.ForeignKeyConstraint(
            ["configuration_id"],
            ["configurations.id"],
            name=op.f("fk_numbers_configuration_id_configurations"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint(
            "configuration_id", "kind", "subject", "window_ms", "slice", "number", "bucket_end", name=op.f("pk_numbers")
        ),
    )


def downgrade() -> None:
    op.drop_table("numbers")
    op.drop_table("diagnoses")
    op.drop_table("buckets")
    op.drop_table("arms")
    op.drop_table("configurations")
