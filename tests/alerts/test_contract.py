"""The rules against the series, the settings and the runbooks."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import Any, get_args

import pytest

from grafana import places
from lis_online.drift.reading import ADJUSTED_AIS, ADJUSTED_LIS, COVERAGE, EFFICIENCY, KINDS, PAIR_ALIGNMENT
from lis_online.events.reasons import COUNTED
from lis_online.experiments.guardrail import Holding
from lis_online.exporter import names
from lis_online.exporter.health import PAUSES
from lis_online.history.windows import window_name
from lis_online.metrics.diagnosis import DIAGNOSES
from lis_online.settings import Settings
from streams.keeping import GIVE_UP_AFTER, LONGEST_WAIT
from streams.roles import ROLES
from tests.alerts.rules import RULES, RUNBOOKS, alerts, every_rule, load, name_of
from tests.documents import ROOT

SERIES = {one.name: one for one in names.every()}
SUFFIXES = ("_bucket", "_count", "_sum")
TARGETS = {"job", "instance"}
"""Labels that a scrape adds."""
VERDICTS = ("Alignment", "Input", "Baseline", "Learning", "Experiment", "Pipeline")
RECORDED = {rule["record"] for rule in every_rule() if "record" in rule}


def texts() -> list[str]:
    """Return every expression of the rules, those of the summaries too, and of the runbooks."""
    found = [rule["expr"] for rule in every_rule()]
    for rule in alerts():
        found += re.findall(r"printf `([^`]+)`", " ".join(rule["annotations"].values()))
    for page in RUNBOOKS.glob("*.md"):
        found += re.findall(r"```promql\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)
    return found


def selectors() -> list[tuple[str, list[tuple[str, str]]]]:
    """Return every series that an expression asks for, with the labels it asks by."""
    found = []
    for text in texts():
        for name, inside in re.findall(r"(?<![\w:`])(lis_[a-z0-9_]+)(?![\w:])(?:\{([^}]*)\})?", text):
            found.append((name, re.findall(r"(\w+)\s*(?:=~|!~|!=|=)\s*\"([^\"]*)\"", inside)))
    return found


def test_every_series_of_a_rule_is_exported_with_these_labels() -> None:
    """A rule on a series that is not there never fires, and nobody hears of it."""
    assert len(selectors()) > 80
    for name, labels in selectors():
        base = next((name.removesuffix(end) for end in SUFFIXES if name.removesuffix(end) in SERIES), name)
        assert base in SERIES, name
        assert {label for label, _ in labels} <= {*SERIES[base].labels, *TARGETS}, (name, labels)


def test_every_recorded_series_of_an_expression_is_recorded() -> None:
    """A recording rule that was renamed must be renamed where it is used; one that nobody uses goes."""
    used = {name for text in texts() for name in re.findall(r"\blis:[a-z0-9_:]+", text)}
    assert used == RECORDED


KNOWN = {
    "role": set(ROLES),
    "status": set(get_args(Holding)),
    "diagnosis": set(DIAGNOSES),
    "kind": set(KINDS),
    "number": {ADJUSTED_LIS, ADJUSTED_AIS, EFFICIENCY, PAIR_ALIGNMENT, COVERAGE},
    "fate": set(COUNTED),
    "slice": {"all"},
    "reason": set(PAUSES),
    "window": {window_name(length) for length in Settings.of({}).metrics.windows},
}


@pytest.mark.parametrize("label", KNOWN)
def test_label_values_are_ones_that_exist(label: str) -> None:
    """A value that is misspelt selects nothing."""
    found = {one for _, labels in selectors() for key, value in labels if key == label for one in value.split("|")}
    assert {value for value in found if "%" not in value} <= KNOWN[label]


def test_job_is_the_one_that_is_scraped() -> None:
    """What is absent is asked for by the job's name."""
    (job,) = load(ROOT / "prometheus" / "prometheus.yml")["scrape_configs"]
    jobs = set(re.findall(r'job="([^"%]+)"', " ".join(rule["expr"] for rule in every_rule())))
    assert jobs == {job["job_name"]}


