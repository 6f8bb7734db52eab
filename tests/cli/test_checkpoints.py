"""`lis-online checkpoints`: what is there, whether it is whole, and what may go."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import fsspec
import pytest
from typer.testing import CliRunner, Result

from lis_online.checkpoints.place import open_place
from lis_online.checkpoints.store import CheckpointStore
from lis_online.cli import checkpoints
from lis_online.errors import LisError
from lis_online.settings import Settings
from lis_online.shards.fingerprint import fingerprint
from tests.checkpoints.stores import names, overwrite, snapshot
from tests.cli.terminal import Terminal


@pytest.fixture(params=["folder", "memory"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty place."""
    return str(tmp_path / "lis") if request.param == "folder" else f"memory://{uuid4().hex}"


@pytest.fixture
def config(url: str, tmp_path: Path) -> str:
    """Settings with that place."""
    path = tmp_path / "lis.toml"
    path.write_text(f'[checkpoints]\ndirectory = "{url}"\nkeep = 2\n')
    return str(path)


def saved(url: str, role: str, position: int, partition: int = 0, at: float = 1e9, **other: Any) -> CheckpointStore:
    """Save a checkpoint of the default settings; other: what of them differs."""
    settings = fingerprint(Settings.of({}), role) | other
    store = CheckpointStore(url, role, partition, 100, settings, clock=lambda: at)
    store.save(snapshot(position), position)
    return store


def run(*arguments: str) -> Result:
    """Run a command; an error of ours is raised."""
    result = CliRunner().invoke(checkpoints.app, list(arguments))
    if isinstance(result.exception, LisError):
        raise result.exception
    return result


def listed(*arguments: str) -> list[dict[str, Any]]:
    """Return what `list --json` says."""
    found: list[dict[str, Any]] = json.loads(run("list", "--json", *arguments).stdout)["checkpoints"]
    return found


def test_list_says_what_each_is(url: str, config: str) -> None:
    """By shard, the newest first; clean, archived, damaged, unfinished, of another release; whose settings differ."""
    saved(url, "join", 5).archive(5, "variant bert was removed")
    saved(url, "join", 9, colour="red").mark_clean(9)
    saved(url, "rank", 3, partition=1)
    overwrite(url, names(url, "json")[-1], b"{}")
    overwrite(url, f"rank-1-{7:020}-{0:020x}.safetensors", b"half")
    overwrite(url, f"publish-0-{7:020}.safetensors", b"old")
    overwrite(url, "notes.txt", b"not ours")
    found = listed("-c", config)
    assert [(one["role"], one["partition"], one["position"], one["state"]) for one in found] == [
        ("join", 0, 9, "clean"),
        ("join", 0, 5, "archived"),
        ("join", 0, 5, "whole"),
        ("publish", 0, 7, "other_release"),
        ("rank", 1, 7, "unfinished"),
        ("rank", 1, 3, "damaged"),
    ]
    assert found[0]["settings_differ"] == ["colour was 'red' and is 'absent'"]
    assert found[1]["settings_differ"] == []
    assert found[1]["why"] == "variant bert was removed"
    assert found[2]["created_at"] == "2001-09-09T01:46:40+00:00"
    assert found[2]["bytes"] > 4_000


def test_table_is_for_people(url: str, config: str) -> None:
    """Age, size and state at a glance; an empty place is said in words."""
    assert run("list", "-c", config).stdout == f"no checkpoints in {open_place(url).url}\n"
    saved(url, "join", 12_345, at=datetime.now(UTC).timestamp() - 3 * 3600)
    said = run("list", "-c", config).stdout
    assert all(word in said for word in ("12,345", "3 h", "kB", "whole", "the same"))


def test_role_and_partition_choose(url: str, config: str) -> None:
    """Of many shards, those that were asked for."""
    for role, partition in (("join", 0), ("join", 1), ("rank", 0)):
        saved(url, role, 1, partition)
    assert len(listed("-c", config, "--role", "join")) == 2
    assert len(listed("-c", config, "--partition", "0")) == 2
    with pytest.raises(LisError, match=r"--role must be one of join, rank, publish, got 'jion'"):
        run("list", "--role", "jion", "-c", config)


