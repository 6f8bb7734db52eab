"""Arms for tests: moments from users' totals, or from printed sums."""

from __future__ import annotations

import numpy as np

from lis_online.events.windows_log import ArmMoments
from lis_online.experiments.columns import Columns
from lis_online.experiments.definitions import Metric
from lis_online.experiments.moments import UNIT, Moments

QUANTITIES = ["impression", "click", "dwell"]
CTR = Metric("ctr", "ratio", "click", "impression")
DWELL = Metric("dwell", "mean", "dwell")
CLICKERS = Metric("clickers", "proportion", "click")
METRICS = (CTR, DWELL, CLICKERS)
COLUMNS = Columns(QUANTITIES, METRICS)


def arm_of(
    totals: np.ndarray, name: str = "a", columns: Columns = COLUMNS, before: np.ndarray | None = None
) -> ArmMoments:
    """Return the moments of users with these totals [users, quantities], in units; before: of the pre-period."""
    moments = Moments(len(columns.names))
    for row in range(len(totals)):
        pre = None if before is None else [round(float(x) * UNIT) for x in before[row]]
        moments.add(columns.values([round(float(x) * UNIT) for x in totals[row]], pre))
    return moments.get("e", name)


def printed(users: int, sums: list[float], products: list[list[float]]) -> ArmMoments:
    """Return moments from sums and products as a paper or another library's tests print them."""
    flat = [str(round(x * UNIT * UNIT)) for row in products for x in row]
    return ArmMoments("e", "a", users, 0, [str(round(x * UNIT)) for x in sums], flat, [0] * len(sums))


def users(rng: np.random.Generator, count: int, lift: float = 0.0) -> np.ndarray:
    """Return totals [count, 3] of users who differ: impressions, clicks, dwell seconds."""
    shown = 10 * (1 + rng.poisson(2 * rng.lognormal(0, 0.8, count)))
    clicks = rng.binomial(shown, np.minimum(1, rng.beta(2, 18, count) * (1 + lift)))
    return np.stack([shown, clicks, clicks * rng.lognormal(0, 0.5, count)], axis=1).astype(float)
