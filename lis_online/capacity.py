"""What a load needs: cores, memory, Kafka, PostgreSQL, and how long a number takes to become sure.

Plain arithmetic over the coefficients that `python -m bench.scaling` fits (`capacity_coefficients`), and over sizes
that other pages measured or derive; each constant names its source. docs/capacity.md is made of these functions.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final

from lis_online.capacity_coefficients import FITTED
from lis_online.errors import UsageError

BUSY: Final = 0.7
"""Share of a core that is planned with: the rest is for catching up and for peaks. A choice."""

LIVE: Final = 1.6
"""Processor time of the live path over that of the shards alone: the bound of docs/performance.md, not a fit."""

GPU_TIMES: Final = 20
"""Rank steps of one card over those of one core: the goal of docs/performance.md, not a measurement."""

REPLICAS: Final = 3
"""Copies that Kafka keeps of each record, and network traffic that a record is written with. A choice."""

PARTNERS: Final = 5
"""Pairs that a click makes at most: the default of `preference.partners`."""

FIXED_RANKERS: Final = 6
"""Unleaked and twin; leaked, past, placebo and thinned of one source."""

SKETCH_LOAD: Final = 0.01
"""Different pairs over slots at which 0.04 % of unknown pairs look known: docs/sketches.md. Of a history of 20 that is
0.8 % of the samples, and about 2 % of a coverage of 0.4 is what `overloaded_sketch` begins at."""

DEFAULT_SKETCH_BITS: Final = 22
MOST_SKETCH_BITS: Final = 28
"""Of `leakage.sketch_bits`: settings/model.py, which a test holds them to."""

RANKER_BYTES: Final = 11e6
SKETCH_BYTES: Final = 600e6
PROCESS_BYTES: Final = 700e6
"""At the default settings: docs/operations.md; a process with torch before it has read anything."""

USER_BYTES: Final = 500
USER_CHECKPOINT_BYTES: Final = 350
"""Of a user that a join shard knows, in memory and in a checkpoint: docs/recovery.md."""

JOIN_BASE_BYTES: Final = 1e9
"""Memory of a join process whose users were counted above, with a million of them active: docs/recovery.md."""

BUCKET_BYTES: Final = 3_000
"""Of a minute's statistics in PostgreSQL, for each ranker and slice, at 10,000 samples a minute: docs/history.md."""

NUMBER_ROW_BYTES: Final = 370
"""Of a row of `numbers` with its index: docs/history.md."""

KEPT_DAYS: Final = 14
"""Days that every minute is kept: the defaults of `history.keep_buckets` and `history.keep_numbers`."""

MEASURED_SLICES: Final = 6
"""Slices of the load that the sweep measured: `number_rows` is of these."""

MINUTE: Final = 60.0
DAY: Final = 86_400.0
RESOLUTION: Final = 0.0005

SAMPLES_TO_RESOLVE: Final = 6.1e6
"""Samples after which two standard errors of an adjusted LIS or AIS are 0.0005: the most of docs/validation.md."""


@dataclass(frozen=True, slots=True)
class Load:
    """What comes in, and what is asked of it.

    impressions: a second; clicks: of a slate, on average; dimension: of a vector; items, users: known at a time;
    horizon, memory: of the leak, attribution: of labels, s; slices: that every number is kept for;
    samples_to_resolve: as that of the numbers, where there are some.

    Raises UsageError for what is not above 0.
    """

    impressions: float
    variants: int = 2
    slate: int = 20
    history: int = 20
    dimension: int = 128
    clicks: float = 0.2
    items: int = 1_000_000
    users: int = 10_000_000
    horizon: float = 1_800.0
    memory: float = 21_600.0
    attribution: float = 600.0
    slices: int = MEASURED_SLICES
    samples_to_resolve: float = SAMPLES_TO_RESOLVE

    def __post_init__(self) -> None:
        for name, value in asdict(self).items():
            if not 0 < value < math.inf:
                raise UsageError(f"{name} must be > 0, got {value}")

    @property
    def rankers(self) -> int:
        """How many rankers a group has: one source, one version of each variant."""
        return FIXED_RANKERS + 2 * self.variants


@dataclass(frozen=True, slots=True)
class Ranked:
    """What ranking a share of the users takes and gives: the others' slates are joined, and not sent to rank.

    cores: of pairs and slates; memory: of the rank worker; disk_hour: bytes of all topics, with replicas; samples: a
    second; hours: until two standard errors of a difference are 0.0005; stderr: of a difference after a day.
    """

    share: float
    cores: float
    memory: float
    disk_hour: float
    samples: float
    hours: float
    stderr: float


