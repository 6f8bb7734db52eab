"""A worker for the live page's tests: numbers, shards and outages, set by hand."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

from prometheus_client import CollectorRegistry

from lis_online.drift.event import DriftEvent
from lis_online.drift.reading import Series
from lis_online.exporter.exposition import Exposition
from lis_online.exporter.health import WorkerHealth
from lis_online.exporter.live import Live
from lis_online.exporter.pages import Pages
from lis_online.exporter.server import LOOPBACK, ExporterServer
from lis_online.metrics.alignment import PairAlignment
from lis_online.metrics.diagnosis import Diagnosis
from lis_online.metrics.estimate import Estimate
from lis_online.metrics.results import SliceNumbers, SourceNumbers, VariantNumbers
from lis_online.settings.model import HttpSettings
from lis_online.shards.drift_view import DriftView
from lis_online.shards.trails import Trails, watched
from lis_online.shards.view import WHOLE_RUN, PublishView, VersionInfo
from tests.exporter.examples import experiment

MINUTE = 60_000
END = 1_795_000_020_000
WINDOWS = (15 * MINUTE, 60 * MINUTE, 360 * MINUTE, 1_440 * MINUTE, WHOLE_RUN)
JUDGED = {
    "aligned": "{0} delivers 71% (62% to 80%) of what coclick can bring, +0.0142 (+0.0131 to +0.0153): keep it; "
    "to gain more, look for better preference data.",
    "misaligned": "{0} delivers 18% (9% to 27%) of what coclick can bring, +0.0142 (+0.0131 to +0.0153), less than "
    "50%: the data is good and the alignment loses it. Retrain it.",
    "insufficient_data": "{0} delivers 31% (-4% to 66%) of what search can bring: that includes 0 and more than 50%, "
    "so it decides nothing; about 1,200,000 samples resolve 0.0005.",
}
VARIANTS = (
    ("qwen-vl-coclick", "coclick", "aligned", 0.0101, 0.71),
    ("internvl-title", "coclick", "misaligned", 0.0026, 0.18),
    ("clip-search", "search", "insufficient_data", 0.0011, None),
)


def near(value: float, minute: int, stderr: float = 0.0006) -> Estimate:
    """Return an estimate that wanders about a value, the same in every run."""
    wander = math.sin(minute / 9) + 0.6 * math.sin(minute / 3.7 + 1) + 0.3 * math.sin(1.9 * minute)
    return Estimate.of(value + 0.4 * stderr * wander, stderr**2, samples=1_000)


def source(base: float, minute: int) -> SourceNumbers:
    """Return a source's numbers in a minute."""
    values = (base * 1.05, base * 0.6, base * 0.45, -0.0008, base, base * 0.1)
    return SourceNumbers(*(near(value, minute + at) for at, value in enumerate(values)), 0.41, 0.004)


def variant(name: str, source: str, ais: float, efficiency: float | None, minute: int) -> VariantNumbers:
    """Return a variant's numbers in a minute."""
    none = Estimate.none("LIS interval includes 0")
    share = none if efficiency is None else near(efficiency, minute + 11, 0.045)
    return VariantNumbers(source, near(ais, minute), near(ais, minute + 5), share, 0.93, name, "2")


def windows(minute: int) -> dict[int, dict[str, SliceNumbers]]:
    """Return the numbers of every window in a minute."""
    return {
        length: {
            "all": SliceNumbers(
                slice="all", samples=120_400 + 900 * minute, slates=14_000, positives=9_000, effective_users=3_412.0,
                unleaked={"auc": near(0.7012, minute)}, twin=near(0.0001, minute),
                sources={"coclick": source(0.0142, minute + at), "search": source(0.0009, minute + at)},
                variants={name: variant(name, of, ais, share, minute + at) for name, of, _, ais, share in VARIANTS},
                levels={}, start=END - length,
            )
        }
        for at, length in enumerate(WINDOWS)
    }  # fmt: skip


def aligned(name: str, share: float, minute: int) -> PairAlignment:
    """Return a variant's pair alignment in a minute."""
    return PairAlignment(name, "2", near(share, minute, 0.008), 20_000, 40, END + minute * MINUTE)


