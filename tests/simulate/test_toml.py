from __future__ import annotations

import tomllib
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from lis_online.simulate.toml import to_toml

KEYS = st.from_regex(r"[a-z_]{1,8}", fullmatch=True)
SCALARS = st.booleans() | st.integers(-(2**40), 2**40) | st.text(st.characters(codec="utf-8"))
VALUES = SCALARS | st.lists(SCALARS, max_size=3)
TABLES = st.recursive(
    st.dictionaries(KEYS, VALUES, max_size=3),
    lambda inner: st.dictionaries(KEYS, VALUES | inner | st.lists(inner, min_size=1, max_size=2), max_size=3),
    max_leaves=6,
)


@given(TABLES)
def test_table_is_read_back_as_it_was(table: dict[str, Any]) -> None:
    """What is written is what TOML's own reader reads, nested tables and lists of tables too."""
    assert tomllib.loads(to_toml(table)) == table
