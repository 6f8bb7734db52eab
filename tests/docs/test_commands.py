"""Every command of every page is run, against Apache Kafka and PostgreSQL, or has a reason why not."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import text

from lis_online.history.engine import build_engine
from tests.docs.excused import BLOCKS, COMMANDS, excuse_of, runner_of
from tests.docs.world import ALONE, Reader, World
from tests.documents import ROOT, SHELLS, Quote, commands, commands_of, every_block
from tests.fixtures.kafka import KafkaBroker

REFERENCE = "docs/cli.md"
PAGES = sorted({command.where for command in commands()}, key=lambda page: (page == REFERENCE, page))
"""The reference last: most of its examples are on another page, where what they need comes before them."""
ROLES = ("analyst", "grafana", "lis_reviews", "lis_worker", "lis_writer")
"""Roles that the documents' commands make: they are the server's, not the database's."""

EXITS = {
    "lis-online topics peek bookshop.shelves --as impressions -c lis-online.toml": 1,
    "lis-online topics peek bookshop.readers --as feedback -c lis-online.toml": 1,
    "lis-online topics peek impressions --file shelves.jsonl": 1,
    "lis-online topics peek prod.feed.served --as impressions -c lis-online.toml": 1,
}
"""Commands that end with another code than 0, as their pages say: nothing maps these messages yet."""

COPIES = {"docs/backfill.md": "other.toml", "docs/rankers.md": "ranker.toml", "docs/security.md": "secure.toml"}
"""Settings files that a page's snippets go to instead of the live one."""


@pytest.fixture(scope="module")
def world(kafka_broker: KafkaBroker, postgres_server: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Return what all pages are followed in."""
    admin = build_engine(postgres_server.get_uri()).execution_options(isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(text("CREATE DATABASE documents"))
    yield World(
        tmp_path_factory.mktemp("docs"), kafka_broker, postgres_server.get_uri(database="documents", driver="psycopg")
    )
    with admin.connect() as connection:
        connection.execute(text("DROP DATABASE documents WITH (FORCE)"))
        for role in ROLES:
            connection.execute(text(f"DROP ROLE IF EXISTS {role}"))
    admin.dispose()


@pytest.fixture(scope="module")
def done() -> dict[str, str]:
    """Return what commands printed that ran well: where topics are shared, the same words mean the same on any page."""
    return {}


@pytest.mark.kafka
@pytest.mark.postgres
@pytest.mark.parametrize("page", PAGES)
def test_page_can_be_followed(page: str, world: World, done: dict[str, str]) -> None:
    """From its first block to its last, as a reader does: settings are adopted, commands typed, output compared."""
    with world.reader(page) as reader:
        printed = ""
        for block in [block for block in every_block() if block.where == page]:
            if block.language in SHELLS:
                for command in commands_of(block):
                    if excuse_of(command) is None:
                        if page in ALONE or command.text not in done:
                            done[command.text] = follow(reader, command)
                        printed = done[command.text]
            elif block.language == "toml":
                adopt(reader, block)
            elif block.language == "text":
                assert shape(block.text.strip()) in shape(printed), f"{page}:{block.line}: got {printed}"


def follow(reader: Reader, command: Quote) -> str:
    """Run a command; return what it printed."""
    typed = reader.typed(command.text)
    printed = reader.shell.run(typed)
    wanted = EXITS.get(command.text, 0)
    assert printed.code == wanted, (
        f"{command.where}:{command.line}: {typed}\nended with {printed.code}, not {wanted}\n{printed.err}{printed.out}"
    )
    return printed.out


def adopt(reader: Reader, block: Quote) -> None:
    """Put a page's settings into the file that they belong to, and have that file checked."""
    name = COPIES.get(block.where, "lis-online.toml")
    reader.shell.wait()
    reader.adopt(block.text, name)
    if block.where != "docs/rankers.md":
        follow(reader, Quote(block.where, f"lis-online config check -c {name}", block.line))


def shape(printed: str) -> str:
    """Return a text without its numbers: they differ from machine to machine, and from size to size."""
    return re.sub(r"\d[\d,.]*", "#", printed)


def test_every_block_is_run_by_something() -> None:
    """A block of a new page, or of another language, needs somebody who runs it."""
    lost = [
        f"{block.where}:{block.line} [{block.language}]"
        for block in every_block()
        if block.language not in (*SHELLS, "toml", "text") and not runner_of(block)
    ]
    assert lost == []


@pytest.mark.parametrize("excuse", [*COMMANDS, *BLOCKS], ids=lambda excuse: excuse.pattern)
def test_excuse_is_needed_and_what_it_names_is_there(excuse: Any) -> None:
    """A command that is gone from the documents leaves no excuse behind; what runs it instead is no empty word."""
    table, found = (COMMANDS, excuse_of) if excuse in COMMANDS else (BLOCKS, runner_of)
    quotes = commands() if table is COMMANDS else every_block()
    assert any(found(quote) is excuse for quote in quotes), excuse.pattern
    assert excuse.instead.startswith("nothing") or (ROOT / excuse.instead).exists(), excuse.instead
