"""What every dashboard has: tags, links to the others and to reviews, annotations from the history."""

from __future__ import annotations

from typing import Any, Final

from grafana_foundation_sdk.builders import dashboard
from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.models.dashboard import AnnotationQuery, DashboardCursorSync, DashboardLinkType

from grafana import colours
from grafana.places import POSTGRES, TAG
from grafana.sql import CONFIGURATION, Sql

DRIFT: Final = f"""SELECT time, until AS timeend, sentence AS text,
       concat_ws(',', 'drift', variant, number, cause) AS tags
FROM lis_drift_events
WHERE {CONFIGURATION} AND time <= $__timeTo()::timestamptz AND coalesce(until, time) >= $__timeFrom()::timestamptz
ORDER BY time DESC LIMIT 500"""
NOTES: Final = """SELECT time, end_time AS timeend, text, array_to_string(tags, ',') AS tags
FROM lis_annotations
WHERE time <= $__timeTo()::timestamptz AND coalesce(end_time, time) >= $__timeFrom()::timestamptz
ORDER BY time DESC LIMIT 500"""
RANGE: Final = "from=${__from:date:iso}&to=${__to:date:iso}"


class _Annotation(Builder[AnnotationQuery]):
    """An annotation whose target is a query, as Grafana has had it since 8.0; the library's builder has none."""

    def __init__(self, name: str, text: str, colour: str) -> None:
        self.found = AnnotationQuery(name, POSTGRES, True, False, colour)
        self.found.target = Sql(text, series=False, ref_id="Annotation")  # type: ignore[assignment]

    def build(self) -> AnnotationQuery:
        """Return the annotation."""
        return self.found


def frame(uid: str, title: str, description: str, variables: list[Any], since: str = "now-6h") -> dashboard.Dashboard:
    """Return a dashboard without panels. since: the begin of the time shown at first."""
    board = dashboard.Dashboard(title).uid(uid).description(description).tags([TAG]).readonly()
    board = board.timezone("browser").refresh("30s").time(since, "now").tooltip(DashboardCursorSync.CROSSHAIR)
    board = board.variables(variables)
    for name, text, colour in (("Drift", DRIFT, colours.ORANGE), ("Notes", NOTES, colours.PURPLE)):
        board = board.annotation(_Annotation(name, text, colour))
    others = dashboard.DashboardLink("lis-online").type(DashboardLinkType.DASHBOARDS).tags([TAG])
    return board.link(others.include_vars(True).keep_time(True))


def review_link(experiment: str) -> Any:
    """Return the link to an experiment's review of the time shown."""
    url = f"${{reviews}}/api/v1/reviews/{experiment}?format=html&{RANGE}"
    link = dashboard.DashboardLink("Review").type(DashboardLinkType.LINK)
    return link.url(url).target_blank(True).icon("doc")
