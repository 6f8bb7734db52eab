"""Series names are API: they change on purpose or not at all."""

from __future__ import annotations

import re
from pathlib import Path

from lis_online.exporter import labels, names
from lis_online.exporter.families import empty
from lis_online.exporter.reference import reference
from lis_online.exporter.series import Series

GOLDEN = Path(__file__).with_name("series.txt")
REFERENCE = Path(__file__).parents[2] / "docs" / "series.md"


def test_the_series_are_those_of_the_golden_text() -> None:
    """A dashboard breaks when one of these lines changes; change the golden text with it, knowingly."""
    lines = [f"{s.kind} {s.name}{{{','.join(s.labels)}}}" for s in names.every()]
    assert "\n".join(lines) + "\n" == GOLDEN.read_text(encoding="utf-8")


def test_every_declared_series_is_in_a_section() -> None:
    """What no section lists would be exported without a word in the reference."""
    declared = {value for value in vars(names).values() if isinstance(value, Series)}
    listed = [series for section in names.SECTIONS.values() for series in section]
    assert declared == set(listed)
    assert len(listed) == len({series.name for series in listed})


def test_names_follow_the_conventions_of_prometheus() -> None:
    """Prefix, base units, _total for counters alone, _info for infos alone (prometheus.io, metric and label naming)."""
    for series in names.every():
        assert re.fullmatch(r"lis(_[a-z]+)+", series.name), series.name
        assert series.name.endswith("_total") == (series.kind == "counter"), series.name
        assert series.name.endswith("_info") == (series.kind == "info"), series.name
        assert series.name.endswith(f"_{series.unit}" if series.unit else ""), series.name
        assert not re.search(r"_(ms|milliseconds|minutes|hours|percent|count|sum|bucket)(_|$)", series.name), (
            series.name
        )
        assert series.help.endswith("."), series.name


def test_every_label_is_known_and_bounded() -> None:
    """No label for a user, an item or a request: they would grow without end."""
    used = {label for series in names.every() for label in series.labels}
    assert used == set(labels.LABELS)
    assert not used & {"user", "user_id", "item", "item_id", "request", "request_id", "le", "quantile"}


def test_a_series_becomes_a_family_of_the_same_name() -> None:
    """prometheus_client adds and strips suffixes; what is declared is what is seen."""
    suffix = {"counter": "_total", "info": "_info"}
    for series in names.every():
        family = empty(series)
        assert family.name + suffix.get(family.type, "") == series.name
        assert family.type == series.kind


def test_the_reference_page_is_current() -> None:
    """Run `python -m lis_online.exporter.reference > docs/series.md` when this fails."""
    assert REFERENCE.read_text(encoding="utf-8") == reference()
