"""Work during which no garbage is looked for."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest

from lis_online.collector import without_collector


@pytest.fixture(autouse=True)
def as_it_was() -> Iterator[None]:
    """Leave the collector as other tests expect it."""
    was_on = gc.isenabled()
    yield
    (gc.enable if was_on else gc.disable)()


@pytest.mark.parametrize("on", [True, False])
def test_the_collector_is_off_and_then_as_it_was(on: bool) -> None:
    """Whoever turned it off for good does not find it on."""
    (gc.enable if on else gc.disable)()
    with without_collector():
        assert not gc.isenabled()
    assert gc.isenabled() is on


def test_the_collector_is_on_again_after_an_error() -> None:
    """A damaged checkpoint must not leave a worker without it."""
    gc.enable()
    with pytest.raises(ValueError, match="damaged"), without_collector():
        raise ValueError("damaged")
    assert gc.isenabled()
