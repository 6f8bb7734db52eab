"""The review's page in a real browser: it draws, fits, prints, and asks nobody for anything."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from lis_online.review.html import render
from tests.browser import Opened, opened
from tests.review import examples
from tests.review.test_html import contrast

HEX = "(c) => '#' + c.match(/[0-9.]+/g).slice(0, 3).map((x) => (+x).toString(16).padStart(2, '0')).join('')"
GROUND = """(e) => {
  while (e && getComputedStyle(e).backgroundColor === 'rgba(0, 0, 0, 0)') e = e.parentElement;
  return getComputedStyle(e || document.body).backgroundColor;
}"""

CHARTS_FIT = """new Promise((done) => {
  const charts = [...document.querySelectorAll('.chart')];
  const look = () => charts.every((e) => e.querySelector('.main-svg').clientWidth === e.clientWidth)
    ? done() : requestAnimationFrame(look);
  look();
})"""


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Return the files of all examples."""
    folder = tmp_path_factory.mktemp("pages")
    files = {name: folder / f"{name}.html" for name in examples.EVERY}
    for name, file in files.items():
        file.write_text(render(examples.EVERY[name]()), encoding="utf-8")
    return files


def fits(found: Opened) -> bool:
    """Return whether nothing reaches beyond the window's right edge."""
    return bool(found.get("document.documentElement.scrollWidth <= innerWidth"))


WIDTHS = {"long_names": (1280, 960, 768, 360)}
"""Names without a place to break are tried at the widths where the layout changes; others at a desk and a phone."""


@pytest.mark.parametrize("name", ["ship", "invalid", "empty", "many_arms", "long_names", "hostile"])
def test_page_draws_fits_every_width_says_nothing_and_asks_for_nothing(
    browser: Any, pages: dict[str, Path], name: str
) -> None:
    """No error, no warning, no dialog, no request but for the file itself; charts follow the window to a phone's."""
    found = opened(browser, pages[name])
    for width in WIDTHS.get(name, (1280, 360)):
        found.page.set_viewport_size({"width": width, "height": 800})
        found.get(CHARTS_FIT)
        assert fits(found), width
    assert (found.said, found.asked) == ([], [pages[name].as_uri()])
    drawn = found.get("[...document.querySelectorAll('.chart')].map((e) => e.querySelectorAll('.main-svg').length > 0)")
    assert drawn == [True] * int(found.get("document.documentElement.dataset.drawn"))
    assert len(drawn) == (0 if name == "empty" else len(drawn) or None)
    found.close()


@pytest.mark.parametrize("width", [360, 1280])
def test_verdict_is_on_the_first_screen(browser: Any, pages: dict[str, Path], width: int) -> None:
    """In the first 800 px, its word and its paragraph."""
    found = opened(browser, pages["ship"], width=width)
    place = found.page.locator(".verdict").bounding_box()
    assert place["y"] >= 0
    assert place["y"] + place["height"] <= 800
    assert found.page.locator(".decision strong").inner_text() == "Ship"
    found.close()


@pytest.mark.parametrize(
    ("name", "scheme"), [("ship", "dark"), ("stop", "light"), ("invalid", "dark"), ("empty", "light")]
)
def test_text_has_contrast_in_light_and_dark(browser: Any, pages: dict[str, Path], name: str, scheme: str) -> None:
    """WCAG 2.2, 1.4.3: 4.5:1, charts' texts included."""
    found = opened(browser, pages[name], scheme=scheme)
    pairs = found.get(f"""(() => {{
      const hex = {HEX}, ground = {GROUND};
      return [...document.querySelectorAll('body *')].filter((e) => [...e.childNodes].some(
        (n) => n.nodeType === 3 && n.textContent.trim()) && e.getClientRects().length && !e.closest('script'))
        .map((e) => [e.tagName + '.' + (e.className.baseVal ?? e.className),
                     hex(getComputedStyle(e)[e.namespaceURI.endsWith('svg') ? 'fill' : 'color']), hex(ground(e))]);
    }})()""")
    assert len(pairs) > 60
    assert {one for one, ink, ground in pairs if contrast(ink, ground) < 4.5} == set()
    body = found.get("getComputedStyle(document.body).backgroundColor")
    assert (sum(map(int, body[4:-1].split(","))) < 128) == (scheme == "dark")
    found.close()


def test_every_chart_has_a_label_and_its_numbers_as_a_table(browser: Any, pages: dict[str, Path]) -> None:
    """By the keyboard: the summary takes the focus and opens, what scrolls takes it too."""
    found = opened(browser, pages["ship"])
    page = found.page
    for chart in page.locator("figure").all():
        assert chart.locator(".chart[role=img]").get_attribute("aria-label")
        assert chart.locator("details tbody tr").count() > 0
    summary = page.locator("figure summary").first
    summary.focus()
    page.keyboard.press("Enter")
    assert page.locator("figure details").first.get_attribute("open") is not None
    page.keyboard.press("Tab")
    assert found.get("document.activeElement.className") == "scroll"
    assert found.get("document.documentElement.lang") == "en"
    assert page.title() == "mllm-q4: Ship - experiment review"
    found.close()


def test_tables_stay_tables_to_a_reader_on_a_phone(browser: Any, pages: dict[str, Path]) -> None:
    """Rows become cards; each cell shows what it is, and its role is still a cell's."""
    found = opened(browser, pages["ship"], width=360)
    cell = found.page.get_by_role("cell").first
    assert cell.get_attribute("data-label") == "level"
    assert "level" in found.get("getComputedStyle(document.querySelector('td'), '::before').content")
    assert found.page.get_by_role("table").count() >= 4
    assert [one.is_visible() for one in found.page.locator("td:has(> .bare)").all()[:2]] == [False, False]
    found.close()


def test_page_prints_light_within_the_paper(browser: Any, pages: dict[str, Path], tmp_path: Path) -> None:
    """From a dark screen too: white ground, charts as wide as the paper, no table beyond it."""
    found = opened(browser, pages["ship"], scheme="dark")
    found.get("addEventListener('afterprint', () => { document.title = 'printed' })")
    pdf = found.page.pdf(path=str(tmp_path / "review.pdf"), format="A4", print_background=True)
    assert pdf[:5] == b"%PDF-"
    assert 3 <= pdf.count(b"/Type /Page\n") + pdf.count(b"/Type /Page ") <= 12
    found.page.set_viewport_size({"width": 688, "height": 1000})  # A4 less its margins, at 96 dpi
    found.page.emulate_media(media="print")
    found.get("dispatchEvent(new Event('beforeprint'))")
    assert fits(found)
    assert found.get("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    widths = found.get("[...document.querySelectorAll('.chart .main-svg')].map((e) => +e.getAttribute('width'))")
    assert set(widths) == {660}
    found.close()


def test_without_scripts_the_numbers_are_there(browser: Any, pages: dict[str, Path]) -> None:
    """A mail reader runs none: the page says where a chart's numbers are."""
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(pages["ship"].as_uri())
    assert page.locator(".waiting").first.is_visible()
    assert page.locator("figure details tbody tr").count() > 0
    context.close()
