"""/api/v1/live: everything the page shows, small, and the same as long as nothing happens."""

from __future__ import annotations

import gzip
import http.client
import json
from dataclasses import replace
from typing import Any

import pytest

from lis_online.exporter.live import ELSEWHERE, NOT_YET, STALE_AFTER, STANDING_BY
from lis_online.exporter.live_numbers import default, numbers_table, shown
from lis_online.exporter.live_page import FILES
from lis_online.exporter.server import ExporterServer
from lis_online.history.windows import window_name
from lis_online.shards.view import OVERLAP, WHOLE_RUN
from tests.exporter.examples import example, two_versions
from tests.exporter.live_examples import END, MINUTE, VARIANTS, Worker, drift, many, served, view, worker

SIZE = 100_000  # bytes, of the largest answer


def found(made: Worker, query: str = "") -> dict[str, Any]:
    """Return the answer's table."""
    table: dict[str, Any] = json.loads(made.live().get(query).body)
    return table


def ask(server: ExporterServer, path: str, **headers: str) -> tuple[int, dict[str, str], bytes]:
    """Return status, headers and body."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=5)
    connection.request("GET", path, headers={name.replace("_", "-"): value for name, value in headers.items()})
    response = connection.getresponse()
    answer = response.status, dict(response.headers), response.read()
    connection.close()
    return answer


@pytest.mark.parametrize("length", [15 * MINUTE, WHOLE_RUN])
def test_every_number_is_the_views_own(length: int) -> None:
    """Value, interval and trail, of the window that was asked for."""
    shown_view = view(40)
    table = found(worker(shown_view), f"window={window_name(length)}")["numbers"]
    numbers = shown_view.windows[length]["all"]
    assert (table["window"], table["revision"], table["samples"]) == (window_name(length), 40, numbers.samples)
    for one in table["variants"]:
        mine = numbers.variants[one["key"]]
        for number in ("adjusted_ais", "efficiency"):
            expected = getattr(mine, number).to_json()
            assert {key: value for key, value in one[number].items() if key != "trail"} == expected
        assert one["pair_alignment"]["value"] == shown_view.alignment[length][one["key"]].share.value
        assert one["diagnosis"] == shown_view.diagnoses[length]["all"][one["key"]].diagnosis
        trail = shown_view.trails.values[length, "variant", one["key"], "adjusted_ais"]
        assert one["adjusted_ais"]["trail"] == pytest.approx(trail, rel=1e-3)
        assert len(trail) == 41
    [coclick, _] = table["sources"]
    assert coclick["adjusted_lis"]["value"] == numbers.sources["coclick"].adjusted_lis.value
    assert len(coclick["adjusted_lis"]["trail"]) == 41
    assert [one["key"] for one in table["variants"]] == [name for name, *_ in VARIANTS]


def test_number_that_does_not_exist_says_why() -> None:
    """Never 0; its trail says when it was not there."""
    [*_, last] = found(worker(view(3)))["numbers"]["variants"]
    efficiency = last["efficiency"]
    assert (efficiency["value"], efficiency["reason"]) == (None, "LIS interval includes 0")
    assert efficiency["trail"] == []


def test_windows_are_listed_and_the_longest_rolling_one_is_shown_first() -> None:
    """The overlap of versions is a comparison, not a window to watch."""
    assert [window_name(length) for length in shown(view(1))] == ["15m", "1h", "6h", "1d", "run"]
    assert found(worker(view(1)))["numbers"]["window"] == "1d"
    versions = two_versions()
    assert OVERLAP not in shown(versions)
    assert default(versions) == WHOLE_RUN
    assert [one["newest"] for one in numbers_table(versions, WHOLE_RUN)["variants"]] == [True, False]


def test_window_that_is_not_there_is_refused() -> None:
    """The sentence names those that are."""
    page = worker(view(1)).live().get("window=2h")
    assert page.status == 400
    assert json.loads(page.body)["error"] == "window must be one of 15m, 1h, 6h, 1d, run, got '2h'"


@pytest.mark.parametrize(
    ("shown_view", "roles", "why"),
    [
        (None, ("join", "rank"), ELSEWHERE),
        (replace(example(), end=0), ("publish",), NOT_YET),
        (None, ("publish",), NOT_YET),
    ],
)
def test_worker_without_numbers_says_where_they_are(shown_view: Any, roles: tuple[str, ...], why: str) -> None:
    """Its health is there all the same."""
    table = found(worker(shown_view, roles))
    assert (table["numbers"], table["why_none"]) == (None, why)
    assert {one["role"] for one in table["health"]["shards"]} == set(roles)


def test_worker_that_stands_by_says_so() -> None:
    """It has the role and no partition."""
    made = Worker()
    made.health.begin("publish")
    assert found(made)["why_none"] == STANDING_BY


def test_arms_have_levels_lifts_and_guardrails_as_analysed() -> None:
    """Control first and without a lift; lifts are relative, with the always-valid interval."""
    shown_view = view(1)
    [experiment] = found(worker(shown_view))["experiments"]
    analysis = shown_view.experiments["mllm-q4"].analysis
    control, treatment = experiment["arms"]
    assert (control["arm"], [one["lift"] for one in control["metrics"]]) == ("control", [None, None])
    for one in treatment["metrics"]:
        mine = analysis.get("treatment", one["metric"])
        assert one["level"] == {"value": mine.arm.value}
        assert one["lift"]["value"] == mine.relative.value
        assert (one["lift"]["lower"], one["lift"]["upper"]) == (
            mine.relative.sequence.lower,
            mine.relative.sequence.upper,
        )
        assert one["guardrail"] == mine.guardrail
    assert [one["level"]["value"] for one in control["metrics"]] == [one.control.value for one in analysis.comparisons]
    assert experiment["sample_ratio"]["p_value"] == analysis.sample_ratio.p_value


def test_numbers_are_stale_when_no_new_ones_came_for_long() -> None:
    """As long as five buckets and five minutes; a restored worker counts from its start."""
    made = worker(view(1))
    made.now += STALE_AFTER
    assert found(made)["stale_since"] is None
    made.now += 1
    assert found(made)["stale_since"] == "2026-11-18T13:37:00+00:00"
    long_buckets = replace(made.live(), bucket=STALE_AFTER / 4)
    assert json.loads(long_buckets.get().body)["stale_since"] is None
    made.health.published("publish", 0, 2)
    assert found(made)["stale_since"] is None


def test_same_state_has_the_same_etag_and_is_not_sent_twice() -> None:
    """Whatever the time; any change of numbers or health is a new one."""
    made = worker(view(2))
    with served(made) as server:
        status, headers, _ = ask(server, "/api/v1/live")
        tag = headers["ETag"]
        made.now += 5
        again, kept, body = ask(server, "/api/v1/live", If_None_Match=tag)
        assert (status, again, kept["ETag"], body) == (200, 304, tag, b"")
        made.health.applied("join", 0, 5, 0.1)
        assert ask(server, "/api/v1/live", If_None_Match=tag)[0] == 200
        tag = ask(server, "/api/v1/live")[1]["ETag"]
        made.view = view(3)
        assert ask(server, "/api/v1/live", If_None_Match=tag)[0] == 200
        assert ask(server, "/healthz", If_None_Match="")[0] == 200


def test_largest_answer_is_small() -> None:
    """20 variants, 5 sources, 4 experiments, all trails full; compressed for whoever can read it."""
    with served(worker(many())) as server:
        _, headers, body = ask(server, "/api/v1/live", Accept_Encoding="gzip")
        assert headers["Content-Encoding"] == "gzip"
        assert len(body) < SIZE / 4
        plain = gzip.decompress(body)
        assert plain == ask(server, "/api/v1/live")[2]
        assert len(plain) < SIZE
        assert len(json.loads(plain)["numbers"]["variants"]) == 20


def test_browser_gets_the_page_and_curl_the_list() -> None:
    """Told apart by what they accept; the list is at /help for both."""
    with served(worker(None)) as server:
        status, headers, body = ask(server, "/", Accept="text/html,*/*;q=0.8")
        assert (status, headers["Content-Type"]) == (200, "text/html; charset=utf-8")
        assert body.startswith(b"<!doctype html>")
        assert headers["Content-Security-Policy"].startswith("default-src 'self';")
        assert "Accept" in headers["Vary"]
        for accept in ("*/*", ""):
            assert b"/api/v1/live" in ask(server, "/", Accept=accept)[2]
        assert ask(server, "/help", Accept="text/html")[1]["Content-Type"].startswith("text/plain")


@pytest.mark.parametrize("path", FILES)
def test_files_of_the_page_name_no_other_place(path: str) -> None:
    """No font, script or picture from elsewhere; no style or script within the page."""
    with served(worker(None)) as server:
        status, headers, body = ask(server, path)
    text = body.decode().replace("http://www.w3.org/2000/svg", "")
    assert (status, headers["Content-Type"]) == (200, FILES[path])
    assert "http:" not in text and "https:" not in text and "//" not in text.replace("// ", "")
    assert "<style" not in text and " style=" not in text and "innerHTML" not in text


def test_drift_that_is_open_comes_first() -> None:
    """With its sentence, before and after; None where drift is not looked for."""
    table = found(worker(replace(view(1), drift=drift())))["numbers"]["drift"]
    assert (table["judged"], table["active"]) == (3, 1)
    assert [(one["subject"], one["open"]) for one in table["events"]] == [("internvl-title", True), ("search", False)]
    assert table["events"][0]["sentence"] == drift().events[0].sentence
    assert found(worker(view(1)))["numbers"]["drift"] is None


def test_numbers_are_as_of_event_time() -> None:
    """The end of the last bucket, whatever the clock says."""
    assert found(worker(view(2)))["numbers"]["as_of"] == "2026-11-18T11:09:00+00:00"
    assert view(2).end == END + 2 * MINUTE
