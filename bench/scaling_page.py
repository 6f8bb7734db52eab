"""The page of the scaling sweep. Every number on it comes out of the run."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from bench.prose import page_of, table
from bench.scaling_point import BUCKET
from streams.turns import LONGEST_TURN

HEAD: Final = (
    "value",
    "join, us a slate",
    "rank, ms a slate",
    "its longest turn, s",
    "publish, ms a bucket",
    "input, B a slate",
    "rank log, B a slate",
    "history, kB a bucket",
    "join's checkpoint, MB",
    "rank's, MB",
    "resident, MB",
)

WORDS: Final = {
    "partitions": "Input partitions, and so join shards. Blocks of the rank log get smaller.",
    "variants": "Variants of 128 numbers, each with two rankers beside the six that are always there.",
    "dimension": "Numbers of a vector. Vectors are stored in float16 and gathered once for a slate.",
    "slate": "Items of an impression. Shorter slates come more often: as many samples a second at every point.",
    "history": "Entries of a user's history.",
    "items": "Items with a vector in both variants.",
    "clicks": "Clicks on an impression, on average. Each makes pairs with up to five items of the user's history.",
}

RATIO: Final = {
    "join, us a slate": "join_s",
    "rank, ms a slate": "rank_s",
    "publish, ms a bucket": "publish_s",
    "rank log, B a slate": "log_bytes",
    "history, kB a bucket": "bucket_bytes",
    "rank's, MB": "rank_checkpoint_bytes",
}

FIGURES: Final = {
    "join, us a slate": ("join_s", 1e6),
    "rank, ms a slate": ("rank_s", 1e3),
    "its longest turn, s": ("rank_turn_s", 1.0),
    "publish, ms a bucket": ("publish_s", 1e3),
    "input, B a slate": ("input_bytes", 1.0),
    "rank log, B a slate": ("log_bytes", 1.0),
    "history, kB a bucket": ("bucket_bytes", 1e-3),
    "join's checkpoint, MB": ("join_checkpoint_bytes", 1e-6),
    "rank's, MB": ("rank_checkpoint_bytes", 1e-6),
    "resident, MB": ("resident_bytes", 1e-6),
}


def page(found: dict[str, Any], fitted: dict[str, dict[str, float]]) -> str:
    """Return the page. fitted: as `bench.scaling_fit.coefficients`."""
    return page_of([_head(found), *_axes(found), _turns(found), _breaks(found), _fits(fitted)])


def _head(found: dict[str, Any]) -> str:
    base = ", ".join(f"{name} {value:,}" for name, value in found["base"].items())
    return f"""
# Scaling

Made by `make scaling`, last at a scale of {found["scale"]:g} ([scaling.json](scaling.json)). What these costs come to
for a load: [capacity.md](capacity.md).

The three shards in one process without Kafka, fed a made-up stream: processor time of one thread of a shared machine,
the least of {found["turns"]} turns, over {found["buckets"]} buckets of {BUCKET} s of event time. In brackets the cost
over the base point's on the same axis. Base: {base}.
"""


def _axes(found: dict[str, Any]) -> Iterator[str]:
    for axis, points in found["axes"].items():
        yield f"## {axis.capitalize()}\n\n{WORDS[axis]}\n\n{table(HEAD, map(_row, points))}"


def _row(point: dict[str, Any]) -> Iterator[str]:
    yield f"{point['value']:,g}"
    for name in HEAD[1:]:
        figure, unit = FIGURES[name]
        ratio = f" ({point['ratio'][RATIO[name]]:.2g})" if name in RATIO else ""
        yield f"{float(f'{point[figure] * unit:.3g}'):,g}{ratio}"


def _turns(found: dict[str, Any]) -> str:
    points = [(axis, point) for axis, points in found["axes"].items() for point in points]
    long = [(axis, point) for axis, point in points if point["rank_turn_s"] > LONGEST_TURN]
    longest = {axis: (point["value"], point["rank_turn_s"]) for axis, point in sorted(long, key=_turn)}
    told = "; the longest of each axis: " + ", ".join(
        f"{axis} {at:,g} ({s:.1f} s)" for axis, (at, s) in longest.items()
    )
    return f"""
## Turns

A worker aims at turns of {LONGEST_TURN:g} s. The record of the rank log that moves the watermark lets rank score
all that came with it, a batch of join's, and one record is the least that a turn can have. Longer than that were
{len(long)} of {len(points)} points{told if long else ""}.
Nothing fails then; commits, a rebalance and SIGTERM wait for a turn's end. `lis_step_seconds` tells.
"""


def _turn(found: tuple[str, dict[str, Any]]) -> float:
    """Return the longest turn of an axis's point, s."""
    return float(found[1]["rank_turn_s"])


def _breaks(found: dict[str, Any]) -> str:
    rows = [(one["axis"], one["pushed"], _cell(one["said"])) for one in found["breaks"]]
    return f"""
## What breaks first

Each was pushed until it was refused; what was said is what a dead letter, a command or a log says.

{table(("axis", "pushed to", "what is said"), rows)}

Items beyond a million for each variant break nothing: those whose vectors were published longest ago make room. Nor
does a rate: lag grows ([load.md](load.md)).
"""


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("<", "&lt;")


def _fits(fitted: dict[str, dict[str, float]]) -> str:
    rows = []
    for figure, parts in fitted.items():
        told = ", ".join(f"{name} {value:.3g}" for name, value in parts.items() if name != "error" and value)
        rows.append((figure, told, f"{parts['error']:.0%}"))
    return f"""
## Coefficients

What `lis-online capacity` computes with: each figure as a sum of parts (`bench/scaling_fit.py`), in seconds or bytes.
Points of the axes items and partitions are not in it. The error is the root mean square of the relative ones.

{table(("figure", "parts", "error"), rows)}
"""
