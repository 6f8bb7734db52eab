"""The reference of all series, docs/series.md: `python -m lis_online.exporter.reference > docs/series.md`."""

from __future__ import annotations

import sys
from collections.abc import Iterator

from lis_online.exporter import names
from lis_online.exporter.labels import LABELS
from lis_online.exporter.series import Series

INTRODUCTION = """\
# Series

What a worker serves at `/metrics`. This page is made from `lis_online/exporter/names.py` by
`python -m lis_online.exporter.reference > docs/series.md`; a test holds them together.

Where there is no number, the series is absent, not 0, and `lis_number_absent` has the reason in a word. Times are
seconds since 1970; a *watermark* and a *published* time are event time, the others the worker's clock. A series marked
"yes" under *interval* has two more, `NAME_lower` and `NAME_upper`, the ends of its 95 % interval; of a lift, of the
always-valid one at the experiment's alpha. Beside these, the process's own `process_*` and `python_info`.
"""


COST = """\
## Cost

Numbers are rendered once for each bucket, in both formats, on a thread of their own, within a second of the bucket; a
scrape reads them from memory and adds the worker's health. `python -m bench.scrape` measures 20 variants, 3 sources,
4 windows and the run, 6 slices: 16,051 series, 1.9 MB, 82 kB as sent. With two cores nearly free, a scrape takes 8 to
10 ms (median, with gzip; the goal is 50 ms) and a bucket's rendering 130 ms of CPU time. Who scrapes while a bucket is
rendered waits for turns at the interpreter: up to 570 ms were seen. With a bucket a minute that is one scrape in some
hundreds.

OpenMetrics also has exemplars: `lis_step_seconds` and `lis_dead_letters_total` carry topic, partition and offset of the
last record that they counted.
"""


def reference() -> str:
    """Return the page as Markdown."""
    return "\n".join(_lines())


def _lines() -> Iterator[str]:
    yield INTRODUCTION
    for title, section in names.SECTIONS.items():
        yield f"## {title}\n"
        yield "| series | type | labels | interval | meaning |"
        yield "| --- | --- | --- | --- | --- |"
        yield from (_row(series) for series in section)
        yield ""
    yield "## Labels\n"
    yield "| label | values |"
    yield "| --- | --- |"
    yield from (f"| `{name}` | {meaning} |" for name, meaning in LABELS.items())
    yield ""
    yield COST


def _row(series: Series) -> str:
    labels = ", ".join(f"`{label}`" for label in series.labels)
    return f"| `{series.name}` | {series.kind} | {labels} | {'yes' if series.interval else ''} | {series.help} |"


if __name__ == "__main__":
    sys.stdout.write(reference())
