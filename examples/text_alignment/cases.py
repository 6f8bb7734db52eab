"""What is asked about: a simulated feed whose items have titles, or a folder in the format of the MIND data set."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import msgspec
import numpy as np

from examples.text_alignment.embedding import Embed
from examples.text_alignment.pairs import Pair, coclicks, in_sequence
from examples.text_alignment.titles import titles
from lis_online.cli.evaluate import THIN_LOG
from lis_online.errors import UsageError
from lis_online.events.decode import decode_representation, vector_of
from lis_online.replay.mind import read, read_behaviors
from lis_online.replay.paths import is_file, is_folder
from lis_online.replay.vectors import read_vectors
from lis_online.simulate.parameters import VariantParameters, WorldParameters
from lis_online.simulate.recorded import START, generate
from lis_online.simulate.scenario import Scenario

SOURCE: Final = "coclick"
HOUR: Final = 3_600_000
GAP: Final = HOUR
SAMPLE: Final = "mind-sample"
EARLIER: Final = 0.4
"""Share of the impressions whose clicks are aligned on; the others are evaluated."""


@dataclass(frozen=True, slots=True)
class Case:
    """Items with vectors, pairs of an earlier time, and the log of a later one.

    name: of the variant as it is; items: ids; vectors: float32 [items, dimension], of length 1; texts: some of what
    they are of; pairs: in order of time, or of chance where times are not known; log: the events to evaluate;
    settings: tables, without the variants.
    """

    name: str
    items: list[str]
    vectors: np.ndarray
    texts: Sequence[str]
    pairs: list[Pair]
    log: list[tuple[str, bytes]]
    settings: dict[str, Any]


def simulated(embed: Embed, name: str, slates: int, seed: int) -> Case:
    """Return a feed of so many impressions; its items' titles are made from what they are about."""
    world = WorldParameters(
        window=120_000, items=600, users=1_200, lifetime=3 * HOUR, slates_per_minute=60.0, ads_share=0.0, base=-3.0,
        strength=6.0, tastes=2, taste_noise=0.2, topic_spread=0.4, click_delay=6.0,
        variants=(VariantParameters("content", 1.0),),
    )  # fmt: skip
    about: dict[str, np.ndarray] = {}
    log: list[tuple[str, bytes]] = []
    for _, topic, value in generate(Scenario("titles", world, {}), slates, seed):
        if topic == "representations":
            event = decode_representation(value)
            about[event.item_id] = vector_of(event, world.dimension).astype(np.float32)
        else:
            log.append((topic, value))
    texts = titles(np.stack(list(about.values())), seed)
    split = START + int(EARLIER * (_ts(log[-1][1]) - START))
    earlier = [record for record in log if _ts(record[1]) < split]
    settings = {
        "events": {"attribution_window": "2m", "allowed_lateness": "5s"},
        "leakage": {"horizon": "10m", "memory": "30m", "folds": 2, "sketch_bits": 20},
        "metrics": {"bucket": "1m", "windows": ["1h"], "warm_up_samples": 5_000},
        "preference": [{"name": SOURCE, "kind": "co_engagement", "actions": ["click"], "gap": "1h"}],
    }
    later = log[len(earlier) :]
    return Case(name, list(about), embed(texts), texts, coclicks(earlier, GAP), later, settings)


def mind(folder: Path, embed: Embed, name: str) -> Case:
    """Return the impressions of a folder with MIND's `behaviors.tsv`, or with such a folder named `mind-sample`.

    Its titles are embedded where its `news.tsv` is there too; otherwise the vectors of `title-svd64.npz` are the ones
    that are aligned, and the variant's name is `title`. What users of the earlier impressions had clicked by then is
    what is aligned on: MIND gives it as their history.
    """
    if not is_file(folder / "behaviors.tsv") and is_folder(folder / SAMPLE):
        folder = folder / SAMPLE
    behaviors = sorted(read_behaviors(folder / "behaviors.tsv"))
    split = behaviors[int(EARLIER * len(behaviors))].ts
    earlier = [one for one in behaviors if one.ts < split]
    latest = {one.user: [*one.history, *one.clicked] for one in earlier}
    pairs = [pair for clicked in latest.values() for pair in in_sequence(clicked)]
    np.random.default_rng(0).shuffle(pairs)  # by user until here: a batch of one user's clicks would be all alike
    log = [(topic, value) for topic, value in read(folder) if _ts(value) >= split]
    settings = {**THIN_LOG, "preference": [{"name": SOURCE, "kind": "co_engagement"}]}
    if is_file(folder / "news.tsv"):
        items, texts = _news(folder / "news.tsv")
        return Case(name, items, embed(texts), texts, pairs, log, settings)
    if not is_file(folder / "title-svd64.npz"):
        raise UsageError(f"--data must hold news.tsv or title-svd64.npz beside behaviors.tsv, got {str(folder)!r}")
    known = read_vectors(folder / "title-svd64.npz")
    return Case("title", known.item_id.tolist(), known.vector.astype(np.float32), (), pairs, log, settings)


def _news(path: Path) -> tuple[list[str], list[str]]:
    """Return ids and titles of MIND's `news.tsv`: id, category, subcategory, title, ..., tab separated."""
    rows = [line.split("\t") for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
    short = next((number for number, row in enumerate(rows, start=1) if len(row) < 4), None)
    if short is not None:
        raise UsageError(f"{path}, line {short}: must have id, category, subcategory and title, separated by tabs")
    return [row[0] for row in rows], [row[3] for row in rows]


class _Timed(msgspec.Struct):
    ts: int


_decoder: Final = msgspec.json.Decoder(_Timed)


def _ts(value: bytes) -> int:
    return _decoder.decode(value).ts
