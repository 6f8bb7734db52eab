"""The public Python interface: its names and signatures change on purpose or not at all."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import lis_online
from lis_online import Record
from lis_online.cli.main import app
from lis_online.events.recorded_log import read
from lis_online.rankers.network import Shape
from tests.documents import ROOT, blocks

GOLDEN = Path(__file__).with_name("api.txt")
PAGE = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
BY_PLACE = {"lis_online.events.recorded_log.read": read, "lis_online.rankers.network.Shape": Shape}
"""Public names that are not at the top: the places are those that the page gives."""


def signatures() -> Iterator[str]:
    """Yield a line for each public name, and for each public member that a class of the interface defines itself."""
    for name, thing in {**{name: getattr(lis_online, name) for name in lis_online.__all__}, **BY_PLACE}.items():
        if not inspect.isclass(thing):
            yield f"{name}{inspect.signature(thing)}"
        elif issubclass(thing, Exception):
            yield f"class {name}({thing.__base__.__name__})"
        elif name == "Settings":  # its fields are the settings, which have a page and a test of their own
            yield "class Settings"
        elif name == "Record":
            yield f"class Record({', '.join(Record._fields)})"
        else:
            yield f"class {name}{inspect.signature(thing)}"
            yield from (f"{name}.{shown}" for shown in map(_shape, *zip(*vars(thing).items(), strict=True)) if shown)


def test_the_interface_is_that_of_the_golden_text() -> None:
    """A program of a user breaks when one of these lines changes; change the golden text with it, knowingly."""
    assert "".join(f"{line}\n" for line in signatures()) == GOLDEN.read_text(encoding="utf-8")


def test_every_public_name_is_on_the_page() -> None:
    """What is not described is not public."""
    for name in (*lis_online.__all__, *BY_PLACE):
        assert f"`{name}" in PAGE, name


def test_a_name_that_is_not_public_is_refused_as_any_other_modules() -> None:
    """Names are looked up late: a misspelled one must not become an import."""
    with pytest.raises(AttributeError, match=r"^module 'lis_online' has no attribute 'pipeline_'$"):
        _ = lis_online.pipeline_
    assert set(lis_online.__all__) <= set(dir(lis_online))


def test_example_of_the_page_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """On the log of the command that it names."""
    (code,) = [block.text for block in blocks("python") if block.where == "docs/api.md"]
    monkeypatch.chdir(tmp_path)
    app(["simulate", "--slates", "60", "--out", "run"], standalone_mode=False)
    exec(compile(code, "docs/api.md", "exec"), {})
    assert "insufficient_data" in capsys.readouterr().out


def _shape(member: str, value: Any) -> str:
    if member.startswith("_"):
        return ""
    return f"{member}{inspect.signature(value)}" if inspect.isfunction(value) else member * isinstance(value, property)
