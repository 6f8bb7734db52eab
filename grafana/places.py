"""Where everything is: data sources, dashboards, reviews, runbooks."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from grafana_foundation_sdk.models.dashboard import DataSourceRef

HOME: Final = Path(__file__).parent
DASHBOARDS: Final = HOME / "dashboards"
PROVISIONING: Final = HOME / "provisioning"
RULES: Final = HOME.parent / "prometheus" / "rules"

TAG: Final = "lis-online"
"""On every dashboard: links between them are by this tag."""
PROMETHEUS_UID: Final = "lis-prometheus"
POSTGRES_UID: Final = "lis-postgres"
PROMETHEUS: Final = DataSourceRef("prometheus", "${prometheus_datasource}")
POSTGRES: Final = DataSourceRef("grafana-postgresql-datasource", "${postgres_datasource}")

REVIEWS: Final = "http://127.0.0.1:9465"
"""Where `lis-online serve` answers, seen from the reader's browser: the default of the variable `reviews`."""
SITE: Final = "https://lis-online.example"
"""Where the documentation's site is read: a placeholder, for which `make dashboards SITE=address` puts another one."""
RUNBOOKS: Final = f"{SITE}/runbooks"
"""The site's folder of runbooks, as in the alerts' rules: the default of the variable `runbooks`."""


def runbook(name: str) -> str:
    """Return the address of a runbook, of its file's name without .md."""
    return f"${{runbooks}}/{name}.html"
