"""The capacity page: `python -m bench.capacity_page > docs/capacity.md`. Its tables are `lis_online.capacity`'s."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from typing import Final

from bench.prose import page_of, table
from lis_online import capacity as plan
from lis_online.capacity import Load, Need, Ranked, needed
from lis_online.cli.capacity import duration, size

IMPRESSIONS: Final = (100, 1_000, 10_000, 100_000, 1_000_000)
VARIANTS: Final = (1, 2, 8, 16)
EXAMPLE: Final = Load(impressions=10_000, variants=4)


NEEDS: Final = (
    "join cores",
    "join memory",
    "partitions",
    "rank cores",
    "of them pairs",
    "pairs remembered",
    "GPUs",
    "rank memory",
    "publish cores",
    "Kafka in",
    "Kafka disk an hour",
    "PostgreSQL a day",
)

GIVES: Final = (
    "every slate: samples/s",
    "0.0005 in",
    "standard error after a day",
    "one core: `events.user_sample`",
    "samples/s",
    "0.0005 in",
    "standard error after a day",
    "rank memory",
)


def page() -> str:
    """Return the page."""
    return page_of([_head(), _takes(), _gives(), _arithmetic(), _sampling(), _known()])


def _head() -> str:
    base = Load(impressions=1)
    return f"""
# Capacity

From impressions a second and variants to cores, GPUs, memory, Kafka and PostgreSQL. For your own numbers:

```bash
lis-online capacity --impressions 10000 --slate 20 --variants 4
```

with `--json` for programs. Below: slates of {base.slate}, histories of {base.history}, {base.clicks:g} clicks on an
impression, vectors of {base.dimension} numbers, {base.items:,} items, {base.users:,} users, one source, a horizon of
{base.horizon / 60:.0f} minutes, {base.slices} slices, the default windows. Rates are those of the peak. What a part
costs is fitted to [scaling.md](scaling.md).
"""


def _takes() -> str:
    return f"""
## What it takes

{_of_loads(NEEDS, _need)}

With every slate ranked, by the default network. Rank is one process, on a core or a GPU: more than one GPU is not there
to be had, more cores give little ([performance.md](performance.md)), and those columns say how far away it is;
`logistic` rankers take about half the cores ([rankers.md](rankers.md)). GPUs are extrapolated from the goal of
{plan.GPU_TIMES} times a core; no card was measured for this table.
"""


def _need(need: Need) -> Iterator[str]:
    yield _count(need.join_cores)
    yield size(need.join_memory)
    yield f"{need.partitions:,}"
    yield _count(need.full.cores)
    yield _count(need.pair_cores)
    yield f"{need.pairs:.2g}"
    yield f"{need.gpus:,}" if need.gpus else "none"
    yield size(need.full.memory)
    yield _count(need.publish_cores)
    yield f"{size(need.kafka_in)}/s"
    yield size(need.full.disk_hour)
    yield size(need.postgres_day)


def _gives() -> str:
    return f"""
## What it gives

{_of_loads(GIVES, _gift)}
"""


def _gift(need: Need) -> Iterator[str]:
    yield from _precision(need.full)
    some = need.sampled
    if some is None:
        yield from ("none: pairs take more", "", "", "", "")
        return
    yield "1" if some.share == 1 else f"{some.share:.2g}"
    yield from _precision(some)
    yield size(some.memory)


def _precision(ranked: Ranked) -> tuple[str, str, str]:
    return f"{ranked.samples:,.0f}", duration(ranked.hours), f"{ranked.stderr:.2g}"


def _of_loads(head: tuple[str, ...], row: Callable[[Need], Iterator[str]]) -> str:
    loads = [(rate, count) for rate in IMPRESSIONS for count in VARIANTS]
    rows = ([f"{rate:,}", f"{count}", *row(needed(Load(impressions=rate, variants=count)))] for rate, count in loads)
    return table(("impressions/s", "variants", *head), rows)


def _arithmetic() -> str:
    load = EXAMPLE
    return f"""
## The arithmetic

For {load.impressions:,.0f} impressions a second and {load.variants} variants, so {load.rankers} rankers:

{table(("what", "how", "is"), _steps(needed(load)))}

