"""Queries to the history: of the analysts' views alone, by their indexes, with a few hundred rows at most."""

from __future__ import annotations

from typing import Any, Final

from grafana_foundation_sdk.cog.variants import Dataquery

from grafana.places import POSTGRES

CONFIGURATION: Final = "configuration = ${configuration}"
WINDOW_MS: Final = "window_ms = (extract(epoch FROM interval '$window') * 1000)::bigint"
WITHIN: Final = "time > $__timeFrom()::timestamptz AND time <= $__timeTo()::timestamptz"
POINTS: Final = 400
"""Points of a line: more than a panel's pixels tell apart are not asked for."""


class Sql(Dataquery):
    """A query of Grafana's PostgreSQL data source, which the builders' library does not know.

    series: columns are lines, one of them `time`; otherwise the rows are a table.
    """

    def __init__(self, text: str, *, series: bool = True, ref_id: str = "A") -> None:
        self.text, self.series, self.ref_id = text, series, ref_id

    def build(self) -> Sql:
        """Return itself: a query is its own builder."""
        return self

    def to_json(self) -> dict[str, Any]:
        """Return it as Grafana stores it."""
        return {
            "datasource": POSTGRES,
            "editorMode": "code",
            "format": "time_series" if self.series else "table",
            "rawQuery": True,
            "rawSql": self.text,
            "refId": self.ref_id,
        }


def line(view: str, where: str, columns: dict[str, str]) -> str:
    """Return the last row of each of some hundred steps of the time shown. columns: name of a line -> expression.

    Its time is that of so many probes of an index, however long the range is (docs/history.md).
    """
    inner = ", ".join(f'{expression} AS "{name}"' for name, expression in columns.items())
    outer = ", ".join(f'point."{name}"' for name in columns)
    return f"""SELECT point.time AS "time", {outer}
FROM (SELECT greatest(($__timeTo()::timestamptz - $__timeFrom()::timestamptz) / {POINTS}, interval '1 minute') AS step)
       AS range,
     generate_series($__timeTo()::timestamptz, $__timeFrom()::timestamptz + step, -step) AS until,
     LATERAL (SELECT time, {inner} FROM {view}
              WHERE {CONFIGURATION} AND {where}
                AND time > until - step AND time <= until
              ORDER BY time DESC LIMIT 1) AS point
ORDER BY point.time"""


def number(kind: str, subject: str, name: str) -> str:
    """Return the condition that leads to one number by the index of lis_numbers."""
    return (
        f"kind = '{kind}' AND subject = {subject} AND number = '{name}' "
        f"AND {WINDOW_MS} AND slice = ${{slice:sqlstring}}"
    )


def band(kind: str, subject: str, name: str, label: str) -> Sql:
    """Return a number over time with the ends of its interval, as lines `label`, lower and upper."""
    return Sql(line("lis_numbers", number(kind, subject, name), {label: "value", "lower": "lower", "upper": "upper"}))


def code(column: str, words: tuple[str, ...]) -> str:
    """Return an expression: the place of a word in a list, from 1; a state timeline's mapping makes it a word again."""
    listed = ", ".join(f"'{word}'" for word in words)
    return f"array_position(ARRAY[{listed}], {column})"
