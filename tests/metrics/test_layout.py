import numpy as np

from lis_online.metrics.layout import Layout
from lis_online.settings import Settings
from tests.metrics.worlds import make_layout


def test_rankers_and_slices_come_in_the_settings_order() -> None:
    """Axes are API between rank and publish shards: their order is that of the settings."""
    layout = make_layout()
    assert layout.rankers == (
        "unleaked", "twin", "leaked:coclick", "past:coclick", "placebo:coclick", "thinned:coclick",
        "aligned:v", "permuted:v",
    )  # fmt: skip
    assert layout.slices == ("all", "surface:feed", "surface:ads", "surface:other", "arm:e/a", "arm:e/b")


def test_indices_name_the_ranker_they_claim() -> None:
    """The index of a ranker finds its name, for every source and variant."""
    settings = {
        "preference": [{"name": "s"}, {"name": "t"}],
        "variant": [{"name": n, "preference": "t", "dimension": 2} for n in ("v", "w")],
    }
    layout = Layout.of(Settings.of(settings))
    for kind in ("leaked", "past", "placebo", "thinned"):
        assert [layout.rankers[layout.of_source(kind, k)] for k in (0, 1)] == [f"{kind}:s", f"{kind}:t"]
    for kind in ("aligned", "permuted"):
        assert [layout.rankers[layout.of_variant(kind, k)] for k in (0, 1)] == [f"{kind}:v", f"{kind}:w"]
    assert layout.variant_source == (1, 1)


def test_memberships_name_all_surface_and_arms() -> None:
    """A slate is in all, in its surface's slice (other where it is not named), and in its arms'."""
    layout = make_layout()
    found = layout.memberships(np.array([0, 1, 2], np.int16), np.array([[0], [1], [-1]], np.int16))
    names = [[layout.slices[k] if k >= 0 else None for k in row] for row in found.tolist()]
    assert names == [
        ["all", "surface:feed", "arm:e/a"],
        ["all", "surface:ads", "arm:e/b"],
        ["all", "surface:other", None],
    ]
