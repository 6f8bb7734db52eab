"""The page's charts as plotly figures: plain data, so that the same review always gives the same bytes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from lis_online.review.document import AlignmentPoint, Arm, MetricResult, Number, Point, Review
from lis_online.review.html_figures import (
    COLOURS,
    TOLD,
    Figure,
    Style,
    band_of,
    by_name_layout,
    errors,
    label,
    layout_of,
    local,
    over_time_layout,
    quiet,
    short,
    style_of,
    trace_of,
    unread,
    visible,
)
from lis_online.review.html_words import DASH
from lis_online.review.words import gain, lift, percent

SETTLED: Final = 0.25
"""Share of the times, the earliest, that do not decide a chart's range: their intervals dwarf all later ones."""


@dataclass(frozen=True, slots=True)
class Chart:
    """A figure, what it is of, and its text alternative: a table's headings and rows."""

    key: str
    kind: str
    title: str
    headings: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    traces: list[Figure]
    layout: Figure
    of: str | None = None

    def to_json(self) -> Figure:
        """Return what plotly draws, and where."""
        return {"id": self.key, "data": self.traces, "layout": self.layout}


def every(review: Review) -> list[Chart]:
    """Return the charts in the order of the page; those without anything to show are not among them."""
    found: list[Chart] = []
    for index, metric in enumerate(metrics(review)):
        found += _lift_over_time(review, metric, index)
        found += _forest(review, metric, index)
    return [*found, *_delivered(review), *_alignment_over_time(review), *_agreement(review)]


def metrics(review: Review) -> list[str]:
    """Return the metrics' names, the primary one first."""
    names = dict.fromkeys(one.metric for arm in review.arms for one in arm.metrics)
    return sorted(names, key=lambda name: name != review.primary_metric)


def _lift_over_time(review: Review, metric: str, index: int) -> Iterator[Chart]:
    points = [point for point in review.over_time if point.metric == metric]
    arms = [arm.arm for arm in review.arms if any(point.arm == arm.arm for point in points)]
    if not arms:
        return
    traces: list[Figure] = []
    for place, arm in enumerate(arms):
        traces += _lift_traces(review, arm, place, [point for point in points if point.arm == arm])
    yield Chart(
        f"lift-{index}",
        "over_time",
        f"Lift in {metric} over time",
        ("time", "arm", "lift", "always-valid", "fixed"),
        tuple(_point_row(review, point) for point in points),
        traces,
        unread(review, over_time_layout(review, "+.1%", _settled_range(points), _minimum_effect(review, metric))),
        metric,
    )


def _lift_traces(review: Review, arm: str, place: int, points: Sequence[Point]) -> Iterator[Figure]:
    style = style_of(review, place)
    times = [local(review, point) for point in points]
    group = {"legendgroup": str(place), "visible": visible(place)}
    band = band_of(times, [point.lower for point in points], [point.upper for point in points])
    yield {**group, **band, **style.band}
    fixed = ([point.fixed_lower for point in points], [point.fixed_upper for point in points])
    yield {
        **group,
        **quiet([*times, None, *times], [*fixed[0], None, *fixed[1]]),
        "line": {"color": style.colour, "width": 1, "dash": "dot"},
    }
    told = [f"<b>{label(arm)}</b><br>{'<br>'.join(_point_row(review, point)[2:4])}" for point in points]
    yield {**group, **style.line(arm, times, [point.value for point in points], told)}


def _point_row(review: Review, point: Point) -> tuple[str, ...]:
    return (
        local(review, point)[:16].replace("T", " "),
        point.arm,
        DASH if point.value is None else percent(point.value),
        _between(point.lower, point.upper),
        _between(point.fixed_lower, point.fixed_upper),
    )


def _between(lower: float | None, upper: float | None) -> str:
    return DASH if lower is None or upper is None else f"{percent(lower)} to {percent(upper)}"


def _settled_range(points: Sequence[Point]) -> list[float] | None:
    """Return the range of the values' axis, None for plotly's own choice."""
    times = sorted({point.time for point in points})
    settled = times[int(len(times) * SETTLED)]
    late = [point for point in points if point.time >= settled]
    edges = [x for point in late for x in (point.lower, point.upper, point.value) if x is not None]
    if not edges:
        return None
    low, high = min(0.0, *edges), max(0.0, *edges)
    pad = 0.08 * (high - low) or 0.01
    return [low - pad, high + pad]


