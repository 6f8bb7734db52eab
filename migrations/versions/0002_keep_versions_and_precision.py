"""Keep versions of variants, and how many samples a difference needs.

Columns alone, with defaults or empty, so each table is locked for an instant whatever its size, and code of
0001 writes on beside code of 0002. The keys stay: `ON CONFLICT` of 0001 names their columns.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

WINDOW_BEFORE = "0: the whole run after warm-up"
WINDOW = "0: the whole run after warm-up; -1: the overlap of a variant's versions"


def upgrade() -> None:
    for table in ("numbers", "diagnoses"):
        version = sa.Column("version", sa.Text(), server_default="", nullable=False, comment="of a variant's vectors")
        op.add_column(table, version)
        op.alter_column(table, "window_ms", existing_type=sa.BigInteger(), existing_nullable=False, comment=WINDOW)
    op.add_column(
        "numbers",
        sa.Column(
            "samples_to_resolve",
            sa.Double(),
            nullable=True,
            comment="a difference's: of how many samples two stderr would be 0.0005",
        ),
    )
    op.add_column(
        "numbers",
        sa.Column(
            "learning_noise",
            sa.Boolean(),
            nullable=True,
            comment="the interval was widened for it; null: not recorded",
        ),
    )
    op.alter_column(
        "numbers",
        "subject",
        existing_type=sa.Text(),
        existing_nullable=False,
        comment="of a variant's older version: NAME@VERSION",
    )
    op.alter_column(
        "diagnoses",
        "variant",
        existing_type=sa.Text(),
        existing_nullable=False,
        comment="of an older version: NAME@VERSION",
    )


def downgrade() -> None:
    """Older versions' rows and those of the overlap go: code of 0001 does not know what they are."""
    op.execute("DELETE FROM numbers WHERE window_ms = -1 OR (kind = 'variant' AND subject LIKE '%@%')")
    op.execute("DELETE FROM diagnoses WHERE window_ms = -1 OR variant LIKE '%@%'")
    op.alter_column("diagnoses", "variant", existing_type=sa.Text(), existing_nullable=False, comment=None)
    op.alter_column("numbers", "subject", existing_type=sa.Text(), existing_nullable=False, comment=None)
    op.drop_column("numbers", "learning_noise")
    op.drop_column("numbers", "samples_to_resolve")
    for table in ("diagnoses", "numbers"):
        op.alter_column(
            table, "window_ms", existing_type=sa.BigInteger(), existing_nullable=False, comment=WINDOW_BEFORE
        )
        op.drop_column(table, "version")
