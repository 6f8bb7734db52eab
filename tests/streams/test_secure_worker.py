"""A worker of every role as security.md sets it up: TLS to Kafka, PostgreSQL and whoever asks, a role that only writes.

It does its work; its secrets are in nothing that it says, serves or keeps; it writes to two folders and listens at one
port.
"""

from __future__ import annotations

import base64
import json
import os
import signal
import ssl
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import typer
from sqlalchemy import text

from lis_online.cli.main import app
from lis_online.exporter.live_page import FILES
from lis_online.exporter.pages import PATHS
from lis_online.history.engine import build_engine
from lis_online.history.roles import grant_writer
from lis_online.history.schema import upgrade
from lis_online.history.tables import metadata
from lis_online.settings import load
from lis_online.simulate.recorded import generate
from lis_online.simulate.scenarios import scenario
from lis_online.simulate.toml import to_toml
from tests.cli.terminal import Terminal
from tests.fixtures import secure_kafka, secure_postgres
from tests.fixtures.certificates import Certificates
from tests.fixtures.kafka import ROOT, free_port, table_of
from tests.fixtures.secure_kafka import SecureBroker, login
from tests.fixtures.secure_postgres import SecurePostgres
from tests.streams.processes import wait_until

pytestmark = [pytest.mark.kafka, pytest.mark.postgres, pytest.mark.timeout(280)]

TOKEN = "recognisable-http-token"
USER_KEY = "recognisable-user-key"
SECRETS = (secure_kafka.PASSWORD, secure_postgres.PASSWORD, TOKEN, USER_KEY)
ENDLESS = {"demo", "worker", "serve"}
"""Commands that do not end by themselves; the worker is watched below."""
ARGUMENTS = {
    "simulate": ("--slates", "10", "--out", "{folder}/simulated"),
    "evaluate": ("{log}",),
    "replay events": ("{log}", "--speed", "max"),
    "annotate": ("a deploy",),
    "review": ("demo",),
    "db grant-writer": ("lis_writer",),
    "db grant-reader": ("lis_reader",),
    "db prune": ("--dry-run",),
    "history range": ("--from", "2019-11-12T00:00:00Z", "--to", "2019-11-13T00:00:00Z"),
}
"""What else a command needs, beside settings, to come as far as the broker or the database."""


def traces(content: bytes) -> list[str]:
    """Return the secrets that are in there, as they are or as HTTP and others write them."""
    forms = {
        secret: (secret.encode(), base64.b64encode(secret.encode())[:-4], secret.encode().hex().encode())
        for secret in SECRETS
    }
    return [secret for secret, spelled in forms.items() if any(form in content for form in spelled)]


@dataclass
class Evidence:
    """What a worker left. said: its log; pages: by path; notes: as `audited.py` writes them; listening: ports."""

    folder: Path
    config: Path
    log: Path
    environment: dict[str, str]
    code: int | None = None
    said: bytes = b""
    pages: dict[str, bytes] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    listening: set[int] = field(default_factory=set)
    port: int = 0


@pytest.fixture(scope="module")
def evidence(
    secure_broker: SecureBroker,
    secure_postgres: SecurePostgres,
    certificates: Certificates,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Evidence]:
    """Return what a worker leaves that read a small feed and was told to end."""
    folder = tmp_path_factory.mktemp("secure")
    owner = build_engine(secure_postgres.local())
    upgrade(owner)
    grant_writer(owner, "lis_writer")
    owner.dispose()
    secure_postgres.set_password("lis_writer")
    port = free_port()
    config, environment = _configured(folder, secure_broker, secure_postgres, certificates, port)
    found = Evidence(folder, config, folder / "events.jsonl", environment, port=port)
    events = [(topic, value) for _, topic, value in generate(scenario("demo"), 400, seed=5)]
    lines = [f'{{"topic": "{topic}", "value": {(value or b"null").decode()}}}\n' for topic, value in events]
    found.log.write_text("".join([*lines, '{"topic": "impressions", "value": {"schema_version": 7}}\n']))
    for command in (["topics", "create"], ["replay", "events", str(found.log), "--speed", "max", "--finish"]):
        program = [sys.executable, "-m", "lis_online", *command, "-c", str(config)]
        done = subprocess.run(program, cwd=ROOT, env=os.environ | environment, capture_output=True, timeout=120)
        assert done.returncode == 0, done.stderr
        found.said += done.stdout + done.stderr
    _watch(found, certificates)
    yield found


