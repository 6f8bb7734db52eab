"""How two configurations differ, as a reader of a backfill sees it."""

from __future__ import annotations

from typing import Any

import pytest

from lis_online.history.configuration import described
from lis_online.review.changed import changed
from lis_online.settings import Settings

VARIANT = {"name": "title", "preference": "coclick", "dimension": 4}


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        ({}, {}, []),
        ({}, {"leakage": {"horizon": "1h"}}, ["leakage.horizon: 30m -> 1h"]),
        ({}, {"metrics": {"windows": ["15m", "2h"]}}, ["metrics.windows: 15m, 1h, 6h, 1d -> 15m, 2h"]),
        ({}, {"metrics": {"warm_up": "30m"}}, ["metrics.warm_up: auto -> 30m"]),
        ({}, {"training": {"hidden": [32]}}, ["training.hidden: [64, 32] -> [32]"]),
        ({}, {"preference": [{"name": "coclick", "gap": "1h"}]}, ["preference.coclick.gap: 6h -> 1h"]),
        ({}, {"variant": [VARIANT]}, ["variant.title: not there -> there"]),
        ({"variant": [VARIANT]}, {}, ["variant.title: there -> not there"]),
    ],
)  # fmt: skip
def test_every_difference_is_a_line(before: dict[str, Any], after: dict[str, Any], told: list[str]) -> None:
    """By path, tables by their names, durations as a settings file has them."""
    assert changed(described(Settings.of(before)), described(Settings.of(after))) == told
