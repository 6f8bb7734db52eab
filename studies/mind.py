"""A real log: what is answered on the sample of the Microsoft News data set (MIND), and what is refused."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any, Final

from studies.section import Section, table
from studies.tasks import Task, results, run_tasks

NAME: Final = "mind"
VARIABLE: Final = "LIS_DATA"
"""The environment variable with the folder of the data; without it there is nothing to run."""
MEMORY: Final = "5d"
"""Tried as well: the whole of the log."""
SOURCE: Final = "coclick"
VARIANT: Final = "title"


def run(runs: Path, jobs: int, scale: float) -> None:
    """Evaluate the sample where the data are and there is no result yet. Only figures are kept, no row of the data."""
    del jobs, scale  # one log, whole
    folder = Path(os.environ.get(VARIABLE, "")) / "mind-sample"
    if VARIABLE in os.environ and folder.is_dir():
        tasks = {
            "sample": Task(evaluate, (str(folder), {})),
            "long_memory": Task(evaluate, (str(folder), {"leakage": {"memory": MEMORY}, "metrics": {"warm_up": "1d"}})),
        }
        run_tasks(runs / NAME, tasks, 1)


def evaluate(folder: str, changes: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """Return the summary of the sample, as `lis-online evaluate mind --representation title=... --json` gives it.

    changes: of the settings that it has for MIND, by section.
    """
    from lis_online.cli.evaluate import THIN_LOG
    from lis_online.replay.mind import read
    from lis_online.replay.vectors import read_vectors
    from lis_online.settings import Settings
    from lis_online.shards.pipeline import Pipeline

    started = time.process_time()
    vectors = read_vectors(Path(folder) / "title-svd64.npz")
    variant = {"name": VARIANT, "preference": SOURCE, "dimension": vectors.dimension}
    source = {"name": SOURCE, "kind": "co_engagement"}
    tables: dict[str, Any] = {**THIN_LOG, "preference": [source], "variant": [variant]}
    for name, section in changes.items():
        tables[name] = {**tables.get(name, {}), **section}
    settings = Settings.of(tables)
    pipeline = Pipeline(settings)
    for topic, value in read(folder, {VARIANT: vectors}):
        pipeline.update(topic, value)
    pipeline.finish()
    return {"summary": pipeline.summary(), "items": len(vectors.item_id), "seconds": time.process_time() - started}


def section(runs: Path, figures: Path) -> Section | None:
    """Return every number of the sample or the reason why there is none, and the diagnosis."""
    del figures
    found = results(runs / NAME)
    if "sample" not in found:
        return None
    summary = found["sample"]["summary"]
    source, variant = summary["sources"][SOURCE], summary["variants"][VARIANT]
    numbers = {f"{SOURCE}: {name}": source[name] for name in OF_SOURCE}
    numbers |= {f"{VARIANT}: {name}": variant[name] for name in OF_VARIANT}
    numbers["twin"] = summary["twin"]
    rows = [[f"`{name}`", *_row(estimate)] for name, estimate in numbers.items()]
    clear = [f"`{name}`" for name, one in numbers.items() if one["value"] is not None and not _holds_zero(one)]
    none = [f"`{name}` ({one['reason']})" for name, one in numbers.items() if one["value"] is None]
    auc = summary["unleaked"]["auc"]
    text = f"""\
A sample of the Microsoft News data set (MIND-small) with its real clicks: {summary["samples"]:,} samples in
{summary["slates"]:,} slates after the warm-up, {summary["from"][:10]} to {summary["to"][:10]},
{summary["effective_users"]:,.0f} effective users. The preference source is what users of this very log clicked one
after the other (`{SOURCE}`); the variant is a weak text representation of titles and abstracts that has vectors for
{variant["coverage"]:.0%} of what was shown, with its user's history. No truth is known here: this shows what a real log
of this size is answered, and what it is refused. The unleaked ranker reaches an AUC of {auc["value"]:.4f}
({auc["lower"]:.4f} to {auc["upper"]:.4f}).

{table(["number", "value", "95 % interval", "samples to resolve 0.0005"], rows)}

Answered, as other than 0: {", ".join(clear) or "nothing"}. Refused: {", ".join(none) or "no number"}.
Coverage of `{SOURCE}`: {source["coverage"]:.1%} of the samples have a pair of candidate and history. The diagnosis is
`{variant["diagnosis"]}`: {variant["sentence"]}

{_longer(found.get("long_memory"))}

Where it fails: most users of the sample appear once, so a click hardly ever makes a pair with another click;
the histories that come with the slates are shown to the rankers but make no pairs. A slate carries one time and no
positions. What is read from so few samples of one week holds for them alone.
"""
    facts = {
        name: {key: one.get(key) for key in ("value", "lower", "upper", "reason") if one.get(key) is not None}
        for name, one in numbers.items()
    }
    return Section("A real log: MIND", text, {"mind": {**facts, "diagnosis": variant["diagnosis"]}})


OF_SOURCE: Final = ("lis", "adjusted_lis", "past", "future", "placebo", "bound")
OF_VARIANT: Final = ("ais", "adjusted_ais", "efficiency")


def _longer(found: dict[str, Any] | None) -> str:
    """Say what following the advice, a longer memory of pairs, would change."""
    if found is None:
        return ""
    source = found["summary"]["sources"][SOURCE]
    variant = found["summary"]["variants"][VARIANT]
    value, interval, _ = _row(source["adjusted_lis"])
    return (
        f"With a memory of {MEMORY} in place of hours, {source['coverage']:.1%} of the samples have a pair and "
        f"adjusted LIS is {value} ({interval}); the diagnosis is `{variant['diagnosis']}`: {variant['sentence']}"
    )


def _row(estimate: dict[str, Any]) -> list[str]:
    if estimate["value"] is None:
        return ["none", estimate["reason"], ""]
    needed = estimate.get("samples_to_resolve")
    interval = f"{estimate['lower']:+.4f} to {estimate['upper']:+.4f}" if estimate.get("lower") is not None else ""
    return [f"{estimate['value']:+.4f}", interval, "" if needed is None else f"{needed:,.0f}"]


def _holds_zero(estimate: dict[str, Any]) -> bool:
    lower, upper = estimate.get("lower"), estimate.get("upper")
    return lower is None or upper is None or lower <= 0 <= upper
