"""What README and docs say can be done, can be done: commands, links, snippets, names."""

from __future__ import annotations

import itertools
import json
import re
import tomllib
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
import typer
from typer.testing import CliRunner

from lis_online.cli.main import app
from lis_online.events import decode
from lis_online.events.topics import INTERNAL, topic_names
from lis_online.exporter import names
from lis_online.history.readers import VIEWS
from lis_online.metrics.diagnosis import DIAGNOSES
from lis_online.metrics.layout import Layout
from lis_online.settings import Settings
from lis_online.settings.meanings import MEANINGS, SECTIONS
from lis_online.settings.model import KafkaSettings
from lis_online.shards.publish import PublishShard
from tests.documents import DOCUMENTS, ROOT, Quote, blocks, code_spans, commands, links, split

MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def label(quote: object) -> str:
    """Name a parameter by where it stands and what it says."""
    return f"{quote.where}: {quote.text}"[:80] if isinstance(quote, Quote) else ""


def check_lis_online(words: list[str]) -> None:
    """Parse a whole command line as the program would, types and choices included."""
    command, rest = resolve(words)
    command.make_context(words[0], list(rest))


def resolve(words: list[str]) -> tuple[Any, list[str]]:
    """Return the command that the words after the program's name lead to, and its arguments."""
    command: Any = typer.main.get_command(app)
    while words and hasattr(command, "commands") and not (command.invoke_without_command and words[0].startswith("-")):
        assert words[0] in command.commands, f"{words[0]} must be one of {sorted(command.commands)}"
        command, words = command.commands[words[0]], words[1:]
    return command, words


def check_make(words: list[str]) -> None:
    """Every target is a rule, every variable one that the Makefile reads."""
    for word in words:
        pattern = rf"^{word.split('=')[0]} \?=" if "=" in word else rf"^{word}:"
        assert re.search(pattern, MAKEFILE, re.MULTILINE), word


def check_python(words: list[str]) -> None:
    """A module that is run is there, and so are the paths that pytest is given."""
    assert words[0] == "-m"
    assert find_spec(words[1]) is not None
    assert all((ROOT / word).exists() for word in words[2:] if not word.startswith("-"))


def check_docker(words: list[str]) -> None:
    """An image's stage is one of the Dockerfile's, a scaled service one of the compose file's."""
    dockerfile, compose = ((ROOT / name).read_text(encoding="utf-8") for name in ("Dockerfile", "compose.yaml"))
    options = dict(itertools.pairwise(words))
    if "--target" in options:
        assert f" AS {options['--target']}\n" in dockerfile
    if "--scale" in options:
        assert f"\n  {options['--scale'].partition('=')[0]}:\n" in compose


def check_curl(words: list[str]) -> None:
    """The address is one of `lis-online serve`, and so is every argument."""
    [address] = [urlsplit(word) for word in words if word.startswith("http://")]
    paths = json.loads((ROOT / "docs" / "schemas" / "openapi.json").read_text(encoding="utf-8"))["paths"]
    fitting = [path for path in paths if re.fullmatch(re.sub(r"{\w+}", "[^/]+", path), address.path)]
    assert fitting, address.path
    known = {one["name"] for one in paths[fitting[0]]["get"].get("parameters", [])}
    given = {*dict(parse_qsl(address.query)), *(word.partition("=")[0] for word in words if re.match(r"\w+=", word))}
    assert given <= known


def check_files(words: list[str]) -> None:
    """Every file that a command reads is there."""
    paths = [word.partition("=")[2] or word for word in words if word.endswith(".yml")]
    assert paths and all((ROOT / path).exists() for path in paths)


def check_kubectl(words: list[str]) -> None:
    """A kustomization that is applied is there, or the reader's own; what is deleted by name is there."""
    options = dict(itertools.pairwise(words))
    if "-k" in options:
        assert options["-k"].endswith("/mine") or (ROOT / options["-k"] / "kustomization.yaml").exists()
    if "delete" in words:
        assert (ROOT / "deploy" / "kubernetes" / "base" / f"{words[-1]}.yaml").exists()


def check_systemctl(words: list[str]) -> None:
    """Every unit is one of deploy/systemd."""
    units = [word for word in words if word.startswith("lis-online")]
    folder = ROOT / "deploy" / "systemd"
    for unit in units:
        name = re.sub(r"@\w+", "@", unit)
        assert (folder / (name if name.endswith(".timer") else f"{name}.service")).exists(), unit


