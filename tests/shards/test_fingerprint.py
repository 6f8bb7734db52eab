"""What of an experiment a checkpoint depends on."""

from __future__ import annotations

from typing import Any

import pytest

from lis_online.settings import Settings
from lis_online.shards.fingerprint import fingerprint

METRIC = {"name": "ctr", "kind": "ratio", "numerator": "click", "denominator": "impression"}
PLAN: dict[str, Any] = {
    "name": "e",
    "control": "a",
    "arm": [{"name": name, "share": 0.5} for name in "ab"],
    "metric": [METRIC],
}


def of(history: dict[str, Any] | None = None, **plan: Any) -> dict[str, Any]:
    """Return the fingerprint of settings with one experiment."""
    return fingerprint(Settings.of({"experiment": [{**PLAN, **plan}], "history": history or {}}))


@pytest.mark.parametrize(
    ("change", "name"),
    [
        ({"start": "2026-11-01T00:00:00Z"}, "experiment.e.start"),
        ({"cuped": False}, "experiment.e.cuped"),
        ({"trigger": {"authors": ["ann"]}}, "experiment.e.trigger.authors"),
        ({"metric": [{**METRIC, "cap": 10}]}, "experiment.e.metric"),
        ({"history": {"rollup": "30m"}}, "history.rollup"),
        ({"history": {"user_totals_share": 0.5}}, "history.user_totals_share"),
        ({"history": {"keep_user_totals": "0ms"}}, "history.user_totals_share"),
    ],
)
def test_what_users_totals_depend_on_is_in_it(change: dict[str, Any], name: str) -> None:
    """A checkpoint of another plan is refused, by the name of the setting."""
    before, after = of(), of(**change)
    assert name in {key for key in before if before[key] != after[key]}


@pytest.mark.parametrize(
    "change",
    [
        {"alpha": 0.01, "correction": "none", "tightest_at_users": 10_000},
        {"arm": [{"name": "a", "share": 0.9}, {"name": "b", "share": 0.1}], "control": "b"},
        {"metric": [{**METRIC, "name": "rate", "minimum_effect": 0.5}]},
        {"metric": [{**METRIC, "guardrail": {"direction": "decrease", "margin": 0.1}}]},
        {"history": {"keep_user_totals": "10d", "keep_buckets": "1d"}},
    ],
)
def test_what_they_are_compared_by_is_not(change: dict[str, Any]) -> None:
    """Thresholds, names and shares may change from one start of a worker to the next."""
    assert of(**change) == of()


def test_the_same_plan_in_other_words_is_the_same() -> None:
    """The zone a start is written in, the order of a trigger's names."""
    first = of(start="2026-11-01T00:00:00Z", trigger={"items": ["i", "j"]})
    assert first == of(start="2026-11-01T02:00:00+02:00", trigger={"items": ["j", "i", "i"]})


def test_without_experiments_how_users_are_kept_changes_nothing() -> None:
    """There is no such state."""
    plain = fingerprint(Settings.of({}))
    assert plain == fingerprint(Settings.of({"history": {"rollup": "1h", "user_totals_share": 0}}))
