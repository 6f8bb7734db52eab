"""Store statistics as they are: they come compressed, and PostgreSQL tried in vain to compress them again.

Of 850 kB that took 20 of 25 ms. No row moves, and code of 0005 writes on beside code of 0006.
"""

from __future__ import annotations

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

COMPRESSED = ("buckets", "rollups", "spans", "user_totals")


def upgrade() -> None:
    for table in COMPRESSED:
        op.execute(f"ALTER TABLE {table} ALTER COLUMN data SET STORAGE EXTERNAL")


def downgrade() -> None:
    for table in COMPRESSED:
        op.execute(f"ALTER TABLE {table} ALTER COLUMN data SET STORAGE EXTENDED")