def test_verify_reads_every_byte(url: str, config: str) -> None:
    """A bit that a listing cannot see makes the command exit with 1, and the line says which checkpoint."""
    saved(url, "join", 1).archive(1, "kept")
    saved(url, "rank", 2)
    assert run("verify", "-c", config).exit_code == 0
    data = names(url, "safetensors", "archive/")[0]
    overwrite(url, data, open_place(url).read(data)[:-1] + b"x")
    assert [one["state"] for one in listed("-c", config)] == ["archived", "whole", "whole"]
    done = run("verify", "-c", config)
    assert done.exit_code == 1
    assert "its digest differs\n2 as they were written, 1 not" in done.stdout
    told = json.loads(run("verify", "--json", "-c", config).stdout)
    assert told["broken"] == 1
    assert [one["state"] for one in told["checkpoints"]] == ["damaged", "whole", "whole"]


def test_prune_keeps_the_newest_of_each_shard(url: str, config: str) -> None:
    """As many as the settings or the option say; whatever is not an old checkpoint stays."""
    for role in ("join", "rank"):
        for position in (1, 2, 3):
            saved(url, role, position)
    overwrite(url, "notes.txt", b"not ours")
    assert "4 objects removed" in run("prune", "-c", config).stdout
    removed = json.loads(run("prune", "--keep", "1", "--role", "rank", "--json", "-c", config).stdout)["removed"]
    assert len(removed) == 2
    assert [(one["role"], one["position"]) for one in listed("-c", config)] == [("join", 3), ("join", 2), ("rank", 3)]
    assert names(url, "txt") == ["notes.txt"]


def test_archived_ones_go_by_age_alone(url: str, config: str) -> None:
    """They are kept for ever, until somebody says how old is too old."""
    saved(url, "join", 1).archive(1, "old")
    saved(url, "join", 2, at=datetime.now(UTC).timestamp()).archive(2, "new")
    run("prune", "-c", config)
    assert len(names(url, folder="archive/")) == 4
    assert "2 objects removed" in run("prune", "--archived", "--older-than", "90d", "-c", config).stdout
    assert [one["why"] for one in listed("-c", config) if one["state"] == "archived"] == ["new"]
    for arguments in (["--archived"], ["--older-than", "90d"], ["--archived", "--older-than", "1d", "--keep", "2"]):
        with pytest.raises(LisError, match="--archived needs --older-than"):
            run("prune", *arguments, "-c", config)
    with pytest.raises(LisError, match="--older-than "):
        run("prune", "--archived", "--older-than", "soon", "-c", config)


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("s3://bucket/lis", "checkpoints.directory s3://bucket/lis needs a package for s3: pip install s3fs"),
        ("nowhere://x", "checkpoints.directory must be a folder or an fsspec URL, got nowhere://x"),
    ],
)
def test_wrong_place_is_one_sentence_and_exit_code_2(terminal: Terminal, config: str, sentence: str) -> None:
    """No traceback for a URL that cannot be used."""
    assert sentence in terminal.refused("checkpoints", "list", "-c", config)
    worker = terminal.run("worker", "join", "-c", config)  # says so before it asks for a broker
    assert worker.code == 2
    assert sentence in worker.err


def test_place_that_refuses_is_one_sentence(
    terminal: Terminal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No permission, no answer: the setting's name, what was tried, and what was said."""

    def refuse(*arguments: object, **keywords: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(type(fsspec.filesystem("memory")), "ls", refuse)
    path = tmp_path / "lis.toml"
    path.write_text('[checkpoints]\ndirectory = "memory://refusing"\n')
    said = terminal.refused("checkpoints", "verify", "-c", str(path))
    assert "checkpoints.directory memory://refusing must let itself list it: Permission denied" in said
