"""The history over HTTP: what is answered is what the history says, and what is refused says why."""

from __future__ import annotations

import json
import threading
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine

from lis_online.api import limits, reading
from lis_online.api.app import build_app
from lis_online.api.limits import Slots
from lis_online.api.schema import document
from lis_online.history.configuration import find_configuration
from lis_online.history.engine import build_engine, transaction
from lis_online.history.range_json import range_json
from lis_online.history.ranges import range_numbers
from lis_online.history.stored import Group
from lis_online.history.times import iso, parse_zone
from lis_online.review.gather import review
from lis_online.review.html import render
from lis_online.settings import Settings
from tests.api.client import Client
from tests.review.history import AT, BUCKET, BUCKETS, END, SETTINGS, TABLE, ask

pytestmark = pytest.mark.postgres

OPENAPI = Path(__file__).parents[2] / "docs" / "schemas" / "openapi.json"
REVIEW = "/api/v1/reviews/mllm-q4"
FROM, TO = AT + 3 * BUCKET, AT + 9 * BUCKET
RANGE = {"from": iso(FROM), "to": iso(TO)}
HEADERS = {"cache-control": "no-store", "x-content-type-options": "nosniff"}


@pytest.fixture(scope="session")
def configuration(filled: Engine) -> int:
    """Return the id of the configuration that the history was written under."""
    with transaction(filled) as connection:
        found = find_configuration(connection, SETTINGS)
    assert found is not None
    return found


def test_review_is_the_document_of_the_command(client: Client, filled: Engine, configuration: int) -> None:
    """The same object, byte for byte, of the whole experiment and of a range in a zone."""
    found = client.get(REVIEW)
    assert (found.status_code, found.headers["content-type"]) == (200, "application/json")
    wanted = review(filled, SETTINGS, ask(configuration=configuration))
    assert found.json() == json.loads(wanted.model_dump_json(by_alias=True))
    berlin = parse_zone("Europe/Berlin")
    local = {"from": "2019-11-12 01:30", "to": "2019-11-12T02:30", "zone": "Europe/Berlin"}
    asked = ask(start=FROM, end=TO, zone=berlin, configuration=configuration)
    assert client.get(REVIEW, params=local).json() == json.loads(
        review(filled, SETTINGS, asked).model_dump_json(by_alias=True)
    )


@pytest.mark.parametrize(
    ("parameters", "accept", "is_page"),
    [
        ({"format": "html"}, "*/*", True),
        ({}, "text/html,application/xhtml+xml,*/*;q=0.8", True),
        ({"format": "json"}, "text/html", False),
        ({}, "*/*", False),
    ],
)
def test_page_is_for_browsers_and_whoever_asks_for_it(
    client: Client, filled: Engine, configuration: int, parameters: dict[str, str], accept: str, is_page: bool
) -> None:
    """Format decides; without it the header Accept does."""
    found = client.get(REVIEW, params=parameters, headers={"Accept": accept})
    assert found.headers["content-type"].startswith("text/html" if is_page else "application/json")
    assert ("default-src" in found.headers["content-security-policy"]) != is_page
    if is_page:
        assert found.text == render(review(filled, SETTINGS, ask(configuration=configuration)))


def test_numbers_of_a_range_are_those_of_the_command(client: Client, filled: Engine, configuration: int) -> None:
    """Every key and value of its JSON; the typed answer leaves nothing out and adds nothing."""
    found = client.get("/api/v1/lis", params={**RANGE, "slice": ["all", "surface:feed"], "zone": "Europe/Berlin"})
    wanted = range_json(
        range_numbers(filled, Group(configuration), FROM, TO, ["all", "surface:feed"]), parse_zone("Europe/Berlin")
    )
    assert found.status_code == 200
    assert found.json() == json.loads(json.dumps(wanted))


def test_arms_are_those_of_the_review_as_of_a_time(client: Client, filled: Engine, configuration: int) -> None:
    """Cumulative: what a review of the whole experiment up to that time shows."""
    for at in (None, iso(TO)):
        [found] = client.get("/api/v1/arms", params={} if at is None else {"at": at}).json()
        end = None if at is None else TO
        wanted = json.loads(
            review(filled, SETTINGS, ask(end=end, configuration=configuration)).model_dump_json(by_alias=True)
        )
        without = [{key: value for key, value in arm.items() if "representation" not in key} for arm in wanted["arms"]]
        assert found["arms"] == without
        assert found["time"] == wanted["covered"]["to"]
        assert (found["sample_ratio"], found["guardrails"]) == (wanted["sample_ratio"], wanted["guardrails"])


