"""A real log: what is answered on the sample of the Microsoft News data set (MIND), and what is refused."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any, Final

from studies.tasks import Task, run_tasks

NAME: Final = "mind"
VARIABLE: Final = "LIS_DATA"
"""The environment variable with the folder of the data; without it there is nothing to run."""
SOURCE: Final = "coclick"
VARIANT: Final = "title"


def run(runs: Path, jobs: int, scale: float) -> None:
    """Evaluate the sample where the data are and there is no result yet. Only figures are kept, no row of the data."""
    del jobs, scale  # one log, whole
    folder = Path(os.environ.get(VARIABLE, "")) / "mind-sample"
    if VARIABLE in os.environ and folder.is_dir():
        run_tasks(runs / NAME, {"sample": Task(evaluate, (str(folder),))}, 1)


def evaluate(folder: str) -> dict[str, Any]:
    """Return the summary of the sample, as `lis-online evaluate mind --representation title=... --json` gives it."""
    from lis_online.cli.evaluate import MIND_DEFAULTS
    from lis_online.replay.mind import read
    from lis_online.replay.vectors import read_vectors
    from lis_online.settings import Settings
    from lis_online.shards.pipeline import Pipeline

    started = time.process_time()
    vectors = read_vectors(Path(folder) / "title-svd64.npz")
    variant = {"name": VARIANT, "preference": SOURCE, "dimension": vectors.dimension}
    source = {"name": SOURCE, "kind": "co_engagement"}
    settings = Settings.of({**MIND_DEFAULTS, "preference": [source], "variant": [variant]})
    pipeline = Pipeline(settings)
    for topic, value in read(folder, {VARIANT: vectors}):
        pipeline.update(topic, value)
    pipeline.finish()
    return {"summary": pipeline.summary(), "items": len(vectors.item_id), "seconds": time.process_time() - started}
