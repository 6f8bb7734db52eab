"""Durations: text in, whole milliseconds, the same text out."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lis_online.settings.durations import LONGEST, UNITS, format_duration, parse_duration


@given(st.integers(0, LONGEST))
def test_every_number_of_milliseconds_round_trips(milliseconds: int) -> None:
    """What is written is read as the same length."""
    assert parse_duration(format_duration(milliseconds)) == milliseconds


@given(st.integers(0, 36_500), st.sampled_from(sorted(UNITS)), st.sampled_from(["", " "]))
def test_the_shortest_form_is_no_longer_than_what_was_read(count: int, unit: str, space: str) -> None:
    """A unit is a factor; the form that is printed is the one with the largest unit that divides."""
    text = f"{count}{unit}"
    milliseconds = parse_duration(f" {count}{space}{unit} ")
    assert milliseconds == count * UNITS[unit]
    assert count == 0 or len(format_duration(milliseconds)) <= len(text)


@pytest.mark.parametrize(
    "value", ["", "10", "m", "-1s", "1.5h", "1h30m", "10 minutes", "1w", "1\u0664", 600, 1.5, None, True]
)
def test_what_is_no_duration_is_refused_with_its_value(value: object) -> None:
    """No bare number: nobody remembers whether it was seconds."""
    with pytest.raises(ValueError, match="must be a whole number and a unit") as caught:
        parse_duration(value)
    assert str(caught.value).endswith(f"got {value!r}")


@pytest.mark.parametrize("value", ["36501d", "99999999999999999s"])
def test_more_than_a_hundred_years_is_refused(value: str) -> None:
    """Times plus durations must stay what a database and 64 bits hold."""
    with pytest.raises(ValueError, match=f"must be at most 36500d, got '{value}'"):
        parse_duration(value)


def test_a_value_of_thousands_of_characters_is_not_repeated() -> None:
    """The sentence stays one line of a terminal."""
    with pytest.raises(ValueError, match="must be a whole number") as caught:
        parse_duration("9" * 5000 + "d")
    assert len(str(caught.value)) < 200
