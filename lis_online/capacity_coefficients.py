"""What parts of the work cost, in seconds of one core and in bytes. Written by `python -m bench.scaling`.

Fitted to docs/scaling.json; `error` is the root mean square relative error of a fit.
"""

from __future__ import annotations

from typing import Final

FITTED: Final[dict[str, dict[str, float]]] = {
    "join_s": {
        "slate": 4.46e-05,
        "item": 2.41e-07,
        "history": 2.33e-07,
        "click": 2.46e-05,
        "error": 0.23,
    },
    "rank_s": {
        "slate": 2.55e-05,
        "item": 9.95e-06,
        "item_variant": 2.84e-06,
        "item_history": 0.0,
        "product": 2.52e-10,
        "pair": 2.36e-05,
        "error": 0.052,
    },
    "publish_s": {
        "bucket": 0.0226,
        "variant": 0.00671,
        "error": 0.053,
    },
    "input_bytes": {
        "slate": 155.0,
        "item": 7.43,
        "history": 7.45,
        "click": 114.0,
        "error": 0.0014,
    },
    "log_bytes": {
        "slate": 25.2,
        "item": 43.3,
        "history": 15.7,
        "pair": 43.8,
        "error": 0.009,
    },
    "pending_bytes": {
        "slate": 3000.0,
        "item": 7.26,
        "history": 18.6,
        "error": 0.078,
    },
    "windows_bytes": {
        "bucket": 31000.0,
        "variant": 26700.0,
        "error": 0.34,
    },
    "number_rows": {
        "bucket": 238.0,
        "variant": 73.0,
        "error": 1.2e-16,
    },
}
