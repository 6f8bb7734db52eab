"""What `--help` teaches: the same form for every command, examples that would run, headings, exit codes."""

from __future__ import annotations

import shlex
from typing import Any

import pytest
import typer
from typer.core import TyperGroup

from lis_online.cli.app import PANELS
from lis_online.cli.exit_codes import MEANINGS
from lis_online.cli.help_page import WIDTH, told
from lis_online.cli.main import app
from lis_online.cli.reference import reference
from tests.cli.terminal import Terminal
from tests.cli.test_hostile_arguments import COMMANDS

SERVERS = {("demo",), ("worker",), ("serve",)}
"""What runs until it is told to end, and prints logs or draws a screen."""


@pytest.mark.parametrize("names", COMMANDS, ids=" ".join)
def test_every_example_is_of_its_command_and_has_arguments_that_it_takes(names: tuple[str, ...]) -> None:
    """An option that was renamed, a word that is missing: the help would teach what is refused."""
    command = COMMANDS[names]
    examples = told(command.help).examples
    assert examples
    for example in examples:
        words = shlex.split(example)
        assert words[: 1 + len(names)] == ["lis-online", *names]
        command.make_context("lis-online", words[1 + len(names) :]).close()


def test_an_example_with_an_unknown_option_would_be_found() -> None:
    """The test above can fail."""
    with pytest.raises(typer.TyperException, match="No such option: --rol"):
        COMMANDS["checkpoints", "list"].make_context("lis-online", ["--rol", "rank"])


@pytest.mark.parametrize("names", COMMANDS, ids=" ".join)
def test_every_command_that_ends_has_json(names: tuple[str, ...]) -> None:
    """A script reads no table; `config show` is JSON alone."""
    has = any("--json" in parameter.opts for parameter in COMMANDS[names].params)
    assert has != (names in SERVERS or names == ("config", "show"))


def test_commands_stand_under_headings(terminal: Terminal) -> None:
    """Twenty-odd commands in one list are read by nobody; every one has its place."""
    printed = terminal.run("--help")
    assert (printed.code, printed.err) == (0, "")
    lines = printed.out.splitlines()
    assert [line for line in lines if line in PANELS] == list(PANELS)
    begins = lines.index(PANELS[0])
    for name in _group().commands:
        assert any(line.startswith(f"  {name} ") for line in lines[begins:]), name
    assert all(str(code) in " ".join(lines[-3:]) for code in MEANINGS)


def _group() -> TyperGroup:
    found = typer.main.get_command(app)
    assert isinstance(found, TyperGroup)
    return found


def test_a_page_says_what_a_value_is_and_leaves_flags_alone(terminal: Terminal) -> None:
    """No frame, no type of Python, the choices by name, ranges and defaults."""
    out = terminal.run("evaluate", "events", "--help").out
    assert "Usage: lis-online evaluate events [OPTIONS] PATH\n" in out
    assert "\n  lis-online evaluate events run/events.jsonl -c run/lis-online.toml\n" in out
    assert "--metric auc|gauc " in out
    assert "-c, --config PATH " in out
    assert "--json  " in out
    assert not set("<>│╭") & set(out)
    simulate = terminal.run("simulate", "--help").out
    assert "[1 to 1,000,000,000] [default: 40000]" in " ".join(simulate.split())
    assert "[default: the setting]" in " ".join(terminal.run("checkpoints", "prune", "--help").out.split())


def test_pages_fit_into_a_hundred_columns_but_for_examples(terminal: Terminal) -> None:
    """Text is broken between words; a command is to be copied, and is whole in a pipe."""
    for names in (("review",), ("backfill",), ("vectors", "send")):
        lines = terminal.run(*names, "--help").out.splitlines()
        examples = [f"  {one}" for one in told(COMMANDS[names].help).examples]
        assert set(examples) <= set(lines)
        assert max(len(line) for line in lines if line not in examples) <= WIDTH, names


def test_no_words_give_the_help_and_exit_code_2(terminal: Terminal) -> None:
    """Of the whole, and of a group."""
    for names in ((), ("topics",)):
        printed = terminal.run(*names)
        assert (printed.code, printed.err) == (2, "")
        assert printed.out == terminal.run(*names, "--help").out


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("evalute",), "no such command 'evalute'. Did you mean 'evaluate'? (see lis-online --help)"),
        (("topics", "chek"), "no such command 'chek'. Did you mean 'check'? (see lis-online topics --help)"),
        (
            ("config", "check", "--conifg", "x"),
            "no such option: --conifg (Possible options: --config) (see lis-online config check --help)",
        ),
        (("backfill", "--from", "2026-01-01"), "missing option '--to' (see lis-online backfill --help)"),
        (
            ("worker",),
            "missing argument 'ROLE'. Choose from: join, rank, publish, all (see lis-online worker --help)",
        ),
    ],
)
def test_wrong_arguments_are_one_sentence_that_names_what_is_near(
    terminal: Terminal, arguments: tuple[str, ...], sentence: str
) -> None:
    """The same form as every other error: what, why, and where it stands how it should be."""
    assert terminal.refused(*arguments) == sentence


def test_a_value_of_another_type_is_refused_in_one_sentence_too(terminal: Terminal) -> None:
    """The option is named first."""
    assert terminal.refused("simulate", "--slates", "many").startswith("invalid value for '--slates': ")


def test_exit_codes_are_a_table_of_the_reference() -> None:
    """One place for them all."""
    page: Any = reference().split("## Exit codes\n")[1]
    assert all(f"| {code} | {meaning} |" in page for code, meaning in MEANINGS.items())