def _minimum_effect(review: Review, metric: str) -> float | None:
    return next((one.minimum_effect for arm in review.arms for one in arm.metrics if one.metric == metric), None)


def _forest(review: Review, metric: str, index: int) -> Iterator[Chart]:
    found = [(arm.arm, one) for arm in review.arms for one in arm.metrics if one.metric == metric and one.relative]
    drawn = [(arm, one) for arm, one in found if one.relative and one.relative.value is not None]
    if not drawn:
        return
    traces = [trace for place, (arm, one) in enumerate(drawn) for trace in _whiskers(review, arm, one, place)]
    yield Chart(
        f"forest-{index}",
        "forest",
        f"Lift in {metric} by arm",
        ("arm", "lift", "always-valid", "fixed"),
        tuple((arm, *_lift_words(one)) for arm, one in found),
        traces,
        unread(review, by_name_layout([arm for arm, _ in drawn], "+.1%")),
        metric,
    )


def _whiskers(review: Review, arm: str, one: MetricResult, place: int) -> Iterator[Figure]:
    """Yield the always-valid interval as a thin line, the fixed one as a thick one, and the lift as a mark."""
    assert one.relative is not None
    style = style_of(review, place)
    for interval, width in ((one.relative.sequence, 2), (one.relative.fixed, 6)):
        if interval.lower is not None and interval.upper is not None:
            yield {
                **quiet([interval.lower, interval.upper], [place, place]),
                "line": {"color": style.colour, "width": width},
                "opacity": 1 if width < 3 else 0.55,
            }
    told = f"<b>{label(arm)}</b><br>{label(lift(one.relative))}"
    yield style.marks([one.relative.value], [place], [told], size=11)


def _lift_words(one: MetricResult) -> tuple[str, ...]:
    if one.relative is None or one.relative.value is None:
        return (f"{DASH} {one.relative.reason if one.relative else ''}", DASH, DASH)
    intervals = (one.relative.sequence, one.relative.fixed)
    return (percent(one.relative.value), *(_between(found.lower, found.upper) for found in intervals))


def _delivered(review: Review) -> Iterator[Chart]:
    served = [arm for arm in review.arms if arm.representation is not None]
    drawn = [arm for arm in served if arm.representation and arm.representation.adjusted_ais.value is not None]
    if not drawn:
        return
    names = [arm.representation.variant for arm in drawn if arm.representation]
    traces: list[Figure] = []
    for number, name, place, symbol in (
        ("adjusted_lis", "adjusted LIS: what the source could bring", 0, "diamond-open"),
        ("adjusted_ais", "adjusted AIS: what the variant delivers", 1, "circle"),
    ):
        traces += _number_marks(drawn, number, name, place, symbol)
    yield Chart(
        "delivered",
        "delivered",
        "What the sources could bring, and what the variants deliver",
        ("arm", "variant", "adjusted LIS", "adjusted AIS"),
        tuple(
            (arm.arm, arm.representation.variant, gain(arm.representation.adjusted_lis),
             gain(arm.representation.adjusted_ais))
            for arm in served if arm.representation
        ),
        traces,
        by_name_layout(names, "+.3f", "AUC", legend=True),
    )  # fmt: skip


def _number_marks(arms: Sequence[Arm], number: str, name: str, place: int, symbol: str) -> Iterator[Figure]:
    held = [(row, getattr(arm.representation, number)) for row, arm in enumerate(arms)]
    rows = [row for row, one in held if one.value is not None]
    known = [one for _, one in held if one.value is not None]
    variants = [arm.representation.variant for arm in arms if arm.representation]
    colour, apart = COLOURS[place], (-0.12, 0.12)[place]  # one above the other where they are equal
    yield {
        **trace_of([one.value for one in known], [row + apart for row in rows], "markers"),
        "name": name,
        "showlegend": True,
        "marker": {"color": colour, "size": 11, "symbol": symbol, "line": {"width": 2, "color": colour}},
        "error_x": {**errors(known), "color": colour},
        "customdata": [f"<b>{label(variants[row])}</b><br>{name.split(':')[0]} {label(gain(one))}"
                       for row, one in zip(rows, known, strict=True)],
        "hovertemplate": TOLD,
    }  # fmt: skip


