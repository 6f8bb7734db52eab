"""`lis-online rankers`: what ships, whether one keeps the contract, and starting rankers again."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from kafka import KafkaConsumer
from typer.testing import CliRunner, Result

from lis_online.cli import rankers, topics
from lis_online.errors import BrokerError, LisError, TopicError, UsageError
from lis_online.events.rank_log import VERSION, Control, decode
from lis_online.rankers.contract import RULES
from lis_online.rankers.load import SMALL
from lis_online.rankers.shipped import SHIPPED
from lis_online.settings import Settings
from lis_online.shards.rank import RankShard
from lis_online.simulate.toml import to_toml
from tests.fixtures.kafka import KafkaBroker, table_of

QUICK = "[training]\nembedding = 2\nhidden = [8]\n"


def run(*arguments: str) -> Result:
    """Run a command; an error of ours is raised."""
    result = CliRunner().invoke(rankers.app, list(arguments))
    if isinstance(result.exception, LisError):
        raise result.exception
    return result


@pytest.fixture
def quick(tmp_path: Path) -> str:
    """Settings of a small network."""
    path = tmp_path / "quick.toml"
    path.write_text(QUICK)
    return str(path)


def test_list_names_what_ships() -> None:
    """Each with the place of its source, the default marked."""
    said = run("list").stdout
    assert [line.split()[:2] for line in said.splitlines()] == [list(entry) for entry in SHIPPED.items()]
    assert said.count("(the default)") == 1


def test_check_says_that_every_rule_holds(quick: str) -> None:
    """One line for each rule, then what a step costs; exit code 0."""
    result = run("check", "dcn-v2", "-c", quick)
    lines = result.stdout.splitlines()
    assert result.exit_code == 0
    assert lines[:-1] == [f"pass  {rule.name}: {rule.sentence}" for rule in RULES]
    assert "a step of 10 rankers on 512 samples takes" in lines[-1] and "wide-and-deep" in lines[-1]


def test_check_says_which_rule_is_broken_and_what_to_change(quick: str) -> None:
    """What was found and what to do, below the rule; exit code 1."""
    result = run("check", "tests.rankers.broken:BatchNorm", "-c", quick)
    lines = result.stdout.splitlines()
    at = next(k for k, line in enumerate(lines) if line.startswith("FAIL  samples: "))
    assert result.exit_code == 1
    assert lines[at + 1].startswith("      found: other samples in the batch move a logit by ")
    assert lines[at + 2].startswith("      change: use no batch statistics")
    assert lines[-1].endswith("broken")


def test_check_refuses_what_is_no_ranker() -> None:
    """One sentence, as everywhere."""
    with pytest.raises(
        LisError, match=r"training\.ranker: must be one of wide-and-deep, dcn-v2, logistic or package\.module:"
    ):
        run("check", "deepfm")


def test_check_tries_the_sizes_that_the_settings_ask_for() -> None:
    """A ranker that keeps the rules at other sizes only would fail in the worker."""
    settings = Settings.of({"training": {"user_bits": 4, "item_bits": 4, "hidden": [7]}, "events": {"surfaces": ["a"]}})
    shape = RankShard(settings).rankers.network.shape
    assert rankers._shape(settings) == replace(shape, rows=SMALL)


def test_reset_refuses_unknown_names_before_it_connects(tmp_path: Path) -> None:
    """The names that there are stand in the sentence."""
    with pytest.raises(UsageError, match=r"ranker must be one of unleaked, twin, leaked:coclick, .*, got 'leaked:x'"):
        run("reset", "twin", "leaked:x")


@pytest.mark.parametrize("name", ["aligned:v@", "leaked:coclick@1", "aligned:w@1", "v@1", "@1"])
def test_reset_refuses_versions_of_what_has_none(tmp_path: Path, name: str) -> None:
    """Only a variant's rankers have versions; the sentence says how one is named."""
    path = tmp_path / "versions.toml"
    path.write_text('[[variant]]\nname = "v"\npreference = "coclick"\ndimension = 4\n')
    with pytest.raises(UsageError, match=r"permuted:v \(aligned:v@VERSION for an older version\), got"):
        run("reset", name, "-c", str(path))


@pytest.mark.parametrize("name", ["aligned:v", "permuted:v@1", "aligned:v#2", "aligned:v@2026-11@b"])
def test_reset_takes_the_names_that_numbers_and_layout_use(tmp_path: Path, name: str) -> None:
    """Every name goes on to the broker, which is not there."""
    path = tmp_path / "versions.toml"
    table = '[kafka]\nbootstrap = "127.0.0.1:1"\n[[variant]]\nname = "v"\npreference = "coclick"\ndimension = 4\n'
    path.write_text(table)
    with pytest.raises(BrokerError, match="must name a broker that answers"):
        run("reset", name, "-c", str(path))


def test_reset_says_that_no_broker_answers(tmp_path: Path) -> None:
    """The setting, the address, what happened."""
    path = tmp_path / "dead.toml"
    path.write_text('[kafka]\nbootstrap = "127.0.0.1:1"\n')
    with pytest.raises(BrokerError, match=r"kafka\.bootstrap must name a broker that answers, got 127\.0\.0\.1:1"):
        run("reset", "twin", "-c", str(path))


@pytest.mark.kafka
def test_reset_reaches_every_rank_shard(kafka_broker: KafkaBroker, tmp_path: Path) -> None:
    """A control record is in every partition of the rank log when the command ends."""
    table = table_of(kafka_broker, tmp_path)
    del table["history"]
    path = tmp_path / "lis-online.toml"
    path.write_text(to_toml(table))
    with pytest.raises(TopicError, match="must exist"):
        run("reset", "twin", "-c", str(path))
    assert CliRunner().invoke(topics.app, ["create", "-c", str(path)]).exit_code == 0
    log = f"{table['kafka']['prefix']}.samples"
    said = run("reset", "leaked:coclick", "twin", "twin", "-c", str(path)).stdout
    assert said == f"asked 1 partition of {log} to start again: leaked:coclick, twin\n"
    consumer = KafkaConsumer(
        log, bootstrap_servers=kafka_broker.bootstrap, auto_offset_reset="earliest", consumer_timeout_ms=10_000
    )
    try:
        record = next(consumer)
    finally:
        consumer.close()
    assert decode(record.value) == Control(VERSION, ["leaked:coclick", "twin"])
