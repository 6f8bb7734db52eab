"""The text of a view: when it is rendered, and that it is what prometheus_client would write."""

from __future__ import annotations

import threading
from dataclasses import replace

import pytest
from prometheus_client.exposition import generate_latest as encode_text
from prometheus_client.metrics_core import Metric
from prometheus_client.openmetrics.exposition import generate_latest as encode_openmetrics
from prometheus_client.registry import Collector

from lis_online.exporter import rendered
from lis_online.exporter.families import Families
from lis_online.exporter.rendered import RenderedView, Text, render
from lis_online.exporter.view_series import add_view
from lis_online.shards.view import PublishView, VersionInfo
from tests.exporter.examples import BEGAN, estimate, example, two_versions


class Encoded(Collector):
    """A view's families, for prometheus_client's own encoders."""

    def __init__(self, view: PublishView) -> None:
        self._families = Families()
        add_view(self._families, view)

    def collect(self) -> list[Metric]:
        """Return the families."""
        return list(self._families.get())


STRANGE = replace(two_versions(), versions=(VersionInfo('a"b\\c\nd', "ü", BEGAN, newest=True),))


@pytest.mark.parametrize("view", [example(), example(estimate(1e-7)), two_versions(), STRANGE])
def test_the_text_is_that_of_prometheus_client(view: PublishView) -> None:
    """Our lines are written by another method, and must be the same to the byte in both formats."""
    families = Encoded(view)
    found = render(view)
    assert found.prometheus == encode_text(families)
    assert found.openmetrics + b"# EOF\n" == encode_openmetrics(families)


class Views:
    """A source of views that counts who asks for it."""

    def __init__(self, *views: PublishView | None) -> None:
        self.now = views[0]
        self.asked = threading.Semaphore(0)

    def __call__(self) -> PublishView | None:
        """Return the current one."""
        self.asked.release()
        return self.now


@pytest.fixture
def renders(monkeypatch: pytest.MonkeyPatch) -> list[PublishView]:
    """Return the views that are rendered from here on."""
    found: list[PublishView] = []

    def counted(view: PublishView) -> Text:
        found.append(view)
        return render(view)

    monkeypatch.setattr(rendered, "render", counted)
    return found


def test_a_view_is_rendered_once(renders: list[PublishView]) -> None:
    """However many scrapes ask for it; the next one is another."""
    first, second = example(), example()
    views = Views(first)
    numbers = RenderedView(views)
    assert numbers.get() == numbers.get() == render(first)
    views.now = second
    numbers.get()
    assert [view is first for view in renders] == [True, False]


def test_without_a_view_there_is_no_text() -> None:
    """Other roles, and publish before its first bucket; and a partition that was revoked takes its numbers along."""
    views = Views(None)
    numbers = RenderedView(views)
    assert numbers.get() == (b"", b"")
    views.now = example()
    assert numbers.get().prometheus
    views.now = None
    assert numbers.get() == (b"", b"")


def test_within_its_context_a_thread_renders_and_scrapes_only_read(renders: list[PublishView]) -> None:
    """The scraping thread never pays for a bucket: it gets the text that is there."""
    first, second = example(), example(estimate(0.5))
    views, here = Views(first), threading.get_ident()
    with RenderedView(views, look=0.005) as numbers:
        assert numbers.get() == render(first)
        views.now = second
        while len(renders) < 2:
            assert views.asked.acquire(timeout=5)
        while numbers.get() != render(second):
            assert views.asked.acquire(timeout=5)
    assert renders == [first, second]
    assert here not in {thread.ident for thread in threading.enumerate() if thread.name == "renderer"}


def test_a_view_that_cannot_be_rendered_is_said_once_and_ends_nothing(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The numbers go stale, which an alert sees; the next bucket is tried again."""
    first = example()
    views = Views(first)
    with RenderedView(views, look=0.005) as numbers:
        text = numbers.get()
        monkeypatch.setattr(rendered, "render", lambda view: 1 / 0)
        views.now = replace(first)
        for _ in range(20):
            assert views.asked.acquire(timeout=5)
        assert numbers.get() == text
        monkeypatch.undo()
        views.now = example(estimate(0.5))
        while numbers.get() == text:
            assert views.asked.acquire(timeout=5)
    assert caplog.text.count("cannot be rendered") == 1
