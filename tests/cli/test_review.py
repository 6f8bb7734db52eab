"""`lis-online review` on the command line, against a real PostgreSQL."""

from __future__ import annotations

import json
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import Engine
from typer.testing import CliRunner

from lis_online.cli.main import app
from lis_online.errors import UsageError
from lis_online.review.document import Review
from lis_online.review.gather import review
from tests.review.history import AT, MINUTE, SETTINGS, TABLE, ask, write

pytestmark = pytest.mark.postgres

RANGE = ["--from", "2019-11-12 01:30", "--to", "2019-11-12 03:30", "--zone", "Europe/Berlin"]


@pytest.fixture
def config(history_engine: Engine, postgres_url: str, tmp_path: Path) -> Path:
    """Return a settings file of a history with one experiment."""
    write(history_engine)
    path = tmp_path / "lis-online.toml"
    path.write_text(as_toml(postgres_url), encoding="utf-8")
    return path


def as_toml(url: str) -> str:
    """Return the settings that the history was made under, with an address."""
    lines = ["[history]", f"url = {json.dumps(url)}", 'rollup = "30m"']
    for section in ("events", "leakage", "metrics"):
        lines += [f"[{section}]", *(f"{key} = {json.dumps(value)}" for key, value in TABLE[section].items())]
    lines += ["[[variant]]", *(f"{key} = {json.dumps(value)}" for key, value in TABLE["variant"][0].items())]
    [experiment] = TABLE["experiment"]
    lines += ["[[experiment]]", f'name = "{experiment["name"]}"', f'control = "{experiment["control"]}"']
    for kind in ("arm", "metric"):
        for one in experiment[kind]:
            inner = {key: value for key, value in one.items() if key != "guardrail"}
            lines += [f"[[experiment.{kind}]]", *(f"{key} = {json.dumps(value)}" for key, value in inner.items())]
            if "guardrail" in one:
                told = ", ".join(f"{key} = {json.dumps(value)}" for key, value in one["guardrail"].items())
                lines.append(f"guardrail = {{ {told} }}")
    return "\n".join(lines)


def run(*arguments: str, config: Path, **env: str) -> str:
    """Return what the command prints; the error it raises is raised."""
    found = CliRunner().invoke(app, ["review", "mllm-q4", *arguments, "-c", str(config)], env=env)
    if found.exception is not None:
        raise found.exception
    return found.output


def test_the_review_of_a_range_is_printed_in_its_zone(config: Path) -> None:
    """What a person reads: the state of the experiment, then the verdict, each a line, without colour."""
    output = run(*RANGE, config=config)
    assert "mllm-q4, the impressions of this range alone\nlifts: 2019-11-12 01:30 to 2019-11-12 03:30" in output
    assert (
        output.index("Sample ratio: fits") < output.index("Guardrail dwell of treatment: holds") < output.index("SHIP")
    )
    assert "Note: The lifts are of this range alone." in output
    assert "…" not in output and "\x1b" not in output
    assert "Note: A range has no pre-period, so its lifts are without CUPED.\n" in output
    assert "\x1b" not in output


def test_json_is_the_document(config: Path, history_engine: Engine) -> None:
    """The same that anything else shows, made now."""
    found = Review.model_validate_json(run(*RANGE, "--json", config=config))
    limits = AT + 30 * MINUTE, AT + 150 * MINUTE
    expected = review(history_engine, SETTINGS, ask(start=limits[0], end=limits[1], zone=ZoneInfo("Europe/Berlin")))
    assert found.model_copy(update={"made_at": expected.made_at}) == expected


def test_html_is_written_beside(config: Path, tmp_path: Path) -> None:
    """One page; a path that cannot be written is refused in one sentence."""
    page = tmp_path / "review.html"
    run("--html", str(page), config=config)
    assert "mllm-q4" in page.read_text(encoding="utf-8")
    with pytest.raises(UsageError, match=r"--html must be a file that can be written, got .*: Is a directory"):
        run("--html", str(tmp_path), config=config)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--from", "2026-11-17 09:00"], "--from must have a time zone"),
        (["--zone", "Mars"], "--zone must be the IANA name of a time zone"),
        (["--from", "2026-11-02T00:00:00Z", "--to", "2026-11-01T00:00:00Z"], "--from must be before --to"),
    ],
)
def test_an_argument_that_breaks_a_rule_is_refused_before_connecting(
    tmp_path: Path, arguments: list[str], sentence: str
) -> None:
    """Argument, rule, value; no server is needed to say it."""
    path = tmp_path / "lis-online.toml"
    path.write_text('[history]\nurl = "postgresql://127.0.0.1:1/none"\n', encoding="utf-8")
    with pytest.raises(UsageError, match=sentence):
        run(*arguments, config=path)
