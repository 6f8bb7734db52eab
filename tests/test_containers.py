"""Dockerfile and compose file against the project: paths, roles, settings, ports. Nothing is built or started."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
import sysconfig
import tomllib
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import CollectorRegistry

from lis_online.access import check_access
from lis_online.errors import SettingsError
from lis_online.exporter.exposition import Exposition
from lis_online.exporter.pages import Pages
from lis_online.exporter.server import ExporterServer
from lis_online.settings import Settings, load
from lis_online.settings.meanings import MEANINGS
from lis_online.settings.model import HttpSettings
from streams.roles import ROLES
from tests.documents import ROOT
from tests.fixtures.certificates import Certificates

DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")
COMPOSE = (ROOT / "compose.yaml").read_text(encoding="utf-8")
OVERRIDES = dict(re.findall(r"^    (LIS_\w+): \"?([^\"\n]+)\"?$", COMPOSE, re.MULTILINE))


@pytest.fixture
def settings(monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Return what a worker of the compose file would run with."""
    for name in [name for name in os.environ if name.startswith("LIS_")]:
        monkeypatch.delenv(name)
    for name, value in OVERRIDES.items():
        monkeypatch.setenv(name, value)
    return load(ROOT / "lis-online.example.toml")


def test_what_the_image_copies_is_in_the_build_context() -> None:
    """.dockerignore leaves out everything that it does not name."""
    copied = [shlex.split(line)[1:-1] for line in re.findall(r"^COPY (?!--from).+$", DOCKERFILE, re.MULTILINE)]
    sources = {source for sources in copied for source in sources}
    allowed = set(re.findall(r"^!(\S+)$", (ROOT / ".dockerignore").read_text(encoding="utf-8"), re.MULTILINE))
    assert sources == allowed
    assert all((ROOT / source).exists() for source in sources)


