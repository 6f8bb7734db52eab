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
        "variant": [{"name": n, "preference": "t", "dimension": 2, "versions": 1} for n in ("v", "w")],
    }
    layout = Layout.of(Settings.of(settings))
    for kind in ("leaked", "past", "placebo", "thinned"):
        assert [layout.rankers[layout.of_source(kind, k)] for k in (0, 1)] == [f"{kind}:s", f"{kind}:t"]
    for kind in ("aligned", "permuted"):
        assert [layout.rankers[layout.of_variant(kind, k)] for k in (0, 1)] == [f"{kind}:v", f"{kind}:w"]
    assert layout.variant_source == (1, 1)


def test_each_version_has_a_slot_and_layouts_of_fewer_slots_keep_the_order() -> None:
    """A slot has rankers of its own; a layout without some slots is what the settings without them would give."""
    variants = [{"name": n, "preference": "coclick", "dimension": 2, "versions": k} for n, k in (("v", 3), ("w", 2))]
    layout = Layout.of(Settings.of({"variant": variants}))
    assert layout.variants == ("v", "v#2", "v#3", "w", "w#2") and layout.firsts() == [0, 3]
    assert layout.variant_of == ("v", "v", "v", "w", "w")
    assert [layout.rankers[layout.of_variant("permuted", k)] for k in (0, 2, 4)] == [
        "permuted:v", "permuted:v#3", "permuted:w#2",
    ]  # fmt: skip
    first = [{**one, "versions": 1} for one in variants]
    assert layout.take(layout.firsts()) == Layout.of(Settings.of({"variant": first}))
    places = layout.places([1, 3])
    assert tuple(layout.rankers[place] for place in places) == layout.take([1, 3]).rankers
    assert layout.take([1, 3]).rankers[-4:] == ("aligned:v#2", "permuted:v#2", "aligned:w", "permuted:w")


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


def test_every_experiment_has_a_column_and_arms_of_its_own() -> None:
    """Arms of the second experiment follow those of the first; a slate may be in one, both or neither."""
    arms = [{"name": name, "share": 0.25} for name in "abcd"]
    experiments = [
        {"name": "one", "control": "a", "arm": [{"name": "a", "share": 0.5}, {"name": "b", "share": 0.5}]},
        {"name": "two", "control": "a", "arm": arms},
        {"name": "three", "control": "a", "arm": arms},
    ]
    layout = Layout.of(Settings.of({"experiment": experiments, "events": {"surfaces": ["feed"]}}))
    arm = np.array([[0, 0, 3], [1, 3, -1], [-1, 2, 0], [-1, -1, -1]], np.int16)
    found = layout.memberships(np.array([0, 1, 0, 1]), arm)
    assert found.dtype == np.int16 and found.shape == (4, 5)
    names = [[layout.slices[k] if k >= 0 else None for k in row] for row in found.tolist()]
    assert names == [
        ["all", "surface:feed", "arm:one/a", "arm:two/a", "arm:three/d"],
        ["all", "surface:other", "arm:one/b", "arm:two/d", None],
        ["all", "surface:feed", None, "arm:two/c", "arm:three/a"],
        ["all", "surface:other", None, None, None],
    ]
