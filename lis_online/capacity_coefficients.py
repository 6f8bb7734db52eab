"""What parts of the work cost, in seconds of one core and in bytes. Written by `python -m bench.scaling`.

Fitted to docs/scaling.json; `error` is the root mean square relative error of a fit.
"""

from __future__ import annotations

from typing import Final

FITTED: Final[dict[str, dict[str, float]]] = {
    "join_s": {
        "slate": 3.8e-05,
        "item": 3.89e-07,
        "history": 2.73e-07,
        "click": 1.94e-05,
        "error": 0.087,
    },
    "rank_s": {
        "slate": 2.14e-05,
        "item": 2.2e-05,
        "item_variant": 3.97e-06,
        "item_history": 4.89e-08,
        "product": 2.5e-10,
        "pair": 1.49e-05,
        "error": 0.046,
    },
    "publish_s": {
        "bucket": 0.0238,
        "variant": 0.00754,
        "error": 0.092,
    },
    "input_bytes": {
        "slate": 156.0,
        "item": 7.42,
        "history": 7.46,
        "click": 113.0,
        "error": 0.0075,
    },
    "log_bytes": {
        "slate": 30.3,
        "item": 42.8,
        "history": 16.0,
        "pair": 47.2,
        "error": 0.016,
    },
    "pending_bytes": {
        "slate": 2260.0,
        "item": 0.0,
        "history": 15.4,
        "error": 0.12,
    },
    "windows_bytes": {
        "bucket": 7330.0,
        "variant": 4860.0,
        "error": 0.3,
    },
    "number_rows": {
        "bucket": 238.0,
        "variant": 73.0,
        "error": 0.00065,
    },
}
