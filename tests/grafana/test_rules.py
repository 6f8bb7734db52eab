"""The rules of Grafana's dashboard linter and some more, on the committed JSON.

The linter itself is a Go program that could not be had; its rules are on
https://github.com/grafana/dashboard-linter/tree/main/docs/rules, and each test names the one it stands for. Left out on
purpose: target-instance-rule outside of Pipeline, since a number belongs to no worker: whoever has the shard serves it.
"""

from __future__ import annotations

import itertools
import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from grafana import colours
from grafana.places import RUNBOOKS, TAG
from lis_online.exporter import names
from lis_online.history.readers import VIEWS
from tests.documents import ROOT
from tests.grafana.boards import BOARDS, Query, panels, queries, used_variables, variables
from tests.grafana.expand import expand

PANELS = [(name, panel) for name, board in BOARDS.items() for panel in panels(board)]
PROMETHEUS = [query for name in BOARDS for query in queries(name) if not query.is_sql]
SQL = [query for name in BOARDS for query in queries(name) if query.is_sql]
RULES = [path.read_text(encoding="utf-8") for path in (ROOT / "prometheus" / "rules").glob("*.yml")]
ALERTED = {url for text in RULES for url in re.findall(r"runbook_url: (\S+)", text)}
PROCESS = {"up", "process_cpu_seconds_total", "process_resident_memory_bytes"}
"""Series that Prometheus and its client library have beside ours."""


def titled(value: object) -> str:
    """Name a parameter by where it stands."""
    if isinstance(value, Query):
        return value.where
    return value if isinstance(value, str) else str(value["title"]) if isinstance(value, dict) else ""


@pytest.mark.parametrize("name", BOARDS)
def test_dashboard_is_found_and_looks_as_agreed(name: str) -> None:
    """Its id is its file's name, so links last; nobody edits it in the browser (uneditable-dashboard)."""
    board = BOARDS[name]
    assert board["uid"] == name
    assert 8 <= len(board["uid"]) <= 40
    assert board["tags"] == [TAG]
    assert board["editable"] is False
    assert (board["timezone"], board["refresh"]) == ("browser", "30s")
    assert board["description"].endswith(".")
    assert "id" not in board, "an id is Grafana's own: provisioning would meet another dashboard's"


@pytest.mark.parametrize("name", BOARDS)
def test_dashboards_lead_to_each_other_with_what_was_chosen(name: str) -> None:
    """Whoever goes on keeps variant and time."""
    [link] = [link for link in BOARDS[name]["links"] if link["type"] == "dashboards"]
    assert link["tags"] == [TAG]
    assert link["includeVars"] and link["keepTime"]


@pytest.mark.parametrize("name", BOARDS)
def test_data_sources_are_chosen(name: str) -> None:
    """template-datasource-rule: both can be others than the provisioned ones."""
    found = [(v["name"], v["label"], v["query"]) for v in variables(name).values() if v["type"] == "datasource"]
    assert found == [
        ("prometheus_datasource", "Prometheus data source", "prometheus"),
        ("postgres_datasource", "PostgreSQL data source", "grafana-postgresql-datasource"),
    ]


@pytest.mark.parametrize("name", BOARDS)
def test_job_is_chosen_among_those_that_there_are(name: str) -> None:
    """template-job-rule, template-on-time-change-reload-rule: several at once, all at first, asked for anew."""
    job = variables(name)["job"]
    assert (job["type"], job["multi"], job["includeAll"]) == ("query", True, True)
    assert job["datasource"]["uid"] == "${prometheus_datasource}"
    for variable in variables(name).values():
        assert variable["type"] != "query" or variable["refresh"] == 2, variable["name"]


@pytest.mark.parametrize("name", BOARDS)
def test_variables_are_used_and_those_used_are_there(name: str) -> None:
    """A variable that nothing reads misleads; one that is not there stays in the query as its name."""
    board = BOARDS[name]
    known = variables(name)
    parts = [*board["panels"], *board["annotations"]["list"], *board["links"]]
    used = {one for part in parts for one in used_variables(json.dumps(part))}
    asked = {one for variable in known.values() for one in used_variables(json.dumps(variable.get("query", "")))}
    repeats = {panel["repeat"] for panel in board["panels"] if "repeat" in panel}
    assert used <= set(known)
    assert asked <= set(known)
    spare = set(known) - used - asked - repeats
    assert not spare - {"reviews"}, "the address of reviews goes along to Experiments"


