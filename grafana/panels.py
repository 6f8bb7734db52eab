"""Panels: each says the question that it answers, and what to do when it is red."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from grafana_foundation_sdk.builders import common, dashboard, prometheus, stat, statetimeline, table, timeseries
from grafana_foundation_sdk.models.common import (
    BigValueColorMode,
    BigValueGraphMode,
    BigValueTextMode,
    GraphTresholdsStyleMode,
    HideSeriesConfig,
    LegendDisplayMode,
    LegendPlacement,
    SortOrder,
    TooltipDisplayMode,
    VisibilityMode,
    VizOrientation,
)
from grafana_foundation_sdk.models.dashboard import (
    DashboardLinkType,
    DataSourceRef,
    DataTransformerConfig,
    DynamicConfigValue,
    FieldColorModeId,
    Threshold,
    ThresholdsMode,
    ValueMap,
    ValueMapping,
    ValueMappingResult,
)
from grafana_foundation_sdk.models.prometheus import PromQueryFormat

from grafana import colours
from grafana.places import POSTGRES, PROMETHEUS, runbook
from grafana.sql import Sql

Builder = Any
"""A panel of the builders' library: each kind is a class of its own there."""
Override = tuple[str, dict[str, Any]]
"""The name of a line or column, and what is set for it."""

SCORE: Final = "none"
"""Differences of a ranking metric have no unit."""
RATIO: Final = "percentunit"
SECONDS: Final = "s"
COUNT: Final = "short"


@dataclass(frozen=True, slots=True)
class Ask:
    """What a panel is there for. red: what to do when it is red; page: its runbook, by the name of its file."""

    question: str
    red: str
    page: str | None = None

    @property
    def description(self) -> str:
        """The text behind the panel's sign."""
        return f"Question: {self.question}\n\nRed: {self.red}"


def prom(expr: str, legend: str = "", ref_id: str = "A", *, instant: bool = False, rows: bool = False) -> Builder:
    """Return a query to Prometheus. rows: as a table."""
    query = prometheus.Dataquery().expr(expr).ref_id(ref_id).legend_format(legend).datasource(PROMETHEUS)
    query = query.instant() if instant else query.range()
    return query.format(PromQueryFormat.TABLE) if rows else query


def proms(queries: dict[str, str], *, instant: bool = False) -> list[Builder]:
    """Return queries to Prometheus by their legends."""
    return [prom(expr, legend, chr(65 + n), instant=instant) for n, (legend, expr) in enumerate(queries.items())]


def chart(title: str, ask: Ask, queries: Sequence[Builder], unit: str, **ways: Any) -> Builder:
    """Return lines over time. ways: as in `_finish`; paint: colours by the regular expressions of lines' names.

    Lines whose names are known have colours of `colours.PALETTE`. Steps are dashed lines across.
    """
    panel = timeseries.Panel().line_width(2).fill_opacity(0).show_points(VisibilityMode.NEVER).span_nulls(False)
    panel = panel.legend(
        common.VizLegendOptions()
        .display_mode(LegendDisplayMode.LIST)
        .placement(LegendPlacement.BOTTOM)
        .show_legend(True)
        .calcs([])
    ).tooltip(common.VizTooltipOptions().mode(TooltipDisplayMode.MULTI).sort(SortOrder.DESCENDING))
    if ways.get("steps"):
        panel = panel.thresholds_style(common.GraphThresholdsStyleConfig().mode(GraphTresholdsStyleMode.DASHED))
    for pattern, colour in ways.pop("paint", {}).items():
        panel = panel.override_by_regexp(pattern, [DynamicConfigValue("color", _fixed(colour))])
    known = [(name, {"color": _fixed(colour)}) for name, colour in zip(_names(queries), colours.PALETTE, strict=False)]
    ways["overrides"] = [*known, *ways.get("overrides", ())]
    return _finish(panel, title, ask, queries, unit, palette=True, **ways)


def band(title: str, ask: Ask, queries: Sequence[Builder], unit: str, label: str, **ways: Any) -> Builder:
    """Return a line named `label` within the band from the line `lower` to the line `upper`."""
    colour = ways.pop("colour", colours.BLUE)
    hidden = HideSeriesConfig(tooltip=False, legend=True, viz=False)
    edge = {"custom.lineWidth": 0, "custom.hideFrom": hidden, "color": _fixed(colour)}
    sides: list[Override] = [
        (label, {"color": _fixed(colour)}),
        ("upper", {**edge, "custom.fillBelowTo": "lower", "custom.fillOpacity": 20}),
        ("lower", edge),
    ]
    return chart(title, ask, queries, unit, overrides=[*sides, *ways.pop("overrides", ())], **ways)


