"""Partition the history by time, keep what is known beside a bucket, and add roll-ups, alignments and views.

No row moves: a table that is there becomes the default partition of the new one, whatever its size, and
`lis-online db prune` moves its rows into weeks. Keys and columns stay, so code of 0002 writes on beside code of 0003.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

KEYS = {
    "numbers": ("configuration_id", "kind", "subject", "window_ms", "slice", "number", "bucket_end"),
    "diagnoses": ("configuration_id", "variant", "window_ms", "slice", "bucket_end"),
    "arms": ("configuration_id", "experiment", "arm", "bucket_end"),
    "buckets": ("configuration_id", '"group"', "bucket_start"),
}
"""The tables that are there, and their primary keys: the time that they are partitioned by comes last."""

STATE = "versions and rankers as of the bucket; null: not recorded"

VIEWS = {
    "lis_configurations": "SELECT id AS configuration, fingerprint, settings, created_at FROM configurations",
    "lis_numbers": """
        SELECT configuration_id AS configuration, bucket_end AS time, window_ms, slice, kind, subject, number, version,
               value, stderr, lower, upper, reason, samples, samples_to_resolve, learning_noise
        FROM numbers""",
    "lis_diagnoses": """
        SELECT configuration_id AS configuration, bucket_end AS time, window_ms, slice, variant, version, diagnosis,
               sentence
        FROM diagnoses""",
    "lis_arms": """
        SELECT configuration_id AS configuration, bucket_end AS time, experiment, arm, users, impressions, clicks, ctr,
               ctr_stderr, ctr_lower, ctr_upper, crossed
        FROM arms""",
    "lis_buckets": """
        SELECT configuration_id AS configuration, "group", bucket_start, bucket_end, samples,
               octet_length(data) AS bytes, false AS rolled_up
        FROM buckets
        UNION ALL
        SELECT configuration_id, "group", bucket_start, bucket_end, samples, octet_length(data), true FROM rollups""",
}
"""What analysts read: their names and columns stay when the tables change."""


def upgrade() -> None:
    op.add_column("buckets", sa.Column("state", sa.LargeBinary(), nullable=True, comment=STATE))
    for table, key in KEYS.items():
        _partition(table, key)
    _create("rollups", sa.Column("samples", sa.BigInteger(), nullable=False), rolled_up=True)
    _create("alignments")
    for name, query in VIEWS.items():
        op.execute(f"CREATE VIEW {name} AS {query}")


def downgrade() -> None:
    """What code of 0002 knows stays, roll-ups as longer buckets; alignments go."""
    for name in VIEWS:
        op.execute(f"DROP VIEW {name}")
    op.execute(
        'INSERT INTO buckets (configuration_id, "group", bucket_start, bucket_end, samples, data, revision, state) '
        'SELECT configuration_id, "group", bucket_start, bucket_end, samples, data, revision, state FROM rollups'
    )
    op.drop_table("alignments")
    op.drop_table("rollups")
    for table in KEYS:
        _gather(table)
    op.drop_column("buckets", "state")


def _partition(table: str, key: tuple[str, ...]) -> None:
    default = f"{table}_default"
    op.rename_table(table, default)
    op.execute(f"ALTER TABLE {default} RENAME CONSTRAINT pk_{table} TO pk_{default}")
    op.execute(
        f"CREATE TABLE {table} (LIKE {default} INCLUDING DEFAULTS INCLUDING CONSTRAINTS INCLUDING COMMENTS "
        f"INCLUDING STORAGE) PARTITION BY RANGE ({key[-1]})"
    )
    op.execute(f"ALTER TABLE {table} ADD CONSTRAINT pk_{table} PRIMARY KEY ({', '.join(key)})")
    op.execute(
        f"ALTER TABLE {table} ADD CONSTRAINT fk_{table}_configuration_id_configurations "
        "FOREIGN KEY (configuration_id) REFERENCES configurations (id) ON DELETE CASCADE"
    )
    op.execute(f"ALTER TABLE {table} ATTACH PARTITION {default} DEFAULT")


def _gather(table: str) -> None:
    """Move every partition's rows into the default one, which becomes the table."""
    default = f"{table}_default"
    op.execute(f"ALTER TABLE {table} DETACH PARTITION {default}")
    op.execute(f"INSERT INTO {default} SELECT {_columns(default)} FROM {table}")
    op.drop_table(table)
    op.rename_table(default, table)
    op.execute(f"ALTER TABLE {table} RENAME CONSTRAINT pk_{default} TO pk_{table}")


def _columns(table: str) -> str:
    """Return the columns in the order of that table: a partition's may be another."""
    names = [column["name"] for column in sa.inspect(op.get_bind()).get_columns(table)]
    return ", ".join(f'"{name}"' for name in names)


def _create(name: str, *columns: sa.Column[int], rolled_up: bool = False) -> None:
    """Create a table of what belongs to a stretch of time, with its default partition."""
    more: list[sa.Column[object]] = []
    if rolled_up:
        members = postgresql.ARRAY(sa.DateTime(timezone=True))
        more.append(sa.Column("state", sa.LargeBinary(), nullable=True, comment=STATE))
        more.append(sa.Column("members", members, nullable=False, comment="starts of the buckets that were merged in"))
    op.create_table(
        name,
        sa.Column("configuration_id", sa.Integer(), nullable=False),
        sa.Column("group", sa.Integer(), nullable=False),
        sa.Column("bucket_start", sa.DateTime(timezone=True), nullable=False),
        sa.Column("bucket_end", sa.DateTime(timezone=True), nullable=False),
        *columns,
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        *more,
        sa.CheckConstraint("bucket_end > bucket_start", name=op.f(f"ck_{name}_not_empty")),
        sa.ForeignKeyConstraint(
            ["configuration_id"],
            ["configurations.id"],
            name=op.f(f"fk_{name}_configuration_id_configurations"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("configuration_id", "group", "bucket_start", name=op.f(f"pk_{name}")),
        postgresql_partition_by="RANGE (bucket_start)",
    )
    op.execute(f"CREATE TABLE {name}_default PARTITION OF {name} DEFAULT")
