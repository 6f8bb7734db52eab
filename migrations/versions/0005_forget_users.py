"""Remember which users were forgotten, until nothing that was on its way can bring them back.

A new table: no row moves, and code of 0004 writes on beside code of 0005.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "forgotten_users",
        sa.Column("name", sa.BigInteger(), nullable=False, comment="of a user in user_totals, as a signed number"),
        sa.Column("before", sa.DateTime(timezone=True), nullable=False, comment="not in buckets that began before"),
        sa.Column("until", sa.DateTime(timezone=True), nullable=False, comment="when the row itself may go"),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_forgotten_users")),
    )


def downgrade() -> None:
    op.drop_table("forgotten_users")
