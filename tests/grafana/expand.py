"""What Grafana puts in the place of variables and macros, as its documentation says."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime

RATE_INTERVAL = "5s"
"""At least four scrapes of a second each."""


def expand(text: str, values: Mapping[str, list[str]], start: int, end: int) -> str:
    r"""Return a query as a data source gets it. values: what is chosen, by variable; start, end: time shown, ms.

    >>> expand("x{a=~\"$a\"}[$__rate_interval]", {"a": ["b", "c"]}, 0, 0)
    'x{a=~"(b|c)"}[5s]'
    >>> expand("y = ${a:sqlstring} AND t > $__timeFrom()", {"a": ["b"]}, 0, 0)
    "y = 'b' AND t > '1970-01-01T00:00:00Z'"
    """
    text = text.replace("$__timeFrom()", f"'{_iso(start)}'").replace("$__timeTo()", f"'{_iso(end)}'")
    text = text.replace("$__rate_interval", RATE_INTERVAL)

    def chosen(found: re.Match[str]) -> str:
        name, form = found["braced"] or found["plain"], found["form"]
        listed = values[name]
        if form == "sqlstring":
            return ",".join("'" + one.replace("'", "''") + "'" for one in listed)
        return listed[0] if len(listed) == 1 else f"({'|'.join(listed)})"

    return re.sub(r"\$\{(?P<braced>\w+)(?::(?P<form>\w+))?\}|\$(?P<plain>[A-Za-z]\w*)", chosen, text)


def _iso(time: int) -> str:
    return datetime.fromtimestamp(time / 1000, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