def _configured(
    folder: Path, broker: SecureBroker, postgres: SecurePostgres, certificates: Certificates, port: int
) -> tuple[Path, dict[str, str]]:
    """Write the settings; return their file and the environment, which has the secrets, two of them as files."""
    settings = {
        name: one
        for name, one in scenario("demo").settings.items()
        if name not in ("kafka", "history", "checkpoints", "http")
    }
    settings["metrics"] = {**settings.get("metrics", {}), "warm_up": "1s"}
    kafka = login(broker, certificates)
    del kafka["password"]
    http = {
        "host": "0.0.0.0",
        "port": port,
        "certificate_file": str(certificates.server),
        "key_file": str(certificates.server_key),
    }
    table = table_of(broker, folder, kafka=kafka, http=http, **settings)
    del table["history"]
    config = folder / "lis-online.toml"
    config.write_text(to_toml(table))
    (folder / "token").write_text(TOKEN + "\n")
    (folder / "url").write_text(postgres.remote("lis_writer") + "\n")
    (folder / "tmp").mkdir()
    return config, {
        "LIS_KAFKA__PASSWORD": secure_kafka.PASSWORD,
        "LIS_PRIVACY__USER_KEY": USER_KEY,
        "LIS_HTTP__TOKEN_FILE": str(folder / "token"),
        "LIS_HISTORY__URL_FILE": str(folder / "url"),
        "TMPDIR": str(folder / "tmp"),
        "OMP_NUM_THREADS": "1",
    }


def _watch(found: Evidence, certificates: Certificates) -> None:
    notes, log = found.folder / "notes", found.folder / "worker.log"
    program = [sys.executable, "-m", "tests.streams.audited", str(notes), "worker", "all", "-c", str(found.config)]
    tls = ssl.create_default_context(cafile=str(certificates.ca))
    with log.open("wb") as output:
        process = subprocess.Popen(program, cwd=ROOT, env=os.environ | found.environment, stdout=output, stderr=output)

    def ask(path: str) -> bytes:
        assert process.poll() is None, log.read_text()[-4000:]
        request = urllib.request.Request(
            f"https://localhost:{found.port}{path}", headers={"Authorization": f"Bearer {TOKEN}"}
        )
        try:
            with urllib.request.urlopen(request, timeout=10, context=tls) as answer:
                return str(answer.headers).encode() + bytes(answer.read())
        except urllib.error.HTTPError as exc:
            with exc:
                return str(exc.headers).encode() + exc.read()
        except OSError:
            return b""

    def done() -> bool:
        summary = ask("/api/v1/summary").partition(b"\n\n")[2]
        return bool(summary) and json.loads(summary).get("samples", 0) > 1_000

    try:
        wait_until(done, 120, log.read_text)
        found.pages = {path: ask(path) for path in (*PATHS, *FILES, "/none")}
        found.listening = _listening(process.pid)
        process.send_signal(signal.SIGTERM)
        found.code = process.wait(60)
    finally:
        process.kill()
        process.wait()
    found.said += log.read_bytes()
    found.notes = notes.read_text().splitlines()


def _listening(process: int) -> set[int]:
    """Return the TCP ports that a process listens at, as the kernel knows them."""
    sockets = set()
    for file in Path(f"/proc/{process}/fd").iterdir():
        try:
            sockets.add(str(file.readlink()))
        except FileNotFoundError:
            continue
    ports = set()
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/{process}/net/{table}").read_text().splitlines()[1:]:
            words = line.split()
            if words[3] == "0A" and f"socket:[{words[9]}]" in sockets:
                ports.add(int(words[1].rpartition(":")[2], 16))
    return ports


def test_worker_did_its_work_and_ended_well(evidence: Evidence, secure_postgres: SecurePostgres) -> None:
    """All below is worth something only then: numbers served, rows written by the writer's role, exit code 0."""
    assert evidence.code == 0, evidence.said[-4000:]
    assert b"lis_dead_letter" in evidence.pages["/metrics"]
    engine = build_engine(secure_postgres.local())
    with engine.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM buckets")).scalar_one() > 0
    engine.dispose()


def test_secrets_are_in_nothing_that_a_worker_says_or_serves(evidence: Evidence) -> None:
    """Log and pages, with their headers."""
    assert traces(evidence.said) == []
    assert {path: traces(page) for path, page in evidence.pages.items() if traces(page)} == {}
    assert len(evidence.pages["/metrics"]) > 10_000


def test_secrets_are_in_nothing_that_is_kept(evidence: Evidence, secure_postgres: SecurePostgres) -> None:
    """Checkpoints, whatever else is below the worker's folders, every row of every table."""
    kept = [file for name in ("checkpoints", "tmp") for file in (evidence.folder / name).rglob("*") if file.is_file()]
    assert len(kept) > 3
    assert [file for file in kept if traces(file.read_bytes())] == []
    engine = build_engine(secure_postgres.local())
    with engine.connect() as connection:
        for table in metadata.tables:
            rows = connection.exec_driver_sql(f"SELECT * FROM {table}").all()
            assert traces(repr(rows).encode()) == [], table
    engine.dispose()


