"""The page's charts, each with its numbers as a table, and what is told in sentences."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from lis_online.review.document import Annotation, Review
from lis_online.review.html_charts import Chart
from lis_online.review.html_elements import Html, el, table
from lis_online.review.html_figures import events as marked
from lis_online.review.html_head import UNREAD, is_unread
from lis_online.review.html_words import BAD, DASH, GOOD, OPEN, badge, missing, moment
from lis_online.review.words import percent

CAPTIONS: Final = {
    "forest": "Thin line: always-valid interval. Thick line: fixed interval. Mark: lift.",
    "delivered": "Marks with 95 % intervals.",
    "agreement": "Lines: 95 % interval of adjusted AIS, always-valid interval of the lift.",
}
OVER_TIME: Final = (
    "Shaded: always-valid interval. Dotted: fixed interval. Dashed: the minimum effect, and the events listed below. "
    "Cumulative; times in {}."
)
ALIGNMENT: Final = (
    "Line and shade: adjusted AIS and its interval. Dotted: adjusted LIS of its source. Dashed: events. Each point is "
    "of the window that ends there{}; times in {}."
)


def lifts(charts: Sequence[Chart], review: Review) -> Html:
    """Return the lifts of each metric, over time and by arm."""
    names = list(dict.fromkeys(chart.of for chart in charts if chart.of))
    shown = [
        el("div", el("h3", name), el("div", [_figure(chart, review) for chart in charts if chart.of == name],
                                     class_="pair"))
        for name in names
    ]  # fmt: skip
    return el(
        "section",
        el("h2", "Lifts", id="lifts"),
        shown or el("p", missing("no lift is known yet")),
        class_="charts",
        aria_labelledby="lifts",
    )


def alignment(charts: Sequence[Chart], review: Review) -> Html:
    """Return LIS and AIS now and over time."""
    shown = [_figure(chart, review) for chart in charts if chart.key in ("delivered", "alignment")]
    return el(
        "section",
        el("h2", "Alignment", id="alignment"),
        shown or el("p", missing("no number of a variant is known yet")),
        class_="charts",
        aria_labelledby="alignment",
    )


def agreement(charts: Sequence[Chart], review: Review) -> Html:
    """Return whether the arms' order by their variants is their order by lift."""
    found = review.agreement
    if found.agrees is None:
        status, said = badge("undecided", OPEN), missing(found.reason)
    else:
        status = badge("agrees", GOOD) if found.agrees else badge("disagrees", BAD)
        order = "is" if found.agrees else "is not"
        said = el("span", f"The order by adjusted AIS {order} the order by lift in {found.metric}.")
    if is_unread(review):
        status = badge(UNREAD, BAD)
    tau = None if found.rank_correlation is None else f" Kendall's tau {found.rank_correlation:+.2f}."
    rows = [
        (
            f"{one.better_by_ais} over {one.other}",
            f"{one.ais_difference:+.4f}",
            percent(one.lift_difference),
            "agrees" if one.agrees else "disagrees",
            "resolved" if one.resolved else "not resolved",
        )
        for one in found.pairs
    ]
    headings = ("pair, by adjusted AIS", "adjusted AIS", "lift", "order", "intervals")
    return el(
        "section",
        el("h2", "Agreement of alignment and lift", id="agreement"),
        el("p", status, " ", said, tau),
        [_figure(chart, review) for chart in charts if chart.key == "agreement"],
        table("Pairs of arms: first less second", headings, rows, unread=is_unread(review)) if rows else None,
        class_="charts",
        aria_labelledby="agreement",
    )


def _figure(chart: Chart, review: Review) -> Html:
    caption = CAPTIONS.get(chart.kind, OVER_TIME.format(review.zone))
    if chart.key == "alignment":
        window = review.alignment_over_time[0].window
        caption = ALIGNMENT.format(f", {window} long" if window else "", review.zone)
    height = chart.layout["height"]
    return el(
        "figure",
        el("figcaption", el("b", chart.title), el("span", caption)),
        el(
            "div",
            el("p", "Drawing needs a browser's scripts; the numbers are in the table below.", class_="waiting"),
            class_="chart",
            id=f"chart-{chart.key}",
            role="img",
            aria_label=f"{chart.title}; its numbers are in the table that follows",
            style=f"min-height:{height}px",
        ),
        el("details", el("summary", f"Numbers: {chart.title}"),
           el("div", table(chart.title, chart.headings, chart.rows, unread=is_unread(review) and bool(chart.of)),
              class_="scroll", tabindex="0", role="region", aria_label=chart.title)),
    )  # fmt: skip


def events(review: Review) -> Html:
    """Return drift and annotations, numbered as the charts mark them."""
    rows = [
        el(
            "li",
            el("b", mark, class_="mark"),
            el("span", el("time", moment(one.time, review.zone), datetime=one.time.isoformat()),
               f" to {moment(one.end, review.zone)}" if isinstance(one, Annotation) and one.end else None),
            _annotation(one) if isinstance(one, Annotation)
            else el("span", one.sentence, el("span", f" cause: {one.cause or DASH}", class_="aside")),
        )
        for one, mark in marked(review)
    ]  # fmt: skip
    return el(
        "section",
        el("h2", "Events", id="events"),
        el("p", "Drift: ", missing(review.drift_reason)) if review.drift_reason else None,
        el("ol", rows, class_="events") if rows else el("p", missing("none in this range")),
        aria_labelledby="events",
    )


def _annotation(one: Annotation) -> Html:
    return el("span", one.text, [el("span", tag, class_="tag") for tag in one.tags])


def reading(review: Review) -> Html:
    """Return the notes on this review, and how any is read."""
    return el(
        "section",
        el("h2", "Notes", id="notes"),
        el("ul", [el("li", note) for note in review.notes]) if review.notes else el("p", missing("none")),
        el("h3", "How to read this page"),
        el("dl", [el("div", el("dt", term), el("dd", meaning)) for term, meaning in READING.items()], class_="reading"),
        aria_labelledby="notes",
    )


READING: Final = {
    "Always-valid interval": "You may look at it every day and stop when you like: the chance that it ever misses the "
    "true lift is at most alpha. The price is its width.",
    "Fixed interval": "It is right for one look, at a time chosen before the experiment began. Watched from day to day "
    "it errs far more often than it says.",
    "Adjusted p": "Sequential too, and corrected for all arms and metrics of the experiment.",
    "LIS": "The AUC that a ranker gains when a preference source's pairs of the near future leak into it: what "
    "this source could bring at most.",
    "AIS": "The AUC that it gains when the variant's vectors, aligned on that source, stand in for the leak: what is "
    "delivered. Efficiency is the share delivered; adjusted is without what a placebo gains.",
    DASH: "There is no number, and the words beside it say why. It is never 0.",
}
