"""What Grafana starts with, against the dashboards, the compose file and the history's roles."""

from __future__ import annotations

import re
from typing import Any

import pytest
import typer
from sqlalchemy import Engine, text

from grafana.places import DASHBOARDS, HOME, POSTGRES, POSTGRES_UID, PROMETHEUS, PROMETHEUS_UID, PROVISIONING, REVIEWS
from lis_online.cli.main import app
from tests.documents import ROOT

yaml = pytest.importorskip("yaml", reason="PyYAML is not installed")


def load(path: Any) -> Any:
    """Return a YAML file's content."""
    return yaml.safe_load(path.read_text(encoding="utf-8"))


COMPOSE = load(ROOT / "compose.yaml")["services"]
GRAFANA = COMPOSE["grafana"]
MOUNTS = dict(mount.removesuffix(":ro").rsplit(":", 1) for mount in GRAFANA["volumes"])


def test_data_sources_have_fixed_ids_and_the_types_of_the_dashboards() -> None:
    """A link or a saved query survives a new installation."""
    found = {one["uid"]: one["type"] for one in load(PROVISIONING / "datasources" / "lis-online.yml")["datasources"]}
    assert found == {PROMETHEUS_UID: PROMETHEUS.type_val, POSTGRES_UID: POSTGRES.type_val}


def test_data_sources_take_what_compose_gives_them() -> None:
    """A variable that nobody sets is an empty address."""
    text_ = (PROVISIONING / "datasources" / "lis-online.yml").read_text(encoding="utf-8")
    assert set(re.findall(r"\$(\w+)", text_.split("datasources:", 1)[1])) - {"__rate_interval"} == {
        name for name in GRAFANA["environment"] if not name.startswith("GF_")
    }
    host, _, port = GRAFANA["environment"]["POSTGRES_ADDRESS"].partition(":")
    assert (host in COMPOSE, port) == (True, "5432")
    assert GRAFANA["environment"]["PROMETHEUS_URL"] == "http://prometheus:9090"


def test_scrape_interval_is_that_of_prometheus() -> None:
    """$__rate_interval is made from it: a shorter one would see a single scrape."""
    [prometheus, _] = load(PROVISIONING / "datasources" / "lis-online.yml")["datasources"]
    scraped = load(ROOT / "prometheus" / "prometheus.yml")["global"]["scrape_interval"]
    assert prometheus["jsonData"]["timeInterval"] == scraped


def test_dashboards_are_mounted_where_they_are_looked_for() -> None:
    """Each folder of the checkout is one of Grafana's; the first page is one of them."""
    [provider] = load(PROVISIONING / "dashboards" / "lis-online.yml")["providers"]
    assert provider["options"]["foldersFromFilesStructure"] is True
    assert MOUNTS["./grafana/dashboards"] == provider["options"]["path"]
    assert MOUNTS["./grafana/provisioning"] == "/etc/grafana/provisioning"
    first = GRAFANA["environment"]["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"]
    assert (DASHBOARDS / first.removeprefix(provider["options"]["path"] + "/")).exists()
    assert {path.name for path in DASHBOARDS.iterdir()} == {"Overview", "Alignment", "Experiments", "Pipeline"}


def test_what_compose_mounts_is_there() -> None:
    """A missing file becomes an empty folder, and a server that does not start."""
    for service in COMPOSE.values():
        for mount in service.get("volumes", []):
            path = mount.split(":")[0]
            assert not path.startswith("./") or (ROOT / path).exists(), path


def test_alerts_go_to_the_alertmanager_of_the_compose_file() -> None:
    """By its service's name and port, with the file that the tests of the alerts check."""
    [target] = load(ROOT / "prometheus" / "prometheus.yml")["alerting"]["alertmanagers"][0]["static_configs"]
    assert target["targets"] == ["alertmanager:9093"]
    assert "127.0.0.1:9093:9093" in COMPOSE["alertmanager"]["ports"]
    assert any(mount.startswith("./prometheus/alertmanager.yml:") for mount in COMPOSE["alertmanager"]["volumes"])


def test_grafana_reads_as_a_role_of_the_views_alone() -> None:
    """Made before the tables, given the views after them, by the command that does it anywhere."""
    assert COMPOSE["reader"]["command"][:3] == ["db", "grant-reader", GRAFANA["environment"]["POSTGRES_READER"]]
    assert set(COMPOSE["reader"]["depends_on"]) == {"tables"}
    assert "reader" in GRAFANA["depends_on"]
    assert any("reader.sql:/docker-entrypoint-initdb.d/" in mount for mount in COMPOSE["postgres"]["volumes"])


@pytest.mark.postgres
def test_script_of_the_reader_runs_and_its_sessions_only_read(empty_database: Engine) -> None:
    """On a new database, as the image runs it; rolled back, since roles belong to the whole server."""
    script = (HOME / "reader.sql").read_text(encoding="utf-8")
    with empty_database.connect() as connection:
        for statement in filter(None, map(str.strip, re.sub(r"--.*", "", script).split(";"))):
            connection.execute(text(statement))
        role = "SELECT rolcanlogin, rolsuper, rolconfig FROM pg_roles WHERE rolname = 'grafana'"
        assert connection.execute(text(role)).one() == (
            True,
            False,
            ["default_transaction_read_only=on", "statement_timeout=60s"],
        )
        connection.rollback()


def test_reviews_are_served_where_the_dashboards_lead() -> None:
    """On a port of this machine, as the reader's browser asks, by an image that has what a page needs."""
    service = COMPOSE["reviews"]
    assert service["ports"] == [f"{REVIEWS.removeprefix('http://')}:9465"]
    command = typer.main.get_command(app).commands["serve"]  # type: ignore[attr-defined]
    command.make_context("serve", list(service["command"][1:]))
    assert "--extra serve" in (ROOT / "Dockerfile").read_text(encoding="utf-8")
