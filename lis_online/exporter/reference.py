"""The reference of all series, docs/series.md: `python -m lis_online.exporter.reference > docs/series.md`."""

from __future__ import annotations

import sys
from collections.abc import Iterator

from lis_online.exporter import names
from lis_online.exporter.labels import LABELS
from lis_online.exporter.names import Series

INTRODUCTION = """\
# Series

What a worker serves at `/metrics`. This page is made from `lis_online/exporter/names.py` by
`python -m lis_online.exporter.reference > docs/series.md`; a test holds them together.

Where there is no number, the series is absent, not 0. Times are seconds since 1970; a *watermark* and a
*published* time are event time, the others the worker's clock. A series marked "yes" under *interval* has two
more, `NAME_lower` and `NAME_upper`, the ends of its 95 % interval; of a lift, of the always-valid one at the
experiment's alpha. Beside these, the process's own `process_*` and `python_info`.
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


def _row(series: Series) -> str:
    labels = ", ".join(f"`{label}`" for label in series.labels)
    return f"| `{series.name}` | {series.kind} | {labels} | {'yes' if series.interval else ''} | {series.help} |"


if __name__ == "__main__":
    sys.stdout.write(reference())
