"""What a reader chooses at the head of a dashboard."""

from __future__ import annotations

from typing import Any, Final

from grafana_foundation_sdk.builders import dashboard
from grafana_foundation_sdk.models.dashboard import (
    DataSourceRef,
    VariableHide,
    VariableOption,
    VariableRefresh,
    VariableSort,
)

from grafana.places import POSTGRES, PROMETHEUS, REVIEWS, RUNBOOKS
from grafana.promql import pick
from lis_online.exporter import names
from lis_online.exporter.series import Series

EVERY: Final = VariableOption(text="All", value="$__all", selected=True)


def sources() -> list[Any]:
    """Return the choice of both data sources."""
    found = []
    for name, kind, label in (
        ("prometheus_datasource", PROMETHEUS.type_val, "Prometheus data source"),
        ("postgres_datasource", POSTGRES.type_val, "PostgreSQL data source"),
    ):
        assert kind is not None
        found.append(dashboard.DatasourceVariable(name).type(kind).label(label))
    return found


def places() -> list[Any]:
    """Return the addresses of reviews and runbooks, which a deployment changes in one place."""
    found = []
    for name, address, label in (("reviews", REVIEWS, "Reviews"), ("runbooks", RUNBOOKS, "Runbooks")):
        variable = dashboard.ConstantVariable(name).value(address).label(label)
        variable.build().hide = VariableHide.HIDE_VARIABLE  # its builder has no such method
        found.append(variable)
    return found


def job() -> Any:
    """Return the choice of Prometheus jobs: two deployments may be in one Prometheus."""
    return _query("job", "Job", f"label_values({names.BUILD.name}, job)", PROMETHEUS, many=True)


def instance() -> Any:
    """Return the choice of workers."""
    return _query("instance", "Worker", _values(names.BUILD, "instance"), PROMETHEUS, many=True)


def window() -> Any:
    """Return the choice of a rolling window: lengths alone, since a query to the history computes with it."""
    found = _query("window", "Window", _values(names.SAMPLES, "window"), PROMETHEUS)
    return found.regex(r"/^\d+[smhd]$/").sort(VariableSort.NUMERICAL_ASC)


def slice_() -> Any:
    """Return the choice of a slice."""
    return _query("slice", "Slice", _values(names.SAMPLES, "slice"), PROMETHEUS)


def variant(*, many: bool) -> Any:
    """Return the choice of a variant, or of several."""
    return _query("variant", "Variant", _values(names.VARIANT, "variant"), PROMETHEUS, many=many)


def source() -> Any:
    """Return the preference source of the chosen variant, which nobody needs to choose."""
    values = _values(names.VARIANT, "source", 'variant="$variant"')
    return _query("source", "Source", values, PROMETHEUS).hide(VariableHide.HIDE_VARIABLE)


def experiment() -> Any:
    """Return the choice of an experiment."""
    return _query("experiment", "Experiment", _values(names.ARM_INFO, "experiment"), PROMETHEUS)


def arm() -> Any:
    """Return the choice of the arms that are compared with control."""
    values = _values(names.ARM_INFO, "arm", 'experiment="$experiment"', 'control="false"')
    return _query("arm", "Arm", values, PROMETHEUS, many=True)


def metric() -> Any:
    """Return the choice of an experiment's metric."""
    values = _values(names.ARM_METRIC, "metric", 'experiment="$experiment"')
    return _query("metric", "Metric", values, PROMETHEUS)


def configuration() -> Any:
    """Return the choice of a configuration: numbers under two are not comparable. The newest live one comes first."""
    text = (
        "SELECT configuration AS __value, configuration || ' since ' || to_char(created_at, 'YYYY-MM-DD') "
        "|| coalesce(' (' || note || ')', '') AS __text FROM lis_configurations "
        "ORDER BY (note IS NULL) DESC, configuration DESC"
    )
    return _query("configuration", "Configuration", text, POSTGRES).sort(VariableSort.DISABLED)


def _values(series: Series, label: str, *matchers: str) -> str:
    return f"label_values({pick(series, *matchers)}, {label})"


def _query(name: str, label: str, query: str, source: DataSourceRef, *, many: bool = False) -> Any:
    """Return a variable that is asked for anew when the time range changes."""
    asked: str | dict[str, object] = query
    if source is PROMETHEUS:
        asked = {"query": query, "refId": f"variable-{name}"}
    found = dashboard.QueryVariable(name).label(label).datasource(source).query(asked)
    found = found.refresh(VariableRefresh.ON_TIME_RANGE_CHANGED).sort(VariableSort.ALPHABETICAL_ASC)
    return found.multi(True).include_all(True).current(EVERY) if many else found
