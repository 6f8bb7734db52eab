"""Dockerfile and compose file against the project: paths, roles, settings, ports. Nothing is built or started."""

from __future__ import annotations

import os
import re
import shlex
import tomllib
from typing import Any

import pytest

from lis_online.settings import Settings, load
from lis_online.settings.meanings import MEANINGS
from streams.roles import ROLES
from tests.documents import ROOT

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
