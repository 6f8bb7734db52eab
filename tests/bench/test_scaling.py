"""The scaling sweep: what a point measures, what is fitted to it, what breaks, and the pages made of it."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

import pytest

from bench import capacity_page, scaling, scaling_limits
from bench.scaling_fit import PARTS, coefficients, module
from bench.scaling_page import page
from bench.scaling_point import Point, Stream, measure, varied
from tests.documents import ROOT

SMALL = Point(partitions=2, variants=1, dimension=8, slate=5, history=3, items=200, users=300, clicks=0.5, rate=100)
COSTS = (3e-5, 1e-6, 2e-6, 5e-8, 1e-10, 6e-5)


def written() -> dict[str, Any]:
    """Return what the last sweep wrote."""
    return dict(json.loads((ROOT / "docs" / "scaling.json").read_text(encoding="utf-8")))


def test_a_point_is_measured_after_its_warm_up() -> None:
    """Every slate of the measured time is scored, and each figure is of something that was there."""
    found = measure(SMALL, buckets=2)
    assert found["slates"] == pytest.approx(2 * 20 * 100 / 5, rel=0.3)  # of whole batches
    assert found["rankers"] == 8
    assert all(found[name] > 0 for name in found.keys() - {"resident_bytes", "pending_bytes"})
    assert found["log_bytes"] > 36 + 43 * 5 + 16 * 3


def test_a_stream_is_what_its_point_says() -> None:
    """Slates, histories, clicks and vectors of the sizes asked for; a user's events in one partition."""
    stream = Stream(SMALL)
    (vectors,) = stream.vectors()
    assert len(vectors) == 200
    records = [record for batch in stream.seconds(100) for record in batch]
    shown = [json.loads(record.value or b"") for record in records if record.topic == "impressions"]
    clicks = len(records) - len(shown)
    assert len(shown) == 2_000
    assert all(len(one["items"]) == 5 and len(one["history"]) == 3 for one in shown)
    assert clicks == pytest.approx(1_000, rel=0.15)
    assert shown[-1]["ts"] - shown[0]["ts"] == pytest.approx(100_000, rel=0.01)
    places: dict[str, set[int]] = {}
    for record in records:
        places.setdefault(json.loads(record.value or b"")["user_id"], set()).add(record.partition)
    assert all(len(of_user) == 1 for of_user in places.values())
    assert set.union(*places.values()) == {0, 1}


def test_every_axis_holds_the_base_and_moves_one_size() -> None:
    """Without the base on it an axis has nothing to be held against."""
    base = asdict(Point())
    for axis, values in scaling.AXES.items():
        assert base[axis] in values
        assert values == tuple(sorted(values))
        for value in values:
            moved = asdict(varied(Point(), axis, value))
            assert {name for name in base if moved[name] != base[name]} <= {axis}
            assert type(moved[axis]) is type(base[axis])


def test_least_of_the_turns_is_taken_figure_by_figure() -> None:
    """Other work on the machine adds to a turn, and never takes away."""
    assert scaling.least([{"a": 2.0, "b": 5.0}, {"a": 3.0, "b": 4.0}]) == {"a": 2.0, "b": 4.0}


def test_costs_are_held_against_the_base_of_their_own_axis(monkeypatch: pytest.MonkeyPatch) -> None:
    """The base's ratio is 1, twice its cost is 2; below full scale the ends and the base alone are there."""
    asked: list[Point] = []

    def measured(point: Point, buckets: int) -> dict[str, float]:
        asked.append(point)
        return dict.fromkeys(scaling.RATIOS, float(point.slate * buckets))

    monkeypatch.setattr(scaling, "measured", measured)
    found = scaling.sweep(Point(), "slate", 6, 2)
    assert [one["value"] for one in found] == list(scaling.AXES["slate"])
    assert [one["ratio"]["rank_s"] for one in found] == [0.25, 0.5, 1, 2.5, 5, 10]
    assert asked == 2 * [varied(Point(), "slate", value) for value in scaling.AXES["slate"]]  # by turns
    few = scaling.sweep(Point(rate=100), "slate", 2, 1)
    assert [(one["value"], one["join_s"]) for one in few] == [(5, 10), (20, 40), (200, 400)]


def test_fit_finds_the_parts_that_costs_were_made_of() -> None:
    """Exact sums come back as they were put in, whatever the figure."""
    base = asdict(Point())
    axes: dict[str, list[dict[str, Any]]] = {}
    for axis, values in scaling.AXES.items():
        points = [(value, 3.0 * value if axis == "clicks" else 0.1) for value in values]
        axes[axis] = [
            {"value": value, "pairs": pairs, **_figures({**base, axis: value, "pairs": pairs})}
            for value, pairs in points
        ]
    fitted = coefficients({"base": base, "axes": axes})
    for parts in fitted.values():
        assert parts.pop("error") < 0.001
        assert list(parts.values()) == pytest.approx(list(COSTS[: len(parts)]), rel=0.01)


def _figures(sizes: dict[str, float]) -> dict[str, float]:
    return {
        figure: sum(cost * amount(sizes) for cost, amount in zip(COSTS, parts.values(), strict=False))
        for figure, parts in PARTS.items()
    }


def test_what_breaks_first_says_so() -> None:
    """Each stream and setting that is pushed too far is refused with the number that it was pushed to."""
    said = {
        (axis, pushed): probe()
        for axis, probes in scaling_limits.probes().items()
        for pushed, probe in probes
        if "in a process" not in pushed
    }
    assert said["slate", "1001 items"] == "invalid: items must be 1 to 1000, got 1001"
    assert said["history", "1,001 entries"].endswith("events.history_length: must be <= 1000, got 1001")
    assert all(said.values())


def test_what_is_taken_is_not_called_broken(monkeypatch: pytest.MonkeyPatch) -> None:
    """A limit that has been lifted must be noticed, not written down."""
    assert scaling_limits.refused("impressions") == ""
    assert scaling_limits.unset() == ""
    monkeypatch.setattr(scaling_limits, "probes", lambda: {"slate": [("5 items", lambda: "")]})
    with pytest.raises(RuntimeError, match=r"^slate was pushed to 5 items, and nothing broke$"):
        scaling_limits.breaks()


def test_pages_and_coefficients_are_those_of_the_last_sweep() -> None:
    """`python -m bench.scaling --again` writes them; nobody edits them."""
    found = written()
    fitted = coefficients(found)
    assert (ROOT / scaling.COEFFICIENTS).read_text(encoding="utf-8") == module(fitted)
    assert (ROOT / "docs" / "scaling.md").read_text(encoding="utf-8") == page(found, fitted)
    assert (ROOT / "docs" / "capacity.md").read_text(encoding="utf-8") == capacity_page.page()


def test_fits_are_close_enough_to_plan_with() -> None:
    """Two fifths off is what a plan can bear; more would mean that a part is missing."""
    errors = {figure: parts["error"] for figure, parts in coefficients(written()).items()}
    assert max(errors.values()) < 0.4, errors