def test_before_the_first_user_arms_have_a_reason(client: Client) -> None:
    """No number is made up."""
    [found] = client.get("/api/v1/arms", params={"at": "2019-11-01T00:00:00Z", "experiment": "mllm-q4"}).json()
    assert (found["arms"], found["time"]) == ([], None)
    assert found["reason"] == "the history knows no user of mllm-q4 by 2019-11-01T00:00:00Z"


def test_experiments_are_listed_with_their_arms_and_times(client: Client) -> None:
    """What one may ask for."""
    [found] = client.get("/api/v1/experiments").json()
    assert (found["experiment"], found["control"], found["metrics"]) == ("mllm-q4", "control", ["ctr", "dwell"])
    assert found["arms"][1] == {"arm": "treatment", "share": 0.5, "variant": "title"}
    assert AT < parse(found["first"]) <= parse(found["last"]) == END


def parse(text: str) -> int:
    """Return the ms of a time in an answer."""
    from lis_online.history.times import parse_time

    return parse_time(text, "time")


BAD = [
    ("/api/v1/lis", {}, 400, "from must be given"),
    ("/api/v1/lis", {**RANGE, "from": "yesterday"}, 400, "from must be an ISO 8601 time, such as"),
    ("/api/v1/lis", {**RANGE, "from": "2019-11-12"}, 400, "from must have a time zone, such as"),
    ("/api/v1/lis", {**RANGE, "to": iso(FROM)}, 400, "from must be before --to, got"),
    ("/api/v1/lis", {**RANGE, "to": "9999-12-31T23:59:59Z"}, 400, "to must be from 1970-01-02T00:00:00Z to 2200-01"),
    ("/api/v1/lis", {**RANGE, "slice": "surface:x"}, 400, "slice must be one of ['all', "),
    ("/api/v1/lis", {**RANGE, "zone": "Mars/Olympus"}, 400, "zone must be the IANA name of a time zone"),
    ("/api/v1/lis", {**RANGE, "configuration": "x"}, 400, "configuration: input should be a valid integer"),
    ("/api/v1/lis", {**RANGE, "configuration": "77"}, 404, "configuration must be one of [1], got 77"),
    ("/api/v1/lis", {**RANGE, "slices": "all"}, 400, "arguments must be among ['configuration', 'from', "),
    (REVIEW, {"format": "pdf"}, 400, "format: string should match pattern"),
    (REVIEW, {"slice": "arm:x"}, 400, "slice must be one of "),
    (REVIEW, {"against": "77"}, 404, "against must be one of [1], got 77"),
    (REVIEW, {"from": iso(TO), "to": iso(FROM)}, 400, "from must be before --to, got"),
    ("/api/v1/reviews/other", {}, 404, "experiment must be one of ['mllm-q4'], got 'other'"),
    ("/api/v1/arms", {"experiment": "other"}, 404, "experiment must be one of ['mllm-q4'], got 'other'"),
    ("/api/v1/arms", {"at": "2019-13-01T00:00:00Z"}, 400, "at must be an ISO 8601 time"),
    ("/nothing", {}, 404, "there is no '/nothing'; /openapi.json lists what there is"),
    ("/docs", {}, 404, "there is no '/docs'"),
]


@pytest.mark.parametrize(("path", "parameters", "status", "sentence"), BAD)
def test_what_cannot_be_answered_is_one_sentence(
    client: Client, path: str, parameters: dict[str, str], status: int, sentence: str
) -> None:
    """Argument, rule, value; 404 names what there is."""
    found = client.get(path, params=parameters)
    assert found.status_code == status
    assert list(found.json()) == ["error"]
    assert found.json()["error"].startswith(sentence)
    assert HEADERS.items() <= dict(found.headers).items()


@pytest.mark.parametrize("path", ["/healthz", REVIEW, "/api/v1/experiments", "/openapi.json", "/nothing"])
def test_head_says_what_get_says_without_the_body(client: Client, path: str) -> None:
    """Status, type and length."""
    there, head = client.get(path), client.head(path)
    assert (head.status_code, head.content) == (there.status_code, b"")
    for name in ("content-type", "content-length", "cache-control"):
        assert head.headers.get(name) == there.headers.get(name)


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
def test_nothing_can_be_written(client: Client, method: str) -> None:
    """It reads alone."""
    found = client.request(method, REVIEW)
    assert (found.status_code, found.headers["allow"]) == (405, "GET")
    assert found.json() == {"error": f"{method} is not answered here; use GET"}