def test_image_has_what_a_build_of_the_package_needs() -> None:
    """A wheel takes its readme, licence and every listed package from the context."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    folders = {name.split(".")[0] for name in project["tool"]["setuptools"]["packages"]} | {"migrations"}
    needed = {project["project"]["readme"], *project["project"]["license-files"], *folders}
    assert all(re.search(rf"^COPY .*\b{re.escape(name)}\b", DOCKERFILE, re.MULTILINE) for name in needed)


def test_image_does_not_run_as_root() -> None:
    """The last stages start from one whose user is a number, which Kubernetes can check."""
    runtime = DOCKERFILE[DOCKERFILE.index(" AS runtime") :]
    assert re.search(r"^USER [1-9]\d*:[1-9]\d*$", runtime, re.MULTILINE)
    assert re.findall(r"^FROM (\w+) AS (rank|worker)$", runtime, re.MULTILINE) == [
        ("runtime", "rank"),
        ("runtime", "worker"),
    ]


def test_dockerfile_passes_hadolint() -> None:
    """Pinned packages, no shell traps, nothing left behind: its rules, all of them."""
    program = Path(sysconfig.get_path("scripts")) / "hadolint"
    done = subprocess.run([program, ROOT / "Dockerfile"], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout) == (0, "")


def test_what_the_image_installs_is_what_the_lock_has_hashes_of() -> None:
    """A package that was exchanged on its way is not installed."""
    installs = re.findall(r"uv pip install (.+)$", DOCKERFILE, re.MULTILINE)
    assert len(installs) == 3
    for one in installs:
        assert one.endswith("--no-deps .") or ("--require-hashes" in one and one.endswith("-c requirements.lock"))


def test_image_answers_the_network_only_with_token_and_certificate(monkeypatch: pytest.MonkeyPatch) -> None:
    """As it is, without settings: `docker run` refuses to serve to everybody, and says what is missing."""
    for name, value in re.findall(r"\b(LIS_\w+)=(\S+)", DOCKERFILE[DOCKERFILE.index(" AS runtime") :]):
        monkeypatch.setenv(name, value)
    http = load(None).http
    assert (http.host, http.port) == ("0.0.0.0", 9464)
    with pytest.raises(SettingsError, match=r"without http\.token and http\.certificate_file and key_file"):
        check_access(http)


def test_health_of_the_image_is_asked_in_plain_text_and_over_tls(certificates: Certificates) -> None:
    """The command of the Dockerfile itself, against both kinds of server; 503 is a failure."""
    quoted = re.search(r"^HEALTHCHECK .* CMD (\[.+?\])$", DOCKERFILE.replace("\\\n", ""), re.MULTILINE)
    assert quoted is not None
    program, *arguments = json.loads(quoted[1])
    files = {"certificate_file": str(certificates.server), "key_file": str(certificates.server_key)}
    for how in ({}, files):
        for alive, code in ((None, 0), ("stuck", 1)):
            pages = Pages(Exposition(CollectorRegistry()), alive=lambda said=alive: said)  # type: ignore[misc]
            with ExporterServer(pages, HttpSettings(port=0, **how)) as server:  # type: ignore[arg-type]
                environment = {"LIS_HTTP__PORT": str(server.port)}
                environment |= {"LIS_HTTP__CERTIFICATE_FILE": "x"} if how else {}
                assert program == "python"
                command = [sys.executable, *arguments]
                done = subprocess.run(command, env=environment, capture_output=True, timeout=60)
                assert done.returncode == code, done.stderr


def test_containers_have_no_rights_that_they_do_not_need() -> None:
    """Ours: root read-only, no capability, no way to more; they write to checkpoints and /tmp alone."""
    services = _yaml("compose.yaml")["services"]
    ours = [service for service in services.values() if service["image"].startswith("lis-online:")]
    assert len(ours) == 7
    for service in ours:
        assert service["read_only"] is True
        assert (service["tmpfs"], service["cap_drop"]) == (["/tmp"], ["ALL"])
        assert service["security_opt"] == ["no-new-privileges:true"]
        assert [one for one in service["volumes"] if not one.endswith(":ro")] == [
            "checkpoints:/var/lib/lis-online/checkpoints"
        ]


def test_published_ports_are_this_machines_alone() -> None:
    """Nothing of the compose file is reached from outside."""
    services = _yaml("compose.yaml")["services"]
    assert all(port.startswith("127.0.0.1:") for one in services.values() for port in one.get("ports", []))


def test_variables_of_the_image_are_settings() -> None:
    """A misspelled LIS_... variable is read by nobody."""
    found = set(re.findall(r"\bLIS_[A-Z_]+(?==)", DOCKERFILE)) | set(OVERRIDES)
    assert {"LIS_HTTP__HOST", "LIS_KAFKA__BOOTSTRAP"} <= found
    assert {name.removeprefix("LIS_").lower().replace("__", ".") for name in found} <= set(MEANINGS)


def test_compose_settings_load_and_lead_to_the_services(settings: Settings) -> None:
    """The overrides are accepted, and name services that the file has, at the ports where they listen."""
    assert settings.history.url is not None
    assert re.fullmatch(r"postgresql\+psycopg://lis:lis@postgres:5432/lis", settings.history.url.get_secret_value())
    host, _, port = settings.kafka.bootstrap.partition(":")
    assert f"\n  {host}:\n" in COMPOSE
    assert f"//{host}:{port}," in COMPOSE
    assert settings.http.host == "0.0.0.0"
    assert f"- checkpoints:{settings.checkpoints.directory}\n" in COMPOSE
    assert f"127.0.0.1:9464:{settings.http.port}\n" in COMPOSE


def test_prometheus_asks_every_role_at_its_port(settings: Settings) -> None:
    """A role that is not scraped is not watched."""
    text = (ROOT / "prometheus" / "prometheus.yml").read_text(encoding="utf-8")
    named = re.search(r"names: \[(.+)\]", text)
    assert named is not None
    assert set(named[1].split(", ")) == set(ROLES)
    assert f"port: {settings.http.port}\n" in text


def test_compose_file_is_yaml_with_a_worker_of_each_role() -> None:
    """Each role runs its own command on an image that has what it needs, after topics and tables are made."""
    services = _yaml("compose.yaml")["services"]
    for role in ROLES:
        service = services[role]
        assert service["command"] == ["worker", role, "-c", "/etc/lis-online.toml"]
        assert service["build"]["target"] == ("rank" if role == "rank" else "worker")
        assert set(service["depends_on"]) == {"topics", "tables"}
        assert set(service["environment"]) == set(OVERRIDES)
    assert services["topics"]["command"][:2] == ["topics", "create"]
    assert services["tables"]["command"][:2] == ["db", "upgrade"]


def test_compose_volumes_and_dependencies_are_declared() -> None:
    """A volume or service that is named once too often is a start that fails."""
    found = _yaml("compose.yaml")
    mounted = {str(v).split(":")[0] for s in found["services"].values() for v in s.get("volumes", [])}
    named = {name for name in mounted if re.fullmatch(r"\w+", name)}
    assert named == set(found["volumes"])
    for service in found["services"].values():
        assert set(service.get("depends_on", {})) <= set(found["services"])


def test_prometheus_file_is_yaml() -> None:
    """One job, by name."""
    (job,) = _yaml("prometheus/prometheus.yml")["scrape_configs"]
    assert job["job_name"] == "lis-online"


def _yaml(name: str) -> Any:
    yaml = pytest.importorskip("yaml", reason="PyYAML is not installed")
    return yaml.safe_load((ROOT / name).read_text(encoding="utf-8"))