@pytest.mark.parametrize(("name", "panel"), PANELS, ids=titled)
def test_panel_states_its_question_and_what_red_means(name: str, panel: dict[str, Any]) -> None:
    """panel-title-description-rule, and more: somebody reads it at night who did not make it."""
    assert panel["title"]
    assert re.fullmatch(r"Question: [^\n]+[?.]\n\nRed: [^\n]+[.]", panel["description"])


@pytest.mark.parametrize(("name", "panel"), PANELS, ids=titled)
def test_panel_has_a_unit_and_says_what_no_data_means(name: str, panel: dict[str, Any]) -> None:
    """panel-units-rule, template-datasource-rule, panel-no-targets-rule."""
    defaults = panel["fieldConfig"]["defaults"]
    assert defaults["unit"]
    assert defaults["noValue"]
    assert panel["datasource"]["uid"] in ("${prometheus_datasource}", "${postgres_datasource}")
    assert panel["targets"]
    assert all(target["datasource"] == panel["datasource"] for target in panel["targets"])
    assert len({target["refId"] for target in panel["targets"]}) == len(panel["targets"])


@pytest.mark.parametrize(("name", "panel"), PANELS, ids=titled)
def test_runbook_of_a_panel_is_that_of_an_alert(name: str, panel: dict[str, Any]) -> None:
    """At the address that the alerts have; that each alert's page exists, the tests of the alerts hold."""
    for link in panel["links"]:
        if link["title"] == "What to do":
            assert link["url"].replace("${runbooks}", RUNBOOKS) in ALERTED


@pytest.mark.parametrize("name", BOARDS)
def test_panels_fill_their_lines_and_do_not_overlap(name: str) -> None:
    """24 columns: no gap and no panel over another; none lower or narrower than can be read."""
    taken: dict[tuple[int, int], str] = {}
    bottom = 0
    for panel in BOARDS[name]["panels"]:
        at = panel["gridPos"]
        cells = list(itertools.product(range(at["x"], at["x"] + at["w"]), range(at["y"], at["y"] + at["h"])))
        assert not [taken[cell] for cell in cells if cell in taken], panel["title"]
        taken |= dict.fromkeys(cells, panel["title"])
        bottom = max(bottom, at["y"] + at["h"])
        assert panel["type"] == "row" or (at["w"] >= 3 and at["h"] >= 4), panel["title"]
    assert set(taken) == set(itertools.product(range(24), range(bottom)))


@pytest.mark.parametrize("name", BOARDS)
def test_ids_of_panels_are_unique(name: str) -> None:
    """Grafana links to a panel by its id."""
    ids = [panel["id"] for panel in BOARDS[name]["panels"]]
    assert len(set(ids)) == len(ids)


@pytest.mark.parametrize(("name", "panel"), PANELS, ids=titled)
def test_band_lies_between_lines_that_there_are(name: str, panel: dict[str, Any]) -> None:
    """A fill down to a line that no query gives is drawn down to the axis."""
    lines = set()
    for target in panel["targets"]:
        lines |= {target.get("legendFormat")} | set(re.findall(r'point\."([^"]+)"', target.get("rawSql", "")))
    for override in panel["fieldConfig"]["overrides"]:
        for one in override["properties"]:
            if one["id"] == "custom.fillBelowTo":
                assert {override["matcher"]["options"], one["value"]} <= lines


def test_bands_are_there() -> None:
    """The test above would pass without any."""
    with_band = [panel["title"] for _, panel in PANELS if "fillBelowTo" in json.dumps(panel)]
    assert len(with_band) >= 10


@pytest.mark.parametrize("query", PROMETHEUS, ids=titled)
def test_query_names_series_that_exist(query: Query) -> None:
    """And none but by `lis_online.exporter.names`: what is renamed there is renamed here."""
    known = PROCESS
    for series in names.every():
        known = known | {series.name} | {f"{series.name}_bucket" for _ in [0] if series.kind == "histogram"}
    used = set(re.findall(r"\b(\w+)\{", query.text))
    assert used and used <= known


@pytest.mark.parametrize("query", PROMETHEUS, ids=titled)
def test_query_selects_the_job_and_on_pipeline_the_worker(query: Query) -> None:
    """target-job-rule, target-instance-rule: another deployment's numbers are not mixed in."""
    selectors = re.findall(r"\{([^{}]+)\}", query.text)
    assert all(selector.startswith('job=~"$job"') for selector in selectors)
    rankers = names.SET_ASIDE.name in query.text  # a number, on the page of the pipeline
    if query.where.startswith("lis-pipeline") and not rankers:
        assert all('instance=~"$instance"' in selector for selector in selectors)