The parts of a slate's cost are in [scaling.md](scaling.md#coefficients); sizes of users in [recovery.md](recovery.md),
of the history in [history.md](history.md), of sketches and rankers in [operations.md](operations.md#size). PostgreSQL
does not grow with impressions: a bucket is a bucket, and what is stored of it are bins that are not empty.
"""


def _steps(need: Need) -> Iterator[tuple[str, str, str]]:
    load = need.load
    slates = plan.slate_cores(load)
    busy = f"x {plan.LIVE:g} (the live path over the shards alone) / {plan.BUSY:g} busy"
    yield "join", f"impressions/s x {_us(need.join_cores, load.impressions)} {busy}", f"{need.join_cores:.2f} cores"
    yield "partitions", "twice the cores of join, a power of two, 4 at least", f"{need.partitions}"
    waiting = f"impressions that wait for {load.attribution / 60:.0f} minutes"
    users = f"users x {plan.USER_BYTES} B"
    yield "join, memory", f"{size(plan.JOIN_BASE_BYTES)} for each core + {users} + {waiting}", size(need.join_memory)
    yield "rank, slates", f"impressions/s x {_us(slates, load.impressions)} {busy}", f"{slates:.2f} cores"
    click = _us(need.pair_cores, load.impressions * load.clicks)
    yield (
        "rank, pairs",
        f"clicks/s x {click}, alike: {plan.PARTNERS} pairs a click, the most",
        f"{need.pair_cores:.2f} cores",
    )
    remembered = f"clicks/s x {plan.PARTNERS} x {(load.memory + load.horizon) / 3600:g} h, at most"
    yield "pairs remembered", remembered, f"{need.pairs:,.0f}"
    of_load = f"log2 of them / {plan.SKETCH_LOAD:.0%}, were they all different; {plan.MOST_SKETCH_BITS} is the most"
    yield "`leakage.sketch_bits`", of_load, f"{need.sketch_bits}"
    yield "GPUs", f"cores of rank / {plan.GPU_TIMES}", f"{need.gpus}"
    vectors = f"vectors {size(need.vector_memory)} (2 B x dimension x items x variants)"
    fixed = f"{size(plan.PROCESS_BYTES)} + sketches {size(plan.SKETCH_BYTES)} + rankers x {size(plan.RANKER_BYTES)}"
    yield "rank, memory", f"{fixed} + {vectors} + slates of a horizon", size(need.full.memory)
    yield "Kafka, in", "impressions/s x (input + rank log) + a bucket a minute", f"{size(need.kafka_in)}/s"
    out = f"each of it is read once; followers read it {plan.REPLICAS - 1} times more"
    yield "Kafka, out", out, f"{size(plan.REPLICAS * need.kafka_in)}/s"
    disk = f"in x 3,600 s x {plan.REPLICAS} replicas, before compression; times the hours of `kafka.retention`"
    yield "Kafka, disk", disk, f"{size(need.full.disk_hour)} an hour"
    bucket = f"{plan.BUCKET_BYTES:,} B x rankers x slices + rows of `numbers` x {plan.NUMBER_ROW_BYTES} B"
    kept = f"{size(need.postgres_day)} a day, {size(need.postgres_kept)}"
    yield "PostgreSQL", f"1,440 buckets x ({bucket}); {plan.KEPT_DAYS} days of it are kept whole", kept
    yield "checkpoint, join", f"users x {plan.USER_CHECKPOINT_BYTES} B", size(need.join_checkpoint)


def _us(cores: float, rate: float) -> str:
    return f"{1e6 * cores * plan.BUSY / plan.LIVE / rate:.3g} us"


def _sampling() -> str:
    load = EXAMPLE
    head = ("`events.user_sample`", "samples/s", "0.0005 in", "standard error after a day", "rank cores", "rank memory")
    shares = [plan.ranked(load, share) for share in (1.0, 0.3, 0.1, 0.03, 0.01)]
    rows = [(f"{one.share:g}", *_precision(one), _count(one.cores), size(one.memory)) for one in shares]
    return f"""
## Sampling

Throughput is precision, and precision has an end: what teams ship on is a gain of 0.0005, and once that is resolved
within the hour more samples tell little that is new. Two standard errors are 0.0005 after about
{plan.SAMPLES_TO_RESOLVE:.2g} samples, the most of the worlds in [validation.md](validation.md#how-precise); fewer
clicks take more, and `samples_to_resolve` beside each number is your own (give it as `--resolve`).
`events.user_sample` then ranks a share of the users ([load.md](load.md)): standard errors grow with one over the root
of the share, and pairs, arms and lifts are those of all users. At {load.impressions:,.0f} impressions a second and
{load.variants} variants:

{table(head, rows)}

A small share learns more slowly, from fewer users; take the largest that one core or card can rank. Pairs are not
sampled, because a thinned table of pairs gives another LIS: where they alone keep rank busy, count fewer actions or
fewer `preference.partners`.
"""


def _known() -> str:
    one = Load(impressions=1)
    of_one_core = 1 / (plan.slate_cores(one) + plan.pair_cores(one))
    return f"""
## Measured, and not

- Measured: a slate's cost in join and rank, a bucket's in publish, bytes of input, rank log and buckets, memory of an
impression that waits; up to 16 variants, slates and histories of 200, 4,096 numbers, four clicks on an impression; on
two shared cores.

- Extrapolated: rates above what one core does ({of_one_core:,.0f} impressions/s of rank at {one.variants} variants),
the live path's {plan.LIVE:g} (a bound that the benchmarks hold), memory that grows with the rate, join on more than one
machine.

- Assumed: {plan.GPU_TIMES} times a core for a GPU.

- Not in it: how many different pairs there are. A table of 2^{plan.DEFAULT_SKETCH_BITS} slots tells
{plan.SKETCH_LOAD * 2**plan.DEFAULT_SKETCH_BITS:,.0f} pairs apart ([sketches.md](sketches.md)), one of
2^{plan.MOST_SKETCH_BITS} slots {plan.SKETCH_LOAD * 2**plan.MOST_SKETCH_BITS:,.0f}, at
{size(plan.SKETCH_BYTES * 2 ** (plan.MOST_SKETCH_BITS - plan.DEFAULT_SKETCH_BITS))} of memory. Popular pairs come again
and again, so there are far fewer than are remembered; beyond that the diagnosis `overloaded_sketch` says so, and a
shorter `leakage.memory` or more `leakage.sketch_bits` is the answer. At the largest rates this comes before the cores.
"""


def _count(cores: float) -> str:
    return f"{cores:.2g}" if cores < 10 else f"{cores:,.0f}"


if __name__ == "__main__":
    sys.stdout.write(page())
