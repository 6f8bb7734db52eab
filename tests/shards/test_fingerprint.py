"""What of an experiment a checkpoint depends on."""

from __future__ import annotations

from typing import Any

import pytest

from lis_online.checkpoints.setting_changes import SettingChanges
from lis_online.settings import Settings
from lis_online.shards.fingerprint import ROLES, fingerprint

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


BASE: dict[str, Any] = {
    "preference": [{"name": "s"}, {"name": "s.t", "kind": "topic"}],
    "variant": [{"name": "v", "preference": "s", "dimension": 4}, {"name": "v.w", "preference": "s", "dimension": 4}],
    "experiment": [PLAN],
}


def changes(role: str, before: dict[str, Any], after: dict[str, Any]) -> SettingChanges:
    """Return what has changed for a role between two settings' tables."""
    return SettingChanges.of(*(fingerprint(Settings.of({**BASE, **one}), role) for one in (before, after)))


def test_every_key_is_of_a_role() -> None:
    """What no role depends on is not in a checkpoint; what is in one is of some role."""
    whole = fingerprint(Settings.of({**BASE, "privacy": {"user_key": "long enough a key"}}))
    of_roles = [fingerprint(Settings.of({**BASE, "privacy": {"user_key": "long enough a key"}}), one) for one in ROLES]
    assert {name for one in of_roles for name in one} == set(whole)
    assert all(value == whole[name] for one in of_roles for name, value in one.items())


@pytest.mark.parametrize(
    ("after", "roles"),
    [
        ({"leakage": {"folds": 4}}, {"rank"}),
        ({"leakage": {"horizon": "15m"}}, {"rank", "publish"}),
        ({"training": {"embedding": 16}}, {"rank"}),
        ({"metrics": {"bucket": "2m", "windows": ["1h"]}}, set(ROLES)),
        ({"kafka": {"partitions": 8}}, set(ROLES)),
        ({"events": {"attribution_window": "5m"}}, {"join", "rank"}),
        ({"events": {"allowed_lateness": "5m"}}, {"join"}),
        ({"events": {"surfaces": ["ads", "feed"]}}, {"join", "rank"}),
        ({"privacy": {"user_key": "long enough a key"}}, {"join", "rank"}),
        ({"preference": [{"name": "s", "gap": "1h"}, BASE["preference"][1]]}, {"join", "rank"}),
        ({"preference": [{"name": "s", "users": "independent"}, BASE["preference"][1]]}, {"rank"}),
        ({"variant": [{**BASE["variant"][0], "dimension": 8}, BASE["variant"][1]]}, {"join", "rank"}),
        ({"variant": [{**BASE["variant"][0], "preference": "s.t"}, BASE["variant"][1]]}, {"rank", "publish"}),
        ({"variant": [{**BASE["variant"][0], "versions": 3}, BASE["variant"][1]]}, {"rank"}),
        ({"experiment": [{**PLAN, "trigger": {"authors": ["ann"]}}]}, {"join"}),
        ({"metrics": {"windows": ["2h"], "min_efficiency": 0.7}, "drift": {"enabled": False}}, set()),
        ({"training": {"device": "cpu", "threads": 2}}, set()),
    ],
)
def test_what_loses_a_roles_state(after: dict[str, Any], roles: set[str]) -> None:
    """A key is refused by the roles whose state depends on it, and by no other; those that only read it go on."""
    found = {role: changes(role, {}, after) for role in ROLES}
    assert {role for role, one in found.items() if one.lost} == roles
    assert not any(found[role].any for role in set(ROLES) - roles)


@pytest.mark.parametrize(
    ("after", "added", "removed"),
    [
        ({"variant": [{"name": "n", "preference": "s", "dimension": 4}, *BASE["variant"]]}, ["variant 'n'"], []),
        ({"variant": BASE["variant"][1:]}, [], ["variant 'v'"]),
        ({"variant": BASE["variant"][:1]}, [], ["variant 'v.w'"]),
        ({"preference": BASE["preference"][:1]}, [], ["preference source 's.t'"]),
        ({"experiment": []}, [], ["arm 'e/a'", "arm 'e/b'"]),
        ({"experiment": [PLAN, {**PLAN, "name": "e.f"}]}, ["arm 'e.f/a'", "arm 'e.f/b'"], []),
    ],
)
def test_parts_come_and_go(after: dict[str, Any], added: list[str], removed: list[str]) -> None:
    """Nothing of the others is lost, one whose name begins with theirs included."""
    for role in ROLES:
        found = changes(role, {}, after)
        assert (list(found.added), list(found.removed), found.lost) == (added, removed, ())


@pytest.mark.parametrize(
    ("after", "roles"),
    [
        ({"events": {"user_sample": 0.5, "max_ahead": "1m", "user_idle_limit": "1d"}}, {"join"}),
        ({"events": {"history_length": 10}}, {"join", "rank"}),
        ({"metrics": {"max_user_samples": 5}}, {"rank"}),
        ({"variant": BASE["variant"][::-1]}, set(ROLES)),
        ({"experiment": [{**PLAN, "metric": [{**METRIC, "cap": 10}]}]}, {"join"}),
    ],
)
def test_what_changes_at_a_clean_stop(after: dict[str, Any], roles: set[str]) -> None:
    """It changes what comes out, not what the state means."""
    found = {role: changes(role, {}, after) for role in ROLES}
    assert {role for role, one in found.items() if one.others} == roles
    assert not any(one.lost or one.added or one.removed for one in found.values())
