"""The review's page: what it says, without a browser."""

from __future__ import annotations

import ast
import itertools
import json
import re
import subprocess
import sys
from html.parser import HTMLParser
from typing import Any

import pytest

from lis_online.review import html_charts, html_figures
from lis_online.review.document import Interval
from lis_online.review.html import render
from lis_online.review.html_elements import EMPTY, data, el
from lis_online.review.words import gain, percent
from tests.review import examples

every_review = pytest.mark.parametrize("name", examples.EVERY)
VOID = {*EMPTY, "img"}


class Reader(HTMLParser):
    """What a page is made of: its tags, its visible text, its headings; elements must be closed in their order."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.open: list[str] = []
        self.feed(page)
        self.close()
        assert not self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Keep it."""
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        """It closes what was opened last."""
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        """Keep what is shown."""
        if not {"script", "style"} & set(self.open):
            self.words.append(data)

    @property
    def text(self) -> str:
        """What a reader sees, spaces made one."""
        return " ".join(" ".join(self.words).split())


@every_review
def test_page_is_well_formed_and_the_same_for_the_same_document(name: str) -> None:
    """Fixed ids, no clock, no chance: two renderings have the same bytes, and every element is closed."""
    review = examples.EVERY[name]()
    page = render(review)
    assert page == render(review.model_copy(deep=True))
    ids = [attributes["id"] for _, attributes in Reader(page).tags if "id" in attributes]
    assert len(ids) == len(set(ids))


@every_review
def test_verdict_and_every_number_of_the_document_are_on_the_page(name: str) -> None:
    """Each number as the terminal writes it; whatever is None has its reason."""
    review = examples.EVERY[name]()
    text = Reader(render(review)).text
    assert " ".join(review.verdict.paragraph.split()) in text
    wanted: list[str] = [*review.notes, review.zone, *(" ".join(arm.arm.split()) for arm in review.arms)]
    for arm in review.arms:
        for one in arm.metrics:
            wanted += [one.level.reason] if one.level.reason else []
            if one.relative is not None:
                wanted += (
                    [percent(one.relative.value)] if one.relative.value is not None else [one.relative.reason or ""]
                )
                wanted += [_between(one.relative.sequence), _between(one.relative.fixed)]
        if arm.representation is not None:
            wanted += [gain(arm.representation.adjusted_lis)[:7], " ".join(arm.representation.sentence.split())]
    wanted += [one.reason for one in (review.quality, review.agreement, review.sample_ratio) if one.reason]
    missing = [one for one in wanted if " ".join(one.split()).lstrip("- ") not in text]
    assert not missing


def _between(found: Interval) -> str:
    if found.lower is None or found.upper is None:
        return found.reason or ""
    return f"{percent(found.lower)} to {percent(found.upper)}"


@every_review
def test_headings_go_down_one_level_at_a_time_and_one_is_the_first(name: str) -> None:
    """A reader who hears the page goes from heading to heading."""
    tags = [tag for tag, _ in Reader(render(examples.EVERY[name]())).tags if re.fullmatch("h[1-6]", tag)]
    levels = [int(tag[1]) for tag in tags]
    assert levels.count(1) == 1 == levels[0]
    assert all(after <= before + 1 for before, after in itertools.pairwise(levels))


@every_review
def test_figures_are_what_plotly_accepts_and_hold_the_points(name: str) -> None:
    """An attribute that plotly does not know would be dropped without a word in the browser."""
    import plotly.graph_objects as go

    review = examples.EVERY[name]()
    charts = html_charts.every(review)
    for chart in charts:
        go.Figure(data=chart.traces, layout=chart.layout)
    over_time = [chart for chart in charts if chart.key.startswith("lift-")]
    drawn = [value for chart in over_time for trace in chart.traces if trace.get("name") for value in trace["y"]]
    assert sorted(drawn) == sorted(point.value for point in review.over_time if point.value is not None)
    assert sum(len(chart.rows) for chart in over_time) == len(review.over_time)


