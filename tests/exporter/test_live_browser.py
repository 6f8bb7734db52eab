"""The live page in a real browser: it updates itself, says what is wrong, and can be read by anybody."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Error as PlaywrightError

from lis_online.exporter.server import ExporterServer
from lis_online.settings.model import HttpSettings
from tests.browser import Opened
from tests.exporter.live_examples import Worker, drift, served, view, worker
from tests.fixtures.certificates import Certificates
from tests.review.test_html import contrast
from tests.review.test_html_browser import GROUND, HEX, fits

TOKEN = "recognisable-http-token"
ASK = """(() => {
  document.dispatchEvent(new Event('visibilitychange'));
  return document.documentElement.dataset.drawn;
})()"""
"""The page asks at once when it comes to the front again, and forgets what it waited for: no test waits for it."""


@pytest.fixture
def made() -> Worker:
    """Return a worker with numbers."""
    return worker(view(30))


@pytest.fixture
def server(made: Worker) -> Iterator[ExporterServer]:
    """Return its server."""
    with served(made) as running:
        yield running


def opened(browser: Any, server: ExporterServer, width: int = 1280, scheme: str = "light", **how: Any) -> Opened:
    """Open the page and wait until it has drawn the first answer. how: what else the browser is told."""
    page = browser.new_page(viewport={"width": width, "height": 800}, color_scheme=scheme, **how)
    found = Opened(page)
    page.on("console", lambda message: found.said.append(f"{message.type}: {message.text}"))
    page.on("pageerror", lambda error: found.said.append(f"error: {error}"))
    page.on("request", lambda request: found.asked.append(request.url))
    page.goto(server.address)
    page.wait_for_selector("html[data-drawn='1']", state="attached")
    return found


def ask_again(found: Opened) -> None:
    """Let the page ask, and wait until it has drawn what it got."""
    drawn = found.get(ASK)
    found.page.wait_for_selector(f"html:not([data-drawn='{drawn}'])", state="attached")


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (1280, "dark"), (768, "light"), (360, "dark")])
def test_page_fits_has_contrast_says_nothing_and_asks_its_own_worker_alone(
    browser: Any, server: ExporterServer, width: int, scheme: str
) -> None:
    """No error, no warning; WCAG 2.2, 1.4.3: 4.5:1; nothing beyond the window's edge; same origin."""
    found = opened(browser, server, width, scheme)
    assert fits(found)
    assert found.said == []
    assert {urlsplit(address).netloc for address in found.asked} == {urlsplit(server.address).netloc}
    assert "/api/v1/live" in {urlsplit(address).path for address in found.asked}
    pairs = found.get(f"""(() => {{
      const hex = {HEX}, ground = {GROUND};
      return [...document.querySelectorAll('body *')].filter((e) => [...e.childNodes].some(
        (n) => n.nodeType === 3 && n.textContent.trim()) && e.getClientRects().length && !e.closest('noscript'))
        .map((e) => [e.tagName + '.' + e.className, hex(getComputedStyle(e).color), hex(ground(e))]);
    }})()""")
    assert len(pairs) > 80
    assert {one for one, ink, ground in pairs if contrast(ink, ground) < 4.5} == set()
    body = found.get("getComputedStyle(document.body).backgroundColor")
    assert (sum(map(int, body[4:-1].split(","))) < 128) == (scheme == "dark")
    found.close()


def test_numbers_follow_without_a_reload_and_focus_stays(browser: Any, server: ExporterServer, made: Worker) -> None:
    """The same elements with other text; who has chosen a window by keyboard is still there, and so is the scroll."""
    found = opened(browser, server)
    page = found.page
    page.get_by_role("radio", name="1d").focus()
    page.keyboard.press("ArrowRight")
    page.wait_for_selector("html:not([data-drawn='1'])", state="attached")
    assert page.get_by_role("radio", name="run").is_checked()
    before = [page.locator(".context").inner_text(), page.locator("tbody .value").first.inner_text()]
    found.get("(window.kept = document.querySelector('tbody .value'), scrollTo(0, 200))")
    made.view = view(31)
    ask_again(found)
    after = [page.locator(".context").inner_text(), page.locator("tbody .value").first.inner_text()]
    assert [one != other for one, other in zip(before, after, strict=True)] == [True, True]
    assert found.get("window.kept === document.querySelector('tbody .value')")
    assert found.get("[document.activeElement.value, scrollY]") == ["run", 200]
    assert page.get_by_role("radio", name="run").is_checked()
    found.close()


