"""What parts of the work cost, in seconds of one core and in bytes. Written by `python -m bench.scaling`.

Fitted to docs/scaling.json; `error` is the root mean square relative error of a fit.
"""

from __future__ import annotations

from typing import Final

FITTED: Final[dict[str, dict[str, float]]] = {
    "join_s": {
        "slate": 2.44e-05,
        "item": 2.49e-07,
        "history": 2.38e-07,
        "click": 1.84e-05,
        "error": 0.053,
    },
    "rank_s": {
        "slate": 2.61e-05,
        "item": 1.06e-05,
        "item_variant": 2.82e-06,
        "item_history": 0.0,
        "product": 2.91e-10,
        "pair": 1.45e-05,
        "error": 0.054,
    },
    "publish_s": {
        "bucket": 0.0238,
        "variant": 0.00692,
        "error": 0.075,
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
        "slate": 2770.0,
        "item": 2.65,
        "history": 18.6,
        "error": 0.09,
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