def test_band_is_an_outline_for_each_stretch_with_an_interval() -> None:
    """What is not known is a gap, not a bridge from the last to the next."""
    found = html_figures.band_of(list("abcde"), [None, 1.0, 2.0, 9.0, 3.0], [None, 5.0, 6.0, None, 7.0])
    assert found["x"] == ["b", "c", "c", "b", None, "e", "e"]
    assert found["y"] == [1.0, 2.0, 6.0, 5.0, None, 3.0, 7.0]


def test_names_that_are_html_stay_names() -> None:
    """In text, attributes, JSON and charts; the settings' rule on names is not the page's defence."""
    page = render(examples.hostile())
    found = Reader(page)
    assert not [tag for tag, _ in found.tags if tag == "img"]
    assert [tag for tag, _ in found.tags].count("script") == 3
    assert not [name for _, attributes in found.tags for name in attributes if name.startswith("on")]
    for chart in html_charts.every(examples.hostile()):
        assert "<script>" not in json.dumps(chart.to_json())  # plotly reads tags in its texts


def test_element_escapes_text_and_attributes_and_keeps_what_is_html() -> None:
    """By its type: text cannot be taken for HTML by accident."""
    assert el("td", '<"&', el("br"), class_="a", data_label='"<') == (
        '<td role="cell" class="a" data-label="&quot;&lt;">&lt;&quot;&amp;<br></td>'
    )
    assert "</script>" not in data("x", {"a": "</script>"}).removesuffix("</script>")


def test_while_invalid_every_lift_says_that_it_is_not_to_be_read() -> None:
    """Tables and charts alike, in words; LIS and AIS do not depend on the assignment of users."""
    charts = {chart.key: chart for chart in html_charts.every(examples.invalid())}
    said = {key for key, chart in charts.items() if "not to be read" in json.dumps(chart.layout)}
    assert said == {"lift-0", "forest-0", "lift-1", "forest-1", "agreement"}
    assert {trace["line"].get("color") for trace in charts["lift-0"].traces} == {None, html_figures.UNREAD}
    assert Reader(render(examples.invalid())).text.count("lift (not to be read)") == 2
    assert "not to be read" not in render(examples.ship()).lower()


def test_line_colours_are_seen_on_white_and_on_the_dark_ground() -> None:
    """WCAG 2.2, 1.4.11: 3:1 for what a chart is read by."""
    for ground in ("#ffffff", "#1b1f24"):
        assert all(contrast(colour, ground) >= 3 for colour in (*html_figures.COLOURS, html_figures.UNREAD))


def contrast(one: str, other: str) -> float:
    """Return the contrast ratio of two colours (WCAG 2.2)."""

    def luminance(colour: str) -> float:
        parts = [int(colour[k : k + 2], 16) / 255 for k in (1, 3, 5)]
        linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def test_without_plotly_one_sentence_says_what_to_install() -> None:
    """In a process that cannot import it."""
    code = (
        "import sys; sys.modules['plotly'] = None\n"
        "from tests.review.examples import ship\n"
        "from lis_online.review.html import render\n"
        "from lis_online.errors import UsageError\n"
        "try: render(ship())\n"
        "except UsageError as exc: print([str(exc)])\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ast.literal_eval(done.stdout) == ["a review as HTML needs plotly: pip install 'lis-online[review]'"]


def test_policy_lets_nothing_be_loaded() -> None:
    """Its first word is that nothing is; what follows takes back scripts by digest, styles and images of the page."""
    tags: list[Any] = Reader(render(examples.ship())).tags
    [said] = [one["content"] for tag, one in tags if tag == "meta" and one.get("http-equiv")]
    rules = dict(rule.strip().split(" ", 1) for rule in str(said).split(";"))
    assert rules["default-src"] == "'none'"
    assert re.fullmatch(r"('sha256-[\w+/=]+' ?){2}", rules["script-src"])
    assert set(rules) == {"default-src", "script-src", "style-src", "img-src", "base-uri", "form-action"}
