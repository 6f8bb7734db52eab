"""The page of the study of faults. Every number on it comes out of the run."""

from __future__ import annotations

import re
from collections.abc import Sequence
from textwrap import fill
from typing import Any, Final

from studies.chaos import inject
from studies.chaos.faults import KILLS, named
from studies.chaos.feed import PARTITIONS
from studies.chaos.run import SPEED
from studies.chaos.stage import CHECKPOINT_SECONDS, SESSION_SECONDS
from studies.chaos.suite import SLATES, Result
from studies.section import table

WHOLE: Final[Any] = {"width": 120, "break_long_words": False, "break_on_hyphens": False}


def facts(results: Sequence[Result]) -> list[dict[str, Any]]:
    """Return the figures for programs: one entry a fault."""
    kept = (
        "fault", "times", "recovered_seconds_max", "rows_different", "rows", "dead_letters_different", "max_rss_mb",
        "alerts", "holds",
    )  # fmt: skip
    return [{key: max(one[key].values()) if key == "max_rss_mb" else one[key] for key in kept} for one in results]


def page(results: Sequence[Result]) -> str:
    """Return the page."""
    sections = [_head(results), _table(results), _what(results), _how(results), _alerts(results), _again()]
    return "\n\n".join(_wrapped(section) for section in sections) + "\n"


def _head(results: Sequence[Result]) -> str:
    rows = sum(one["rows"] for one in results)
    differing = sum(one["rows_different"] for one in results)
    letters = sum(one["dead_letters_different"] for one in results)
    times = sum(one["times"] for one in results)
    return f"""# Faults

The history after any number of faults equals, number for number, the history of a run without any. Made by
`make chaos`, on real workers, Apache Kafka and PostgreSQL; nothing here is typed in. The figures for programs are in
[faults.json](faults.json).

{times} faults of {len(results)} kinds: {differing} of {rows:,} rows differ from those of the calm runs, and {letters}
dead letters."""


def _table(results: Sequence[Result]) -> str:
    head = ["fault", "times", "back after, s, at most", "rows that differ", "rows", "dead letters that differ",
            "memory, MiB, at most (join, rank, publish)", "alerts that fired"]  # fmt: skip
    rows = [
        [
            one["fault"],
            one["times"],
            f"{one['recovered_seconds_max']:.0f}",
            one["rows_different"],
            f"{one['rows']:,}",
            one["dead_letters_different"],
            ", ".join(str(one["max_rss_mb"][role]) for role in ("join", "rank", "publish")),
            ", ".join(one["alerts"]) or "-",
        ]
        for one in results
    ]
    return table(head, rows)


def _what(results: Sequence[Result]) -> str:
    lines = []
    for one in results:
        fault = named(one["fault"])
        notes = f" Measured: {'; '.join(one['notes'])}." if one["notes"] else ""
        lines.append(f"- **{fault.name}**: {fault.done}. What holds: {fault.holds}.{notes}")
    return "## What was done, and what holds\n\n" + "\n".join(lines)


def _how(results: Sequence[Result]) -> str:
    repeated = sum(one["dead_letters_repeated"] for one in results)
    alone = sum(one["ended_by_themselves"] for one in results)
    return f"""## How

The feed is that of the demo, {SLATES:,} slates to {PARTITIONS} partitions at {SPEED:.0f} times the speed of time, with
malformed records in it, from fixed seeds. Workers are `lis-online worker join`, `rank` and `publish`, each a process;
one that ends is started again, as Kubernetes would. They save their shards every {CHECKPOINT_SECONDS} s, and a
session times out after {SESSION_SECONDS} s.

The calm run of a feed has it in Kafka before its workers start, and nothing is done to them. *Rows that differ*: of
every table of the history, every column of every row but the times of writing; binary columns by a digest. *Dead
letters that differ*: by topic, partition, offset, reason, detail and bytes, each once: a worker that is started again
may send one a second time ({repeated} in all). A run is compared when the committed offsets of every role, which
stand behind durable checkpoints, have reached the end of its topics.

*Back after*: seconds from the fault's end (the process is started, the broker or PostgreSQL serves, the disk has room)
until every worker has its shards, a further bucket is in the history, and its lag behind the feed, in event time, is
no longer than the longest of the calm stretch before the fault and a bucket. *Memory*: the most that any process of a
role had resident. {alone} workers ended by themselves in all these runs, and were started again.

The kills are {KILLS} of each role; after a third of them the next comes while the worker still recovers."""


def _alerts(results: Sequence[Result]) -> str:
    lines = [
        f"- {fault.name}: {', '.join(f'`{name}`' for name in fault.alerts)}, rules {fault.faster} times as fast"
        for fault in (named(one["fault"]) for one in results)
        if fault.alerts
    ]
    return f"""## Alerts

The rules wait for minutes, so that a restart is no alert. In outages that are long enough for them, Debian's Prometheus
scrapes the workers and evaluates the rules that are shipped; their waits, their ranges and their limits in seconds of
the wall clock are divided by the factor below, and nothing else is changed. Each of these alerts fired while its
fault lasted and was over after it; a run in which one does not counts as failed. With the rules as they are shipped
`LisHistoryFailing` fires after 10 minutes without PostgreSQL, so one of {inject.DATABASE_DOWN / 60:.0f} minutes is
bridged without a word.

""" + "\n".join(lines)


def _again() -> str:
    return """## Again

`make chaos` needs a JDK 17, Maven, Prometheus and, for the small disk, root. It says a line per fault and keeps what it
found in `build/chaos`, so an interrupted one goes on; it ends with 1 where anything differs. For trying, shorter:

```bash
make chaos SCALE=0.3
```

`--only FAULT` of `python -m studies.chaos` does one of the table. The tests run a short form, three kills of each
role."""


def _wrapped(section: str) -> str:
    """Return a section with its paragraphs and list items wrapped; tables, headings and code stay as they are."""
    blocks, code = [], False
    for block in section.split("\n\n"):
        code = code or block.startswith("```")
        if code or block.startswith(("|", "#")):
            blocks.append(block)
            code = code and not block.endswith("```")
        elif block.startswith("- "):
            blocks.append("\n".join(_filled(f"- {item}") for item in block.removeprefix("- ").split("\n- ")))
        else:
            blocks.append(_filled(block))
    return "\n\n".join(blocks)


def _filled(text: str) -> str:
    """Return one paragraph or item in lines; what stands in backticks stays on one."""
    whole = re.sub(r"`[^`]+`", lambda code: code[0].replace(" ", "\0"), text.replace("\n", " "))
    return fill(whole, subsequent_indent="  " if text.startswith("- ") else "", **WHOLE).replace("\0", " ")