def view(minute: int = 120, first: str = "aligned") -> PublishView:
    """Return the view after so many minutes; first: the diagnosis of the first variant."""
    trails = Trails()
    for before in range(minute + 1):
        pairs = {name: aligned(name, 0.6 + 0.3 * (share or 0), before) for name, *_, share in VARIANTS}
        alignment = dict.fromkeys(WINDOWS, pairs)
        trails = trails.plus(END + before * MINUTE, watched(windows(before), alignment))
    words = (first, *(word for _, _, word, *_ in VARIANTS[1:]))
    judged = {
        name: Diagnosis(word, JUDGED[word].format(name)) for (name, *_), word in zip(VARIANTS, words, strict=True)
    }
    return PublishView(
        end=END + minute * MINUTE,
        revision=minute,
        metric="auc",
        windows=windows(minute),
        diagnoses={length: {"all": judged} for length in WINDOWS},
        arms=(),
        counts={"accepted": 1_204_551, "late_impression": 12, "malformed": 3},
        set_aside={},
        late_side=0,
        left_out=0,
        warm_from=END,
        warm=True,
        versions=tuple(VersionInfo(name, "2", END, newest=True) for name, *_ in VARIANTS),
        alignment=alignment,
        experiments={"mllm-q4": experiment()},
        trails=trails,
    )


def many(variants: int = 20, sources: int = 5) -> PublishView:
    """Return a view as large as any: full trails, long sentences, and experiments."""
    one = view()
    numbers = {}
    for length, slices in one.windows.items():
        found = slices["all"]
        first_source, first_variant = found.sources["coclick"], found.variants["qwen-vl-coclick"]
        numbers[length] = {
            "all": replace(
                found,
                sources={f"preference-source-{k}": first_source for k in range(sources)},
                variants={
                    f"representation-{k}": replace(
                        first_variant, source=f"preference-source-{k % sources}", variant=f"representation-{k}"
                    )
                    for k in range(variants)
                },
            )
        }
    pairs = {f"representation-{k}": aligned(f"representation-{k}", 0.8, 1) for k in range(variants)}
    trails = Trails()
    for minute in range(121):
        trails = trails.plus(END + minute * MINUTE, watched(numbers, dict.fromkeys(WINDOWS, pairs)))
    said = {f"representation-{k}": Diagnosis("aligned", JUDGED["aligned"].format(k)) for k in range(variants)}
    return replace(
        one, windows=numbers, alignment=dict.fromkeys(WINDOWS, pairs), trails=trails,
        diagnoses={length: {"all": said} for length in WINDOWS},
        experiments={f"experiment-{k}": one.experiments["mllm-q4"] for k in range(4)},
    )  # fmt: skip


def drift() -> DriftView:
    """Return one event that is over and one, older, that is not; a third number holds its level."""
    broken = Series("variant", "internvl-title", "adjusted_ais")
    thin = Series("source", "search", "adjusted_lis")
    fell = DriftEvent(
        END, END + MINUTE, broken, near(0.0098, 0), near(0.0026, 0), "cusum", "version", "internvl-title", "2", "1"
    )
    back = DriftEvent(END, END + MINUTE, thin, near(0.004, 0), near(0.001, 0), "cusum", "source", "search")
    events = (fell, replace(back, time=END + 5 * MINUTE, until=END + 60 * MINUTE))
    held = Series("variant", "clip-search", "adjusted_ais")
    return DriftView(events, {broken: True, thin: False, held: False}, {(broken, "version"): 1, (thin, "source"): 1})


@dataclass
class Worker:
    """What the pages of a worker are asked for; a test sets it."""

    view: PublishView | None = None
    alive: str | None = None
    ready: str | None = None
    now: float = 0.0
    health: WorkerHealth = field(init=False)

    def __post_init__(self) -> None:
        self.health = WorkerHealth(lambda: self.now)

    def live(self) -> Live:
        """Return what the live page asks."""
        return Live(lambda: self.view, self.health, lambda: self.alive, lambda: self.ready, 60.0, lambda: self.now)


NOW = END / 1000 + 9_000.0
"""The clock of the workers, s."""


def worker(view: PublishView | None, roles: tuple[str, ...] = ("join", "rank", "publish"), now: float = NOW) -> Worker:
    """Return a worker whose shards have just worked. join 1 has records to read."""
    made = Worker(view, now=now)
    for role in roles:
        made.health.begin(role)
        for partition in range(2 if role == "join" else 1):
            made.health.assigned(role, partition)
            made.health.applied(role, partition, 500, 0.2)
            made.health.saved(role, partition, 12, size=5_000, seconds=0.5, pause=0.01)
            if role != "publish":
                made.health.passed(role, partition, int(1000 * made.now) - 41_000)
    made.health.lagged({(shard.role, shard.partition): 12_345 * shard.partition for shard in made.health.get()})
    if "publish" in roles:
        made.health.begin_history()
        made.health.written(4_812, 0.02)
    return made


@contextmanager
def served(
    made: Worker, pages: Callable[[Pages], Pages] = lambda pages: pages, http: HttpSettings = LOOPBACK
) -> Iterator[ExporterServer]:
    """Serve a worker's pages while the context lasts."""
    answers = Pages(
        Exposition(CollectorRegistry()), alive=lambda: made.alive, ready=lambda: made.ready, live=made.live()
    )
    with ExporterServer(pages(answers), http) as server:
        yield server
