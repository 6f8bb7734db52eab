"""docs/cli.md is what the commands say of themselves."""

from __future__ import annotations

from lis_online.cli.reference import reference
from tests.documents import ROOT


def test_the_page_is_that_of_the_commands() -> None:
    """Make it anew with `make reference`."""
    assert (ROOT / "docs" / "cli.md").read_text(encoding="utf-8") == reference()


def test_every_command_says_what_it_does_and_each_of_its_arguments_too() -> None:
    """Help that is missing is missing on the page."""
    sections = reference().split("\n## lis-online ")[1:]
    assert len(sections) > 25
    for section in sections:
        title, _, body = section.partition("\n\n")
        assert len(body.partition("\n")[0]) > 20, title
        assert "|  |\n" not in body, title