@pytest.mark.parametrize("rule", alerts(), ids=name_of)
def test_alert_says_how_loud_what_and_where_to_read_on(rule: dict[str, Any]) -> None:
    """A severity, a summary that begins with the verdict and has a number in it, a page; held for a stated time."""
    assert rule["labels"]["severity"] in ("page", "ticket", "info")
    summary = rule["annotations"]["summary"]
    assert summary.startswith(VERDICTS)
    assert re.search(r"\{\{[^}]*(printf \"%|humanize)", summary)
    url = rule["annotations"]["runbook_url"]
    assert url == f"{places.RUNBOOKS}/{rule['alert']}.html"
    assert (RUNBOOKS / f"{rule['alert']}.md").exists()
    assert {"for", "keep_firing_for"} <= set(rule)


def test_every_runbook_has_an_alert_and_is_in_the_index() -> None:
    """A page for an alert that is gone misleads; one that the index does not have is not found."""
    pages = {page.stem for page in RUNBOOKS.glob("Lis*.md")}
    assert pages == {rule["alert"] for rule in alerts()}
    index = (RUNBOOKS / "README.md").read_text(encoding="utf-8")
    assert set(re.findall(r"\]\((Lis\w+)\.md\)", index)) == pages


@pytest.mark.parametrize("page", sorted(RUNBOOKS.glob("Lis*.md")), ids=lambda page: page.stem)
def test_runbook_has_the_parts_that_are_looked_for_at_night(page: Any) -> None:
    """The same five headings in the same order, and something to run first."""
    text = page.read_text(encoding="utf-8")
    headings = ["What it means", "Tell it from", "Look first", "What to do", "False alarms"]
    assert re.findall(r"^## (.+)$", text, re.MULTILINE) == headings
    assert text.startswith(f"# {page.stem}\n")
    look = text[text.index("## Look first") : text.index("## What to do")]
    assert re.search(r"```(bash|promql)\n", look)


def test_index_tells_every_severity() -> None:
    """The table is what somebody reads before anything is on fire."""
    index = (RUNBOOKS / "README.md").read_text(encoding="utf-8")
    for name in {rule["alert"] for rule in alerts()}:
        severities = {rule["labels"]["severity"] for rule in alerts() if rule["alert"] == name}
        (row,) = re.findall(rf"^\| \[{name}\].*$", index, re.MULTILINE)
        assert set(re.findall(r"\b(?:page|ticket|info)\b", row.split("|")[2])) == severities, row


def test_drift_is_muted_by_what_makes_its_numbers_late_or_partial() -> None:
    """Each of these leaves numbers that are not of the whole feed as it is now; the others do not."""
    muting = {rule["alert"] for rule in alerts() if rule["labels"].get("mutes") == "drift"}
    assert muting == {"LisWorkerGone", "LisOutputStale", "LisWatermarkLag", "LisDeadLetters", "LisShardPaused"}


def test_limits_leave_room_for_the_default_settings() -> None:
    """What the design itself takes must not fire: a horizon's delay, the time to the first number, a failed try."""
    settings = Settings.of({})
    design = settings.leakage.horizon + settings.events.attribution_window + settings.events.allowed_lateness
    design += 2 * settings.metrics.bucket
    pipeline = "\n".join(path.read_text(encoding="utf-8") for path in RULES if path.stem == "pipeline")
    assert "seconds:max > 3600" in pipeline and design < 3_600_000
    assert "for: 2h" in pipeline and design < 2 * 3_600_000
    assert "timestamp_seconds) > 600" in pipeline and settings.checkpoints.every * 10 < 600_000
    assert "lis_history_failures_total[5m]" in pipeline and LONGEST_WAIT < 300 and GIVE_UP_AFTER > 2 * 600


def test_page_and_ticket_of_one_alert_are_told_apart() -> None:
    """Rules of one name differ in a label of their own, or lint calls them one."""
    found = sorted((rule["alert"], str(sorted(rule["labels"].items()))) for rule in alerts())
    assert all(one != other for one, other in pairwise(found))