def figure(title: str, ask: Ask, queries: Sequence[Builder], unit: str, **ways: Any) -> Builder:
    """Return the newest value, large; several of them one under the other, with their names."""
    graph = BigValueGraphMode.AREA if ways.pop("graph", False) else BigValueGraphMode.NONE
    mode = BigValueColorMode.VALUE if ways.get("steps") or ways.get("words") else BigValueColorMode.NONE
    several = BigValueTextMode.VALUE_AND_NAME if len(queries) > 1 else BigValueTextMode.VALUE
    panel = (
        stat.Panel()
        .graph_mode(graph)
        .color_mode(mode)
        .text_mode(ways.pop("text", several))
        .orientation(VizOrientation.AUTO)
    )
    panel = panel.reduce_options(common.ReduceDataOptions().calcs(["lastNotNull"]).fields("").values(False))
    return _finish(panel, title, ask, queries, unit, **ways)


def timeline(title: str, ask: Ask, queries: Sequence[Builder], words: dict[str, str], **ways: Any) -> Builder:
    """Return states over time. words: colour by word, in the order of their codes from 1."""
    panel = statetimeline.Panel().merge_values(True).row_height(0.8).fill_opacity(80).line_width(0)
    panel = panel.show_value(VisibilityMode.AUTO)
    return _finish(panel, title, ask, queries, "none", words=words, **ways)


def rows(title: str, ask: Ask, queries: Sequence[Builder], unit: str = "none", **ways: Any) -> Builder:
    """Return a table."""
    return _finish(table.Panel().show_header(True), title, ask, queries, unit, **ways)


def _finish(
    panel: Builder,
    title: str,
    ask: Ask,
    queries: Sequence[Builder],
    unit: str,
    *,
    steps: Sequence[tuple[float | None, str]] = (),
    words: dict[str, str] | None = None,
    overrides: Sequence[Override] = (),
    shape: Sequence[DataTransformerConfig] = (),
    links: Sequence[tuple[str, str]] = (),
    decimals: int | None = None,
    least: float | None = None,
    most: float | None = None,
    empty: str = "no data",
    palette: bool = False,
) -> Builder:
    """Return the panel with what all kinds have. steps: thresholds, lowest first; empty: what no data means here."""
    panel = panel.title(title).description(ask.description).unit(unit).no_value(empty)
    panel = panel.datasource(_source(queries)).targets(queries).transformations(list(shape))
    panel = panel.thresholds(_thresholds(steps)).mappings([_mapping(words)] if words else [])
    panel = panel.color_scheme(_scheme((steps or words) and not palette))
    for name, values in overrides:
        panel = panel.override_by_name(name, [DynamicConfigValue(key, value) for key, value in values.items()])
    pages = [("What to do", runbook(ask.page))] if ask.page else []
    panel = panel.links([_link(*link) for link in (*pages, *links)])
    panel = panel if decimals is None else panel.decimals(decimals)
    panel = panel if least is None else panel.min(least)
    return panel if most is None else panel.max(most)


def _names(queries: Sequence[Builder]) -> list[str]:
    """Return the names of lines that are known beforehand."""
    if isinstance(queries[0], Sql):
        return re.findall(r'point\."([^"]+)"', queries[0].text)
    return [name for query in queries if (name := query.build().legend_format) and "{{" not in name]


def _source(queries: Sequence[Builder]) -> DataSourceRef:
    return POSTGRES if isinstance(queries[0], Sql) else PROMETHEUS


def _thresholds(steps: Sequence[tuple[float | None, str]]) -> Builder:
    found = [Threshold(value, colour) for value, colour in steps or ((None, colours.GOOD),)]
    return dashboard.ThresholdsConfig().mode(ThresholdsMode.ABSOLUTE).steps(found)


def _mapping(words: dict[str, str]) -> ValueMapping:
    listed = enumerate(words.items())
    return ValueMap({str(n + 1): ValueMappingResult(word, colour, None, n) for n, (word, colour) in listed})


def _scheme(judged: object) -> Builder:
    return dashboard.FieldColor().mode(FieldColorModeId.THRESHOLDS if judged else FieldColorModeId.PALETTE_CLASSIC)


def _fixed(colour: str) -> dict[str, str]:
    return {"mode": "fixed", "fixedColor": colour}


def _link(title: str, url: str) -> Builder:
    link = dashboard.DashboardLink(title).type(DashboardLinkType.LINK)
    return link.url(url).target_blank(True).icon("external link")
