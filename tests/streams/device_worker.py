"""The real worker on a device that fails: `python -m tests.streams.device_worker ROLE SETTINGS.json STEPS`.

The rank shard that is made first runs out of the accelerator's memory at a step of its rankers; the one that is made
instead of it is the real one.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import torch

from lis_online.settings import Settings
from lis_online.shards.contract import Shard
from lis_online.shards.rank import RankShard
from streams import live
from streams.runner import ShardFactory


def failing(settings: Settings, steps: int) -> ShardFactory:
    """Return what makes rank shards whose device fails after so many steps."""

    def make(group: int) -> Shard:
        shard = RankShard(settings, group=group, shards=settings.kafka.partitions)
        step, done = shard.rankers.step, iter(range(steps))

        def limited(*arguments: object) -> np.ndarray:
            if next(done, None) is None:
                raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.")
            return step(*arguments)  # type: ignore[arg-type]

        shard.rankers.step = limited  # type: ignore[method-assign, assignment]
        return shard

    return make


def main() -> int:
    """Run until told to end."""
    role, settings, steps = sys.argv[1], Settings.of(json.loads(Path(sys.argv[2]).read_text())), int(sys.argv[3])
    live.FACTORIES = {**live.FACTORIES, "rank": lambda settings: failing(settings, steps)}
    return live.run_worker(role, settings)


if __name__ == "__main__":
    sys.exit(main())
