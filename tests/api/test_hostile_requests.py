"""Questions over HTTP that nobody should ask: 4xx and a sentence, for every address."""

from __future__ import annotations

import json

import pytest

from lis_online.api.schema import document
from tests.api.client import Client

pytestmark = pytest.mark.postgres

PATHS = list(json.loads(document())["paths"])
VALUES = (
    *("", " ", "\x00", "\x1b[31m", "²", "9" * 5000, "-1", "1e400", "nan", "true", "null", "[]", "../..", "x" * 10_000),
    *("0001-01-01T00:00", "9999-12-31T23:59:59-23:59", "0001-01-01T00:00+14:00", "2026-02-30T00:00Z", "soon"),
    *("'; DROP TABLE buckets; --", "%00", "arm:", "arm:/", "surface:", "Mars/Olympus", "..", "/etc/passwd", "html"),
)
NAMES = ("from", "to", "at", "slice", "zone", "configuration", "against", "experiment", "format", "new")
GOOD = {"from": "2026-11-01T00:00:00Z", "to": "2026-11-02T00:00:00Z"}


@pytest.mark.parametrize("path", PATHS)
def test_no_value_of_any_argument_is_an_error_of_ours(client: Client, path: str) -> None:
    """Each argument with each value, the others good: an answer, or a refusal in one sentence."""
    for name in NAMES:
        for value in VALUES[:: 1 if "lis" in path else 3]:
            found = client.get(path.replace("{experiment}", "mllm-q4"), params={**GOOD, name: value})
            assert found.status_code < 500, (path, name, value, found.text)
            if found.status_code >= 400:
                assert found.headers["content-type"].startswith("application/"), (path, name, value, found.text)


@pytest.mark.parametrize("name", ["..", "%00", "%ff", "a%2Fb", "x" * 8000, "{", "²", "%1b%5b31m"])
def test_no_name_in_an_address_is_an_error_of_ours(client: Client, name: str) -> None:
    """Names of experiments are matched, never used as paths or put into a statement."""
    assert 400 <= client.get(f"/api/v1/reviews/{name}").status_code < 500


@pytest.mark.parametrize(
    "headers",
    [
        {"Accept": "\x7f" * 5000},
        {"Accept-Encoding": "x" * 5000},
        {"Authorization": "Bearer " + "x" * 5000},
        {"Range": "bytes=0-"},
        {"Content-Type": "\xff"},
        {"Host": "["},
    ],
)
@pytest.mark.parametrize("path", ["/healthz", "/api/v1/experiments", "/"])
def test_no_header_is_an_error_of_ours(client: Client, headers: dict[str, str], path: str) -> None:
    """Headers choose a format at most."""
    assert (
        client.get(path, headers={name: value.encode("latin-1") for name, value in headers.items()}).status_code < 500
    )
