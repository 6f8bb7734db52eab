"""Parts that the history's tables share: names of constraints, and columns of one kind."""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import BigInteger, CheckConstraint, Column, DateTime, Double, ForeignKey, LargeBinary, MetaData, Text

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


def configuration() -> Column[int]:
    """Return what every row belongs to."""
    return Column(CONFIGURATION, ForeignKey("configurations.id", ondelete="CASCADE"), primary_key=True)


def time(name: str, *, key: bool = False) -> Column[object]:
    """Return an aware time."""
    return Column(name, DateTime(timezone=True), primary_key=key, nullable=False)


def text(name: str, *, key: bool = False) -> Column[str]:
    """Return a text that is never null."""
    return Column(name, Text, primary_key=key, nullable=False)


def count(name: str) -> Column[int]:
    """Return a whole number that is never null."""
    return Column(name, BigInteger, nullable=False)


def version() -> Column[str]:
    """Return a version. The default is for code that writes rows without it: a deploy runs both versions at once."""
    return Column("version", Text, nullable=False, server_default="", comment="of a variant's vectors")


def state() -> Column[bytes]:
    """Return what is known beside statistics, as `bucket_state.encode`."""
    return Column("state", LargeBinary, comment="versions and rankers as of the bucket; null: not recorded")


def partitioned_by(column: str) -> dict[str, Any]:
    """Return the arguments of a table that is partitioned by a time."""
    return {"postgresql_partition_by": f"RANGE ({column})"}


def numbers(*names: str) -> list[Column[float]]:
    """Return numbers that may be null: no data."""
    return [Column(name, Double) for name in names]


def finite(*names: str) -> list[CheckConstraint]:
    """Return the rule that some numbers are finite where they are not null."""
    return [CheckConstraint(FINITE.format(name), name=f"{name}_finite") for name in names]
