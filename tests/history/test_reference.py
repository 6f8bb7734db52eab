"""docs/tables.md is what the tables are."""

from __future__ import annotations

from lis_online.history.reference import MEANINGS, reference
from lis_online.history.tables import metadata
from tests.documents import ROOT


def test_the_page_is_that_of_the_tables() -> None:
    """Make it anew with `make reference`."""
    assert (ROOT / "docs" / "tables.md").read_text(encoding="utf-8") == reference()


def test_every_table_has_a_meaning_and_none_that_is_gone_has_one() -> None:
    """A table without a word of what a row is cannot be read."""
    assert set(MEANINGS) == set(metadata.tables)