def test_as_many_ranges_as_there_are_places_are_added_up_at_once(
    filled: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One more is refused at once, with the time to come back; a place that is free again is taken again."""
    inside, leave = threading.Semaphore(0), threading.Event()
    real = reading.range_numbers

    def held(*arguments: Any) -> Any:
        inside.release()
        assert leave.wait(60)
        return real(*arguments)

    monkeypatch.setattr(reading, "range_numbers", held)
    client = Client(build_app(SETTINGS, filled, lambda: END, Slots(2)))
    found: list[int] = []
    threads = [
        threading.Thread(target=lambda: found.append(client.get("/api/v1/lis", params=RANGE).status_code))
        for _ in range(2)
    ]
    for thread in threads:
        thread.start()
    assert inside.acquire(timeout=60)
    assert inside.acquire(timeout=60)
    for path, parameters in (("/api/v1/lis", RANGE), (REVIEW, {})):
        refused = client.get(path, params=parameters)
        assert (refused.status_code, refused.headers["retry-after"]) == (503, "5")
        assert refused.json() == {"error": "2 ranges are being added up already, which is the most at once: ask again"}
    assert client.get("/api/v1/experiments").status_code == 200
    leave.set()
    for thread in threads:
        thread.join(60)
    assert found == [200, 200]
    assert client.get("/api/v1/lis", params=RANGE).status_code == 200


def test_a_range_of_too_many_rows_is_refused_before_it_is_read(
    filled: Engine, configuration: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Reviews of a range as well; the whole experiment falls back on published windows instead."""
    check = limits.check_length
    monkeypatch.setattr(reading, "check_length", lambda *given: check(*given, most=5))
    client = Client(build_app(SETTINGS, filled, lambda: END))
    for path in ("/api/v1/lis", REVIEW):
        assert client.get(path, params=RANGE).json() == {
            "error": "a range must be read from at most 5 rows of statistics, got 6: ask for a shorter one"
        }
    open_end = client.get(REVIEW, params={"from": iso(AT)})
    assert f"got {BUCKETS}:" in open_end.json()["error"]
    assert client.get("/api/v1/lis", params={**RANGE, "to": iso(TO - BUCKET)}).status_code == 200
    assert client.get(REVIEW).status_code == 200


def test_history_that_cannot_be_reached_is_503_without_its_password() -> None:
    """With the time to try again, for every address that asks it."""
    engine = build_engine("postgresql+psycopg://lis:secret@127.0.0.1:1/lis")
    client = Client(build_app(SETTINGS, engine, lambda: END))
    for path in ("/healthz", "/api/v1/experiments", REVIEW):
        found = client.get(path)
        assert (found.status_code, found.headers["retry-after"]) == (503, "5")
        assert found.json()["error"].startswith("history at 127.0.0.1:1/lis cannot be reached")
        assert "secret" not in found.text


def test_settings_that_wrote_nothing_are_404_with_what_there_is(filled: Engine, configuration: int) -> None:
    """Numbers of other settings are not passed off as theirs, but can be asked for."""
    other = Settings.of({**TABLE, "leakage": {"folds": 4}})
    client = Client(build_app(other, filled, lambda: END))
    found = client.get("/api/v1/lis", params=RANGE)
    assert found.status_code == 404
    assert found.json()["error"] == "nothing was written under these settings: configuration must be one of [1]"
    asked = client.get("/api/v1/lis", params={**RANGE, "configuration": configuration})
    assert asked.status_code == 200


def test_a_bug_is_told_to_the_log_alone(filled: Engine, monkeypatch: pytest.MonkeyPatch, caplog: Any) -> None:
    """No traceback, no message from inside."""

    def broken(*_: object) -> None:
        raise RuntimeError("inner secret")

    monkeypatch.setattr(reading, "moments_over_time", broken)
    client = Client(build_app(SETTINGS, filled, lambda: END))
    found = client.get("/api/v1/experiments")
    assert (found.status_code, found.json()) == (500, {"error": "internal error: see the log"})
    assert "inner secret" in caplog.text


def test_openapi_document_is_current() -> None:
    """Run `python -m lis_online.api.schema > docs/schemas/openapi.json` when this fails."""
    assert OPENAPI.read_text(encoding="utf-8") == document()


def test_openapi_document_is_what_is_served(client: Client) -> None:
    """And no page of it that would load scripts from elsewhere."""
    assert client.get("/openapi.json").json() == json.loads(OPENAPI.read_text(encoding="utf-8"))
    assert client.get("/redoc").status_code == 404