def test_page_asks_by_itself_and_again_after_a_failure(browser: Any, server: ExporterServer, made: Worker) -> None:
    """Every five seconds, of the browser's own clock, which this test turns."""
    page = browser.new_page()
    page.clock.install()
    page.goto(server.address)
    page.wait_for_selector("html[data-drawn='1']", state="attached")
    for drawn in (2, 3):
        made.view = None if drawn == 2 else view(5)
        page.clock.run_for(5_000)
        page.wait_for_selector(f"html[data-drawn='{drawn}']", state="attached")
    assert page.get_by_role("heading", name="Variants").is_visible()
    page.close()


def test_lost_connection_is_said_with_since_when_and_taken_back(
    browser: Any, server: ExporterServer, made: Worker
) -> None:
    """The numbers stay, marked as old, and the page goes on by itself when the worker is back."""
    found = opened(browser, server)
    page = found.page
    assert page.locator("#link").inner_text().split()[-1] == "Live"
    page.route("**/api/v1/live*", lambda route: route.abort())
    ask_again(found)
    assert "Connection lost since" in page.locator("#link").inner_text()
    since = page.locator(".notice").inner_text()
    assert "the page keeps trying" in since
    assert page.get_by_role("table").first.is_visible()
    ask_again(found)
    assert page.locator(".notice").inner_text() == since
    page.unroute("**/api/v1/live*")
    ask_again(found)
    assert page.locator("#link").inner_text().split()[-1] == "Live"
    assert page.locator(".notice").count() == 0
    found.close()


def test_error_of_the_worker_is_said(browser: Any, server: ExporterServer) -> None:
    """It answers, but not with numbers."""
    found = opened(browser, server)
    found.page.route("**/api/v1/live*", lambda route: route.fulfill(status=500, body="internal error"))
    ask_again(found)
    assert "(the worker answered 500)" in found.page.locator(".notice").inner_text()
    found.close()


def test_what_is_wrong_is_said_in_words(browser: Any, server: ExporterServer, made: Worker) -> None:
    """Stuck, not ready, stale, warming up, set aside: each a sentence, with a sign beside its colour."""
    made.alive, made.ready = "join shard 0 is stuck", "publish shard 0 cannot reach the history"
    made.now += 10_000
    made.health.paused("publish", 0, "history_unreachable")
    made.view = replace(view(2), warm=False, set_aside={"leaked:coclick": "diverged"})
    found = opened(browser, server)
    said = found.page.locator(".notice").all_inner_texts()
    for words in ("stuck: join", "not ready: publish", "No new numbers since", "Warming up", "leaked:coclick"):
        assert any(words in one for one in said), words
    assert all(one[0] in "\u2715\u25cb" for one in said)
    assert found.page.get_by_role("cell", name="History unreachable").is_visible()
    found.close()


def test_worker_without_numbers_shows_its_health_and_where_they_are(browser: Any, made: Worker) -> None:
    """A join worker's page is of use as well."""
    with served(worker(None, ("join",))) as server:
        found = opened(browser, server)
        assert "publish role" in found.page.locator(".empty").inner_text()
        assert found.page.get_by_role("rowheader", name="join 1").is_visible()
        assert found.page.locator("#windows").is_hidden()
        assert found.said == []
        found.close()


@pytest.mark.parametrize(("ago", "state"), [(0, "Working"), (1_000, "Not moving")])
def test_state_of_a_shard_is_what_its_lag_and_its_last_batch_say(browser: Any, ago: int, state: str) -> None:
    """Records to read and no batch for long is told before the worker itself counts as stuck."""
    with served(worker(view(2), now=time.time() - ago)) as server:
        found = opened(browser, server)
        cells = [found.page.get_by_role("row", name=name).get_by_role("cell").first for name in ("join 0", "join 1")]
        assert [cell.inner_text()[2:] for cell in cells] == ["Up to date", state]
        found.close()


def test_window_that_is_chosen_while_the_connection_is_lost_does_not_rename_the_numbers(
    browser: Any, server: ExporterServer
) -> None:
    """What stands there is of the window before, and says so."""
    found = opened(browser, server)
    found.page.route("**/api/v1/live*", lambda route: route.abort())
    found.page.get_by_role("radio", name="1h").check(force=True)
    found.page.wait_for_selector(".notice.bad")
    assert "window 1d" in found.page.locator("#context").inner_text()
    found.page.unroute("**/api/v1/live*")
    ask_again(found)
    assert "window 1h" in found.page.locator("#context").inner_text()
    found.close()


