"""Which record of a log makes which time ready to be ranked: the join and the pairs alone, without rankers."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Final

import msgspec
import torch

from lis_online.events.names import Names
from lis_online.events.rank_log import Block, decode
from lis_online.preference.leak import Leak
from lis_online.records import Record
from lis_online.settings import Settings
from lis_online.shards.intake import Intake
from lis_online.shards.join import JoinShard
from lis_online.shards.pair_intake import PairIntake

STEP: Final = 250
"""ms of event time between two looks."""

LATER: Final = 2**53
"""The records' own timestamps: none is ahead of its."""

Event = tuple[str, bytes]


class _Timed(msgspec.Struct):
    ts: int


_timed = msgspec.json.Decoder(_Timed)


@dataclass(frozen=True, slots=True)
class Release:
    """After so many records: the join's watermark, and the time before which everything can be ranked, ms."""

    records: int
    watermark: int
    scorable: int


def releases(chosen: Settings, log: Sequence[Event], ends: Collection[int]) -> list[Release]:
    """Return how far the ranking can be as the log is read: one join shard, whatever its turns.

    ends: after so many records it is looked at anyway.
    """
    leakage = chosen.leakage
    join, intake = JoinShard(chosen, 0), Intake(1, Names.of(chosen))
    pairs = PairIntake(chosen, Leak(leakage.horizon, leakage.memory, leakage.folds), torch.device("cpu"))
    found: list[Release] = []
    waiting: list[Record] = []
    looked, offsets = 0, dict.fromkeys(("impressions", "feedback", "representations", "preferences"), 0)
    for number, (topic, value) in enumerate(log, 1):
        if topic in ("impressions", "feedback"):
            waiting.append(Record(topic, 0, offsets[topic], LATER, value))
            offsets[topic] += 1
        if topic == "impressions" and _timed.decode(value).ts >= looked + STEP:
            looked = _timed.decode(value).ts
        elif number not in ends:
            continue
        for out in join.feed(waiting):
            block = decode(out.value) if out.topic == "samples" else None
            for some in intake.feed(block).pairs if isinstance(block, Block) else ():
                pairs.update(some)
        waiting = []
        known, watermark = pairs.close(intake.watermark + 1), intake.watermark
        scorable = min(known - leakage.horizon, watermark - chosen.events.attribution_window + 1)
        found.append(Release(number, watermark, scorable))
    return found