def _alignment_over_time(review: Review) -> Iterator[Chart]:
    points = review.alignment_over_time
    variants = list(dict.fromkeys(point.variant for point in points))
    if not variants:
        return
    traces: list[Figure] = []
    for place, variant in enumerate(variants):
        traces += _alignment_traces(review, variant, place, [one for one in points if one.variant == variant])
    yield Chart(
        "alignment",
        "over_time",
        "Adjusted AIS and LIS over time",
        ("time", "variant", "adjusted LIS", "adjusted AIS", "diagnosis"),
        tuple(
            (local(review, one)[:16].replace("T", " "), one.variant, gain(one.adjusted_lis), gain(one.adjusted_ais),
             one.diagnosis or DASH)
            for one in points
        ),
        traces,
        over_time_layout(review, "+.3f", None, None),
    )  # fmt: skip


def _alignment_traces(review: Review, variant: str, place: int, points: Sequence[AlignmentPoint]) -> Iterator[Figure]:
    style = Style(place, COLOURS[place % len(COLOURS)])
    times = [local(review, one) for one in points]
    group = {"legendgroup": str(place), "visible": visible(place)}
    ais = [one.adjusted_ais for one in points]
    yield {**group, **band_of(times, [one.lower for one in ais], [one.upper for one in ais]), **style.band}
    yield {
        **group,
        **quiet(times, [one.adjusted_lis.value for one in points]),
        "line": {"color": style.colour, "width": 1.5, "dash": "dot"},
    }
    told = [f"<b>{label(variant)}</b><br>AIS {label(gain(one.adjusted_ais))}<br>LIS {label(gain(one.adjusted_lis))}"
            for one in points]  # fmt: skip
    yield {**group, **style.line(variant, times, [one.value for one in ais], told)}


def _agreement(review: Review) -> Iterator[Chart]:
    placed = [(arm, *both) for arm in review.arms if (both := _both(review, arm)) is not None]
    if len(placed) < 2:
        return
    traces = [
        {
            **style_of(review, place).marks([x.value], [y.value], [_agreement_words(arm, x, y)], size=12),
            "name": short(arm.arm),
            "showlegend": True,
            "error_x": errors([x]),
            "error_y": errors([y]),
        }
        for place, (arm, x, y) in enumerate(placed)
    ]
    layout = layout_of(legend=True)
    layout["xaxis"] |= {"title": {"text": "adjusted AIS (AUC)"}, "tickformat": "+.3f", "zeroline": True}
    layout["yaxis"] |= {"title": {"text": f"lift in {short(review.agreement.metric or '')}"}, "tickformat": "+.1%"}
    yield Chart(
        "agreement",
        "agreement",
        "Alignment against lift",
        ("arm", "adjusted AIS", f"lift in {review.agreement.metric}"),
        tuple((arm.arm, gain(x), _between(y.lower, y.upper) if y.value is None else percent(y.value))
              for arm, x, y in placed),
        traces,
        unread(review, layout),
    )  # fmt: skip


def _both(review: Review, arm: Arm) -> tuple[Number, Number] | None:
    """Return an arm's adjusted AIS and lift; (0, 0) for control without a variant: it is what lifts are from."""
    ais = Number(value=0.0) if arm.representation is None else arm.representation.adjusted_ais
    if arm.is_control:
        return None if ais.value is None else (ais, Number(value=0.0))
    for one in arm.metrics:
        if one.metric == review.agreement.metric and one.relative and arm.representation:
            found = one.relative
            lifted = Number(value=found.value, lower=found.sequence.lower, upper=found.sequence.upper)
            return None if ais.value is None or lifted.value is None else (ais, lifted)
    return None


def _agreement_words(arm: Arm, x: Number, y: Number) -> str:
    assert y.value is not None
    return f"<b>{label(arm.arm)}</b><br>AIS {label(gain(x))}<br>lift {percent(y.value)}"