def test_it_writes_to_checkpoints_and_temporary_files_alone(evidence: Evidence) -> None:
    """The image's root can be read-only: these two are a volume and a tmpfs."""
    written = {Path(note.removeprefix("write ")) for note in evidence.notes if note.startswith("write ")}
    allowed = (evidence.folder / "checkpoints", evidence.folder / "tmp", Path("/dev"))
    beyond = {path for path in written if not path.is_relative_to(allowed[0]) and not path.is_relative_to(allowed[1])}
    beyond = {path for path in beyond if not path.is_relative_to(allowed[2]) and "__pycache__" not in path.parts}
    assert beyond == set()
    assert any(path.is_relative_to(allowed[0]) for path in written)


def test_it_listens_at_one_port(evidence: Evidence) -> None:
    """Faust's web server, its debugger's, whatever a library brings: shut."""
    assert evidence.listening == {evidence.port}
    assert [note for note in evidence.notes if note.startswith("bind ")] == [f"bind ('0.0.0.0', {evidence.port})"]


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], evidence: Evidence) -> Terminal:
    """Return a terminal with the worker's environment, and its settings' file as {config}."""
    for name, value in evidence.environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(evidence.folder)
    return Terminal(monkeypatch, capfd)


def leaves(group: Any, words: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Yield every command of the program and the words that lead to it."""
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            if command.invoke_without_command:
                yield (*words, name), command
            yield from leaves(command, (*words, name))
        else:
            yield (*words, name), command


COMMANDS = {" ".join(words): command for words, command in leaves(typer.main.get_command(app))}


@pytest.mark.parametrize("name", sorted(COMMANDS.keys() - ENDLESS))
def test_secrets_are_in_nothing_that_a_command_says(terminal: Terminal, evidence: Evidence, name: str) -> None:
    """Every command that there is, with its database, without, and with one that does not let it in."""
    given = [word.format(folder=evidence.folder, log=evidence.log) for word in ARGUMENTS.get(name, ())]
    takes_settings = any("--config" in one.opts for one in COMMANDS[name].params)
    printed = terminal.run(*name.split(), *given, *(["-c", str(evidence.config)] if takes_settings else []))
    assert printed.code in (0, 1, 2)
    assert traces((printed.out + printed.err).encode()) == []
    assert "Traceback" not in printed.err


WRONG_URLS = (
    f"postgresql+psycopg://lis_writer:{secure_postgres.PASSWORD}@no.such.host.invalid/lis",
    f"postgresql+psycopg://lis_writer:{secure_postgres.PASSWORD}@127.0.0.1:1/lis?sslpassword={USER_KEY}",
    f"postgresql+psycopg://lis_writer:{secure_postgres.PASSWORD}@localhost:notaport/lis",
    f"mysql://lis_writer:{secure_postgres.PASSWORD}@localhost/lis",
    f"postgresql+psycopg://lis_writer:{secure_postgres.PASSWORD}@localhost/lis?unknown_option={USER_KEY}",
    f"recognisable nonsense {secure_postgres.PASSWORD}",
    "{other password}",
    "{other database}",
)


@pytest.mark.parametrize("url", WRONG_URLS)
def test_secrets_are_in_no_error_of_the_history(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch, secure_postgres: SecurePostgres, evidence: Evidence, url: str
) -> None:
    """Addresses that lead nowhere, are none, or lead to a database without tables: one line each."""
    replaced = {
        "{other password}": secure_postgres.remote("lis_writer", password=USER_KEY),
        "{other database}": secure_postgres.remote("lis_writer").replace("/lis?", "/postgres?"),
    }
    monkeypatch.delenv("LIS_HISTORY__URL_FILE")
    monkeypatch.setenv("LIS_HISTORY__URL", replaced.get(url, url))
    said = terminal.refused("db", "check", "-c", str(evidence.config))
    assert traces(said.encode()) == []


def test_secrets_are_in_no_traceback(terminal: Terminal, evidence: Evidence) -> None:
    """A bug's: settings, engines and clients show themselves in messages, and say who they are, not what they know."""
    settings = load(evidence.config)
    assert settings.history.url is not None
    engine = build_engine(settings.history.url.get_secret_value())
    shown = [settings, settings.kafka, settings.http, settings.privacy, settings.history, engine, engine.url]
    code = (
        "import sys, logging\nfrom pathlib import Path\nfrom lis_online.settings import load\n"
        "from streams.apps import credentials\nsettings = load(Path(sys.argv[1]))\n"
        "known = [settings, vars(settings), credentials(settings.kafka), settings.model_dump()]\n"
        "try:\n    raise RuntimeError(known)\nexcept RuntimeError:\n    logging.exception('%r', known)\n    raise\n"
    )
    program = [sys.executable, "-c", code, str(evidence.config)]
    done = subprocess.run(program, cwd=ROOT, capture_output=True, timeout=60)
    assert done.returncode == 1 and b"RuntimeError" in done.stderr
    assert traces(done.stderr) == []
    assert traces(" ".join(f"{one} {one!r}" for one in shown).encode()) == []