PROGRAMS: dict[str, Callable[[list[str]], None]] = {
    "/opt/lis-online/bin/pip": lambda words: None,
    "amtool": check_files,
    "curl": check_curl,
    "df": lambda words: None,
    "kubectl": check_kubectl,
    "lis-online": check_lis_online,
    "make": check_make,
    "python": check_python,
    "python3": lambda words: None,
    "docker": check_docker,
    "promtool": check_files,
    "systemctl": check_systemctl,
    "systemd-sysusers": lambda words: None,
}


@pytest.mark.parametrize("command", commands(), ids=label)
def test_quoted_command_is_one_that_exists(command: Quote) -> None:
    """A command, option, choice or target that was renamed must be renamed in the documents."""
    variables, words, files = split(command.text)
    PROGRAMS[words[0]](words[1:])
    for name in variables:
        assert name.removeprefix("LIS_").removesuffix("_FILE").lower().replace("__", ".") in MEANINGS
    assert all((ROOT / file).exists() for file in files)


def test_two_commands_of_the_readme_are_there() -> None:
    """They are what the README promises first; and the parser above does see commands."""
    quoted = {command.text for command in commands() if command.where == "README.md"}
    assert {"make demo", "make test", "make demo DURATION=90 SUMMARY=out.json"} <= quoted


@pytest.mark.parametrize(
    "span", [span for span in code_spans() if span.text.startswith("lis-online ") and "..." not in span.text], ids=label
)
def test_command_named_in_a_sentence_exists(span: Quote) -> None:
    """In a sentence arguments may be placeholders, but the command and its options are real."""
    command, rest = resolve(span.text.split()[1:])
    known = {option for parameter in command.params for option in parameter.opts}
    assert {word for word in rest if word.startswith("-")} <= known


@pytest.mark.parametrize(
    "span", [span for span in code_spans() if re.match(r"(make|python) [-\w]+( \S+)*$", span.text)], ids=label
)
def test_target_or_module_named_in_a_sentence_exists(span: Quote) -> None:
    """`make reference`, `python -m bench.join_snapshot --users N`."""
    words = span.text.split()
    if words[0] == "make":
        check_make(words[1:])
    else:
        check_python(words[1:3])


@pytest.mark.parametrize("link", links(), ids=label)
def test_link_leads_to_a_file(link: Quote) -> None:
    """Relative to the document that it stands in."""
    target, _, anchor = link.text.partition("#")
    path = (ROOT / link.where).parent / target
    assert path.exists(), path
    assert not anchor or anchor in _anchors(path)


@pytest.mark.parametrize("block", blocks("toml"), ids=label)
def test_settings_snippet_loads(block: Quote) -> None:
    """What is copied from a page must be accepted."""
    Settings.of(tomllib.loads(block.text))


@pytest.mark.parametrize("block", blocks("json"), ids=label)
def test_event_example_is_accepted(block: Quote) -> None:
    """An example of an event obeys every rule of the schema; any other example is JSON at least."""
    found = json.loads(block.text)
    if "topic" in found:
        decoders: dict[str, Callable[[bytes], Any]] = {
            "impressions": decode.decode_impression,
            "feedback": decode.decode_feedback,
            "preferences": decode.decode_preference,
            "representations": decode.decode_representation,
        }
        event = decoders[found["topic"]](json.dumps(found["value"]).encode())
        if found["topic"] == "representations":
            assert decode.vector_of(event, 2).tolist() == [1.0, 0.0]
        assert set(found["value"]) <= set(event.__struct_fields__)


def test_readme_shows_one_event_of_each_topic() -> None:
    """Whoever writes a producer needs all four."""
    shown = [json.loads(block.text).get("topic") for block in blocks("json") if block.where == "README.md"]
    assert sorted(shown) == ["feedback", "impressions", "preferences", "representations"]