@pytest.mark.parametrize("query", PROMETHEUS, ids=titled)
def test_counter_is_read_as_a_rate_over_a_fitting_time(query: Query) -> None:
    """target-counter-agg-rule, target-rate-interval-rule: a raw counter says since when a worker runs."""
    counters = re.findall(r"(\w+\()?\w+(?:_total|_bucket)\{", query.text)
    assert all(found in ("rate(", "increase(") for found in counters)
    assert set(re.findall(r"\[([^\]]+)\]", query.text)) <= {"$__rate_interval"}


@pytest.mark.parametrize("query", PROMETHEUS, ids=titled)
def test_variable_of_several_values_is_matched_by_a_regular_expression(query: Query) -> None:
    """template-variable-matchers-rule: `=` with (a|b) matches nothing."""
    known = variables(query.where.split(",")[0])
    for operator, name in re.findall(r'(=|=~)"\$(\w+)"', query.text):
        assert operator == "=~" or not known[name]["multi"], name


def test_queries_are_promql(tmp_path: Path) -> None:
    """target-promql-rule: promtool parses every one."""
    if shutil.which("promtool") is None:
        pytest.skip("promtool is not on the PATH")
    values = {name: ["x"] for board in BOARDS for name in variables(board)}
    rules = [{"record": "x:y", "expr": expand(query.text, values, 0, 0), "labels": {"n": str(n)}}
             for n, query in enumerate(PROMETHEUS)]  # fmt: skip
    path = tmp_path / "rules.yml"
    path.write_text(json.dumps({"groups": [{"name": "all", "rules": rules}]}))
    done = subprocess.run(
        ["promtool", "check", "rules", "--lint=none", str(path)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("query", SQL, ids=titled)
def test_sql_reads_views_within_the_time_shown(query: Query) -> None:
    """Views alone, since tables change; a range, so that 400 days are not read for an hour; a configuration."""
    read = set(re.findall(r"\b(?:FROM|JOIN) (\w+)", query.text)) - {"interval"}
    assert read and read <= set(VIEWS)
    assert "$__timeFrom()" in query.text and "$__timeTo()" in query.text
    assert "${configuration}" in query.text or read == {"lis_annotations"}
    assert not re.search(r"\b(INSERT|UPDATE|DELETE|ALTER|DROP|GRANT)\b", query.text)


@pytest.mark.parametrize("query", SQL, ids=titled)
def test_words_that_are_chosen_are_quoted_by_grafana(query: Query) -> None:
    """A name with a quote in it must not end the text. The window is a length by its variable's expression."""
    free = {"configuration", "window"}
    for name, form in re.findall(r"\$\{(\w+)(?::(\w+))?\}", query.text):
        assert form == "sqlstring" or name in free, name
    assert set(re.findall(r"\$([a-z]\w+)", query.text)) <= {"window"}
    window = variables(query.where.split(",")[0]).get("window")
    assert window is None or window["regex"] == r"/^\d+[smhd]$/"


def test_colours_are_of_the_palette() -> None:
    """Okabe and Ito's: told apart with any kind of colour vision."""
    found = set(re.findall(r"#[0-9A-Fa-f]{6}", json.dumps(BOARDS)))
    assert found <= set(colours.PALETTE)
    assert len(set(colours.OF_DIAGNOSIS.values())) == len(colours.OF_DIAGNOSIS)


def test_review_is_asked_for_as_its_address_has_it() -> None:
    """Path and arguments are those of `lis-online serve`; the times are ISO 8601, as it reads them."""
    [url] = [link["url"] for link in BOARDS["lis-experiments"]["links"] if link["title"] == "Review"]
    paths = json.loads((ROOT / "docs" / "schemas" / "openapi.json").read_text(encoding="utf-8"))["paths"]
    path, _, arguments = url.removeprefix("${reviews}").partition("?")
    known = {one["name"] for one in paths[path.replace("${experiment}", "{experiment}")]["get"]["parameters"]}
    given = dict(argument.split("=") for argument in arguments.split("&"))
    assert set(given) <= known
    assert (given["from"], given["to"]) == ("${__from:date:iso}", "${__to:date:iso}")