def test_only_a_changed_diagnosis_is_read_aloud(browser: Any, server: ExporterServer, made: Worker) -> None:
    """A screen reader is not interrupted every five seconds."""
    found = opened(browser, server)
    news = found.page.get_by_role("status")
    made.view = view(31)
    ask_again(found)
    assert news.inner_text() == ""
    made.view = view(32, "misaligned")
    ask_again(found)
    assert news.inner_text() == "qwen-vl-coclick: Misaligned, before Aligned."
    assert found.page.locator("[aria-live], [role=alert], [role=log]").count() == 1
    found.close()


def test_drift_is_told_beside_the_variants(browser: Any, server: ExporterServer, made: Worker) -> None:
    """What left its level, whether it is still away, and why; or that nothing did."""
    made.view = replace(view(3), drift=replace(drift(), events=(), away={}))
    found = opened(browser, server)
    assert found.page.get_by_text("levels are not known yet").is_visible()
    made.view = replace(view(4), drift=drift())
    ask_again(found)
    assert found.page.get_by_role("row", name="internvl-title adjusted ais Drifting").is_visible()
    assert found.page.get_by_role("row", name="search adjusted lis Over").is_visible()
    assert found.said == []
    found.close()


def test_with_a_token_the_browser_asks_once_and_the_page_works(
    browser: Any, made: Worker, certificates: Certificates
) -> None:
    """It is the browser's own question: the page's files, questions and links carry the answer, no address does."""
    http = {"certificate_file": str(certificates.server), "key_file": str(certificates.server_key), "token": TOKEN}
    login = {"username": "me", "password": TOKEN}
    with served(made, http=HttpSettings(host="127.0.0.1", port=0, **http)) as server:  # type: ignore[arg-type]
        stranger = browser.new_page(ignore_https_errors=True)
        with pytest.raises(PlaywrightError, match="ERR_INVALID_AUTH_CREDENTIALS"):  # nobody is there to be asked
            stranger.goto(server.address)
        stranger.close()
        found = opened(browser, server, ignore_https_errors=True, http_credentials=login)
        ask_again(found)
        assert found.page.get_by_role("row", name="qwen-vl-coclick").first.is_visible()
        assert not any(TOKEN in address for address in found.asked)
        with found.page.expect_navigation() as navigation:
            found.page.get_by_role("link", name="Metrics").click()
        assert navigation.value.status == 200
        found.close()


@pytest.mark.parametrize("width", [1280, 360])
def test_tables_are_tables_to_a_screen_reader_on_every_width(browser: Any, server: ExporterServer, width: int) -> None:
    """Named tables, rows with headers, cells with texts; a sparkline says what it draws."""
    found = opened(browser, server, width)
    tree = found.page.locator("main").aria_snapshot()
    for line in (
        'table "Variants: diagnosis and numbers with their intervals"',
        'columnheader "Adjusted LIS"',
        'rowheader "qwen-vl-coclick version 2 aligned on coclick"',
        'table "Experiment mllm-q4: arms against control"',
        'rowheader "treatment serves title"',
        'table "Shards of this worker"',
        'rowheader "rank 0"',
        'row "qwen-vl-coclick version 2 aligned on coclick Aligned',
        'row "publish 0 ',
        'img "Last 31 values: from +0.0',
    ):
        assert line in tree, line
    assert found.get("document.documentElement.lang") == "en"
    found.close()


def test_keyboard_reaches_everything_and_sees_where_it_is(browser: Any, server: ExporterServer) -> None:
    """Skip link first, the windows as one stop, then the links; each with a ring."""
    found = opened(browser, server)
    stops = []
    for _ in range(7):
        found.page.keyboard.press("Tab")
        stops.append(found.get("document.activeElement.textContent || document.activeElement.value"))
        assert (
            found.get("""(() => { const e = document.activeElement;
          return getComputedStyle(e.matches('input') ? e.nextElementSibling : e).outlineStyle })()""")
            == "solid"
        )
    assert stops == ["Skip to the numbers", "1d", "JSON", "Metrics", "Alive?", "Ready?", "All addresses"]
    found.close()


def test_names_are_text_whatever_is_in_them(browser: Any, server: ExporterServer, made: Worker) -> None:
    """A variant's name cannot become markup, and a long one wraps."""
    one = view(3)
    bad = "<img src=x onerror=alert(1)>" + "x" * 90
    numbers = one.windows[86_400_000]["all"]
    renamed = replace(numbers, variants={bad: replace(numbers.variants["internvl-title"], variant=bad)})
    made.view = replace(one, windows={86_400_000: {"all": renamed}})
    found = opened(browser, server, width=360)
    assert found.page.get_by_text(bad).first.is_visible()
    assert found.page.locator("main img").count() == 0
    assert fits(found)
    assert found.said == []
    found.close()