def test_summary_of_the_page_has_the_keys_of_the_real_one() -> None:
    """The summary's shape is API."""
    (shown,) = [json.loads(block.text) for block in blocks("json") if block.where == "docs/numbers.md"]
    arms = [{"name": "control", "share": 0.5}, {"name": "treatment", "share": 0.5}]
    guardrail = {"direction": "decrease", "margin": 0.05}
    metrics = [
        {"name": "ctr", "kind": "ratio", "numerator": "click", "denominator": "impression"},
        {"name": "dwell", "kind": "mean", "action": "dwell", "guardrail": guardrail},
    ]
    settings = Settings.of(
        {
            "variant": [{"name": "title", "preference": "coclick", "dimension": 2}],
            "experiment": [{"name": "mllm-q4", "control": "control", "arm": arms, "metric": metrics}],
        }
    )
    real = PublishShard(settings, Layout.of(settings), rolling=False).summary()
    assert list(shown) == list(real)
    for path in (("events",), ("unleaked",), ("sources", "coclick"), ("variants", "title")):
        assert _keys(shown, path) == _keys(real, path)
    experiment = ("experiments", "mllm-q4")
    ctr = (*experiment, "comparisons", "treatment", "ctr")
    for path in (experiment, (*experiment, "arms", "treatment"), (*experiment, "guardrails", "treatment"), ctr):
        assert _keys(shown, path) == _keys(real, path)
    assert _keys(shown, (*ctr, "relative")) == _keys(real, (*ctr, "relative"))
    assert _keys(shown, (*ctr, "level")) == _keys(real, (*ctr, "level"))
    assert _keys(shown, ("arms", "mllm-q4", "control")) == _keys(real, ("arms", "mllm-q4", "control"))


def test_settings_and_series_named_in_a_sentence_exist() -> None:
    """`leakage.sketch_bits`, `lis_lag_records`, views: a name that is gone must go from the documents too."""
    series = {s.name for s in names.every()} | {bound.name for s in names.every() if s.interval for bound in s.bounds}
    settings = {*MEANINGS, *SECTIONS, *(name.rpartition(".")[0] for name in MEANINGS)}
    wrong = []
    for span in code_spans():
        for name in re.findall(rf"\b(?:{'|'.join(SECTIONS)})\.[a-z_.]+\b", span.text):
            known = name in settings or span.text.startswith(("[[", "lis_online")) or (ROOT / span.text).exists()
            wrong += [] if known or name.endswith((".md", ".py")) else [f"{span.where}: {name}"]
        if re.fullmatch(r"lis_[a-z_]+", span.text) and span.text not in {*series, *VIEWS, "lis_online"}:
            wrong.append(f"{span.where}: {span.text}")
    assert not wrong


def test_every_diagnosis_is_explained_in_its_order() -> None:
    """The pages list the diagnoses; numbers.md in the order in which they are tried."""
    for page in ("README.md", "docs/numbers.md"):
        rows = re.findall(r"^\| `(\w+)` \|", (ROOT / page).read_text(encoding="utf-8"), re.MULTILINE)
        listed = [row for row in rows if row in DIAGNOSES]
        assert sorted(listed) == sorted(DIAGNOSES), page
    assert listed == list(DIAGNOSES)


@pytest.mark.parametrize("page", ["docs/architecture.md", "docs/operations.md"])
def test_every_topic_is_on_the_page(page: str) -> None:
    """A topic that nobody reads about is one that nobody watches."""
    text = (ROOT / page).read_text(encoding="utf-8")
    found = topic_names(KafkaSettings())
    assert all(name in text for name in found.values())
    assert set(INTERNAL) <= set(found)


def test_dependencies_page_lists_what_the_project_depends_on() -> None:
    """Each has its reason; none that is gone is still explained."""
    extras = PROJECT["project"]["optional-dependencies"].values()
    required = [PROJECT["project"]["dependencies"], *extras, *PROJECT["dependency-groups"].values()]
    wanted = {re.split(r"[\[<>=~ ]", line)[0] for group in required for line in group}
    page = (ROOT / "docs" / "dependencies.md").read_text(encoding="utf-8")
    assert set(re.findall(r"^\| `([\w-]+)` \|", page, re.MULTILINE)) == wanted


def test_changelog_has_a_section_for_this_version() -> None:
    """A release without a word on what changed is none."""
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert f"## [{PROJECT['project']['version']}]" in text
    assert "## [Unreleased]" in text


def test_example_settings_pass_the_command_that_checks_them() -> None:
    """The first command that a reader runs on the copied file."""
    found = CliRunner().invoke(app, ["config", "check", "-c", str(ROOT / "lis-online.example.toml")])
    assert found.exit_code == 0, found.output
    assert "settings are good" in found.output


def test_documents_are_found() -> None:
    """A glob that matches nothing would pass every test above."""
    assert {"README.md", "docs/numbers.md", "docs/operations.md"} <= {d.relative_to(ROOT).as_posix() for d in DOCUMENTS}


def _anchors(path: Path) -> set[str]:
    headings = re.findall(r"^#+ (.+)$", path.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def _keys(table: dict[str, Any], path: tuple[str, ...]) -> set[str]:
    for name in path:
        table = table[name]
    return set(table)
