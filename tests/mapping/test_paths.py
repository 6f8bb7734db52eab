"""Paths: their small language, and what they find."""

from __future__ import annotations

import pytest

from lis_online.mapping.paths import EACH, breaks_at, find, format_path, parse_path


@pytest.mark.parametrize(
    ("text", "steps"),
    [
        ("$.a", ("a",)),
        ("$.a.b-c.d_e", ("a", "b-c", "d_e")),
        ("$[0].a[-2]", (0, "a", -2)),
        ("$.a[*].b[1]", ("a", EACH, "b", 1)),
        ('$["a.b"]', ("a.b",)),
        ("$['a\"b'].c", ('a"b', "c")),
        ('$["*"]', ("*",)),
        ("$.用户.id", ("用户", "id")),
    ],
)
def test_path_is_its_steps_and_back(text: str, steps: tuple[object, ...]) -> None:
    """What is written in the settings is what is shown of them."""
    assert parse_path(text) == steps
    assert parse_path(format_path(steps)) == steps


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("a.b", r"begins with \$"),
        ("", r"begins with \$"),
        ("$", "lead somewhere"),
        ("$.", "must go on with"),
        ("$..a", "must go on with"),
        ("$.a b", r"after '\$.a'"),
        ("$.a[x]", r"after '\$.a', got '\[x\]'"),
        ("$.a[1:2]", "must go on with"),
        ("$.a[*].b[*]", "at most once"),
        ("$.a[99999999999]", "must go on with"),
    ],
)
def test_other_text_is_refused_with_the_place(text: str, rule: str) -> None:
    """A path that means something in JSONPath and nothing here must not be taken for another one."""
    with pytest.raises(ValueError, match=rule):
        parse_path(text)


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("$.a.b", 5),
        ("$.a.c", None),
        ("$.a.b.c", None),
        ("$.l[0].x", 1),
        ("$.l[-1].x", None),
        ("$.l[2]", None),
        ("$.l[-3]", None),
        ("$.l.x", None),
        ("$.l[*].x", [1, None]),
        ("$.a[*]", None),
        ("$[0]", None),
        ("$.none.x", None),
    ],
)
def test_what_is_not_there_is_none(path: str, found: object) -> None:
    """Missing keys, short lists, nulls and values of another kind are all nothing at the path."""
    assert find({"a": {"b": 5}, "l": [{"x": 1}, {}], "none": None}, parse_path(path)) == found


def test_break_is_where_the_path_first_leads_nowhere() -> None:
    """Whoever misspelt a path sees which part of it."""
    document = {"a": {"b": {}}}
    assert breaks_at(document, ("a", "x", "y")) == ("a", "x")
    assert breaks_at(document, ("a", "b", "y")) == ("a", "b", "y")
