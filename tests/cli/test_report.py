"""The summary as a person reads it: tables, and what stands in them."""

from __future__ import annotations

import io
from copy import deepcopy
from typing import Any

import pytest
from rich.console import Console

from lis_online.cli.report import report, still_needed

NUMBER = {"value": 0.004, "stderr": 0.001, "lower": 0.002, "upper": 0.006, "samples_to_resolve": 1_300_000}
SHARE = {"value": 0.62, "stderr": 0.01, "lower": 0.6, "upper": 0.64, "pairs": 900, "left_out": 0}
NONE = {"value": None, "reason": "no samples"}
MEASURED = {
    "ais": NUMBER, "adjusted_ais": NUMBER, "efficiency": NONE, "coverage": 0.9, "pair_alignment": SHARE,
    "diagnosis": "aligned", "sentence": "Keep it.",
}  # fmt: skip
SOURCE = ("lis", "past", "future", "placebo", "adjusted_lis", "bound")
SUMMARY: dict[str, Any] = {
    "samples": 100_000, "slates": 10_000, "from": "2025-11-01T00:51:00+00:00", "to": "2025-11-01T01:16:00+00:00",
    "events": {"accepted": 9, "late": 0, "duplicate": 0, "dead_letters": 0}, "set_aside": {},
    "unleaked": {"auc": NUMBER, "gauc": NONE}, "twin": NUMBER, "effective_users": 900.0,
    "sources": {"coclick": {**dict.fromkeys(SOURCE, NUMBER), "coverage": 0.4}},
    "variants": {"title": {"source": "coclick", "version": "2", **MEASURED}}, "arms": {}, "experiments": {},
}  # fmt: skip


def shown(summary: dict[str, Any], width: int = 200) -> str:
    """Return what is printed."""
    out = io.StringIO()
    Console(file=out, width=width).print(report(summary))
    return out.getvalue()


def lines_with(text: str, word: str) -> list[str]:
    """Return the lines that a word is in, blanks as one."""
    return [" ".join(line.split()) for line in text.splitlines() if word in line]


def test_each_headline_says_how_many_samples_are_still_needed() -> None:
    """1.3 million resolve 0.0005, a tenth of a million is there."""
    text = shown(SUMMARY)
    assert len(lines_with(text, " still ")) == 2, "of adjusted AIS and of adjusted LIS"
    assert text.count("1.2M") == 2


@pytest.mark.parametrize(("needed", "samples", "text"), [(1_000, 5_000, "0"), (None, 5, "-"), (64_000, 14_000, "50k")])
def test_what_is_still_needed_is_never_below_0_and_unknown_is_a_dash(needed: Any, samples: int, text: str) -> None:
    """A number that resolves 0.0005 already needs nothing more; one that is not there says so by a dash."""
    number = {**NUMBER, "samples_to_resolve": needed}
    assert still_needed(number, samples).plain == text


def test_pair_alignment_is_judged_against_chance() -> None:
    """62 % of pairs is well above a half; 45 % is below it, though above 0."""
    bad = deepcopy(SUMMARY)
    bad["variants"]["title"]["pair_alignment"] = {**SHARE, "value": 0.45, "lower": 0.44, "upper": 0.46}
    for summary, colour in ((SUMMARY, "32"), (bad, "31")):
        out = io.StringIO()
        Console(file=out, width=200, force_terminal=True, color_system="standard").print(report(summary))
        share = "62%" if summary is SUMMARY else "45%"
        assert f"\x1b[{colour}m{share}" in out.getvalue()


def test_versions_have_a_table_where_there_are_several() -> None:
    """Both over the same time; a version's name is the producer's text, never markup."""
    assert "Versions" not in shown(SUMMARY)
    summary = deepcopy(SUMMARY)
    one = {"since": "2025-11-01T00:51:00+00:00", "newest": False, "samples": 900_000, **MEASURED}
    two = {**one, "since": None, "newest": True}
    summary["variants"]["title"]["versions"] = {"1": one, "[/red]": two}
    text = shown(summary)
    [line] = lines_with(text, "2025-11-01 00:51")
    assert line.startswith("title 1 2025-11-01 00:51 +0.0040 400k")
    assert lines_with(text, "[/red]")


def test_rankers_that_are_set_aside_are_named_with_the_reason() -> None:
    """Their numbers are dashes below, and the reader must know why."""
    assert "set aside" not in shown(SUMMARY)
    assert "rankers set aside: aligned:title (stalled)" in shown({**SUMMARY, "set_aside": {"aligned:title": "stalled"}})
