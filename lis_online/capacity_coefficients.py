"""What parts of the work cost, in seconds of one core and in bytes. Written by `python -m bench.scaling`.

Fitted to docs/scaling.json; `error` is the root mean square relative error of a fit.
"""

from __future__ import annotations

from typing import Final

FITTED: Final[dict[str, dict[str, float]]] = {
    "join_s": {"slate": 1e-5, "item": 1e-6, "history": 5e-7, "click": 1e-5},
    "rank_s": {
        "slate": 1e-5,
        "item": 2e-5,
        "item_variant": 5e-6,
        "item_history": 1e-7,
        "product": 1e-11,
        "click": 5e-5,
    },
    "publish_s": {"bucket": 0.01, "variant": 0.01},
    "input_bytes": {"slate": 100.0, "item": 9.0, "history": 8.0, "click": 120.0},
    "log_bytes": {"slate": 40.0, "item": 43.0, "history": 16.0, "click": 230.0},
    "pending_bytes": {"slate": 500.0, "item": 50.0, "history": 25.0},
    "windows_bytes": {"bucket": 30_000.0, "variant": 12_000.0},
    "number_rows": {"bucket": 100.0, "variant": 100.0},
}