@dataclass(frozen=True, slots=True)
class Need:
    """What a load needs. Cores are planned to be busy for BUSY of the time; bytes are bytes, rates a second's.

    pair_cores: of rank, for the pairs of all users' clicks, whatever share is ranked; pairs: that are remembered at a
    time; sketch_bits: that tell as many apart, were they all different (popular pairs come again); gpus: cards that
    rank every slate, at the assumed GPU_TIMES, 0 where a core is enough; full: every slate ranked; sampled: the share
    of users that one core ranks, None where pairs alone keep it busy; kafka_in: written to Kafka once, without its
    replicas.
    """

    load: Load
    partitions: int
    join_cores: float
    join_memory: float
    join_checkpoint: float
    pair_cores: float
    publish_cores: float
    gpus: int
    pairs: float
    sketch_bits: int
    vector_memory: float
    kafka_in: float
    postgres_day: float
    postgres_kept: float
    full: Ranked
    sampled: Ranked | None

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON-able data, four digits of each number."""
        return {name: _rounded(value) for name, value in asdict(self).items()}


def cost(figure: str, amounts: Mapping[str, float]) -> float:
    """Return a fitted figure for how much there is of each of its parts.

    >>> cost("publish_s", {"bucket": 1, "variant": 0}) == FITTED["publish_s"]["bucket"]
    True
    """
    return sum(FITTED[figure][name] * amount for name, amount in amounts.items())


def needed(load: Load) -> Need:
    """Return what a load needs."""
    rate = load.impressions
    join_cores = LIVE * rate * cost("join_s", _parts(load)) / BUSY
    per_bucket = {"bucket": 1.0, "variant": float(load.variants)}
    rows = cost("number_rows", per_bucket) * load.slices / MEASURED_SLICES
    postgres = DAY / MINUTE * (BUCKET_BYTES * load.rankers * load.slices + NUMBER_ROW_BYTES * rows)
    pending = rate * load.attribution * cost("pending_bytes", _sizes(load))
    room = 1 - pair_cores(load)
    share = min(1.0, room / slate_cores(load))
    full = ranked(load, 1.0)
    pairs = rate * load.clicks * PARTNERS * (load.memory + load.horizon)
    return Need(
        load=load,
        partitions=max(4, 1 << math.ceil(math.log2(max(1.0, 2 * join_cores)))),
        join_cores=join_cores,
        join_memory=JOIN_BASE_BYTES * math.ceil(join_cores) + USER_BYTES * load.users + pending,
        join_checkpoint=USER_CHECKPOINT_BYTES * float(load.users),
        pair_cores=pair_cores(load),
        publish_cores=LIVE * cost("publish_s", per_bucket) / MINUTE / BUSY,
        gpus=math.ceil(full.cores / GPU_TIMES) if full.cores > 1 else 0,
        pairs=pairs,
        sketch_bits=max(8, math.ceil(math.log2(pairs / SKETCH_LOAD))),
        vector_memory=vector_memory(load),
        kafka_in=kafka_bytes(load, 1.0),
        postgres_day=postgres,
        postgres_kept=KEPT_DAYS * postgres,
        full=full,
        sampled=ranked(load, share) if room > 0 else None,
    )


def slate_cores(load: Load) -> float:
    """Return the cores that rank takes to score and learn every slate."""
    slate, history, variants, dimension = load.slate, load.history, load.variants, load.dimension
    amounts = {
        "slate": 1.0,
        "item": slate,
        "item_variant": slate * variants,
        "item_history": slate * history,
        "product": slate * history * variants * dimension,
    }
    return LIVE * load.impressions * cost("rank_s", amounts) / BUSY


def pair_cores(load: Load) -> float:
    """Return the cores that rank takes to enter the pairs of every click: of all users, whatever share is ranked."""
    return LIVE * load.impressions * cost("rank_s", {"pair": load.clicks * PARTNERS}) / BUSY


def vector_memory(load: Load) -> float:
    """Return the bytes of all vectors: two for each number."""
    return 2.0 * load.dimension * load.items * load.variants


def kafka_bytes(load: Load, share: float) -> float:
    """Return the bytes a second that are written to Kafka: input, slates of a share of users, all pairs, buckets."""
    of_impression = cost("input_bytes", _parts(load)) + cost("log_bytes", {"pair": load.clicks * PARTNERS})
    of_impression += share * cost("log_bytes", _sizes(load))
    buckets = cost("windows_bytes", {"bucket": 1.0, "variant": float(load.variants)}) / MINUTE
    return load.impressions * of_impression + buckets


def ranked(load: Load, share: float) -> Ranked:
    """Return what ranking a share of the users takes and gives: standard errors fall with the root of the samples."""
    samples = share * load.impressions * load.slate
    waiting = share * load.impressions * load.horizon * cost("log_bytes", _sizes(load))
    return Ranked(
        share=share,
        cores=pair_cores(load) + share * slate_cores(load),
        memory=PROCESS_BYTES + SKETCH_BYTES + RANKER_BYTES * load.rankers + vector_memory(load) + waiting,
        disk_hour=3_600 * REPLICAS * kafka_bytes(load, share),
        samples=samples,
        hours=load.samples_to_resolve / samples / 3_600,
        stderr=RESOLUTION / 2 * math.sqrt(load.samples_to_resolve / (samples * DAY)),
    )


def _sizes(load: Load) -> dict[str, float]:
    return {"slate": 1.0, "item": float(load.slate), "history": float(load.history)}


def _parts(load: Load) -> dict[str, float]:
    return _sizes(load) | {"click": load.clicks}


def _rounded(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _rounded(one) for name, one in value.items()}
    return float(f"{value:.4g}") if isinstance(value, float) else value
