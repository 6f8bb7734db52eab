"""Measures the queries that dashboards ask of a history of 400 days.

`python -m bench.history_dashboards` starts a PostgreSQL in a temporary folder, fills it with rows of every quarter hour
(3 variants, 2 sources, an experiment of 3 arms and 3 metrics) through SQL, and prints sizes and times in Markdown.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Final

from sqlalchemy import Engine, text

from lis_online.demo.postgres import embedded_postgres
from lis_online.history.annotations import Annotation, annotate
from lis_online.history.configuration import configuration_id
from lis_online.history.engine import build_engine
from lis_online.history.retention import Pruner
from lis_online.history.schema import upgrade
from lis_online.history.times import to_datetime
from lis_online.settings import Settings

DAY: Final = 86_400_000
END: Final = 1_750_000_500_000 // 900_000 * 900_000
DAYS: Final = 400
REPEATS: Final = 9
POINTS: Final = 300

TICKS: Final = "generate_series(CAST(:start AS timestamptz), CAST(:end AS timestamptz), '15 min') t"
SHAPE: Final = "sin(extract(epoch FROM t) / 13751) / 100 + random() / 1000"
OF_VARIANT: Final = "ARRAY['ais', 'adjusted_ais', 'efficiency', 'coverage', 'pair_alignment']"
OF_SOURCE: Final = "ARRAY['lis', 'past', 'future', 'placebo', 'adjusted_lis', 'bound', 'coverage', 'collision_share']"
OF_UNLEAKED: Final = "ARRAY['auc', 'gauc', 'normalised_entropy', 'calibration', 'twin', 'effective_users']"
WINDOWS: Final = "unnest(ARRAY[900000, 3600000, 0]) w"
FILL: Final = {
    f"numbers of {kind}": f"""
        INSERT INTO numbers SELECT :id, '{kind}', subject, w, 'all', number, t, v, 0.001, v - 0.002, v + 0.002, NULL,
               50000, 1, '', NULL, false
        FROM {TICKS}, unnest(ARRAY[{subjects}]) subject, {WINDOWS}, unnest({names}) number,
             LATERAL (SELECT {SHAPE} AS v) made"""
    for kind, subjects, names in (
        ("variant", "'v1', 'v2', 'v3'", OF_VARIANT),
        ("source", "'s1', 's2'", OF_SOURCE),
        ("unleaked", "''", OF_UNLEAKED),
    )
} | {
    "diagnoses": f"""
        INSERT INTO diagnoses SELECT :id, variant, w, 'all', t, 'aligned', 'It delivers most of what its source has.', 1
        FROM {TICKS}, unnest(ARRAY['v1', 'v2', 'v3']) variant, {WINDOWS}""",
    "lifts": f"""
        INSERT INTO lifts SELECT :id, 'e', arm, metric, t, 0.1, 0.1, v, 0.01, v - 0.02, v + 0.02, v - 0.01, v + 0.01,
               v, v - 0.02, v + 0.02, 0.5, 0.5, 'holds', 10000, NULL, 1
        FROM {TICKS}, unnest(ARRAY['b', 'c']) arm, unnest(ARRAY['ctr', 'dwell', 'likers']) metric,
             LATERAL (SELECT {SHAPE} AS v) made""",
    "moments": f"""
        INSERT INTO moments SELECT :id, 'e', arm, t, 1000, 1000, 1, decode(repeat(md5(t::text), 32), 'hex'), 1
        FROM {TICKS}, unnest(ARRAY['a', 'b', 'c']) arm""",
    "event_counts": f"""
        INSERT INTO event_counts SELECT :id, fate, t, extract(epoch FROM t), 1
        FROM {TICKS}, unnest(ARRAY['accepted', 'late_feedback', 'duplicate', 'malformed']) fate""",
}

NUMBERS: Final = """
    SELECT point.* FROM
        (SELECT greatest((CAST(:end AS timestamptz) - :start) / :points, interval '1 minute') AS step) AS range,
        generate_series(CAST(:end AS timestamptz), CAST(:start AS timestamptz) + step, -step) AS until,
        unnest(CAST(:variants AS text[])) AS variant,
        LATERAL (SELECT time, subject, value, lower, upper FROM lis_numbers
                 WHERE configuration = :id AND kind = 'variant' AND subject = variant AND number = :number
                   AND window_ms = :window AND slice = :slice AND time > until - step AND time <= until
                 ORDER BY time DESC LIMIT 1) AS point
    ORDER BY subject, time"""
LIFTS: Final = """
    SELECT point.* FROM
        (SELECT greatest((CAST(:end AS timestamptz) - :start) / :points, interval '1 minute') AS step) AS range,
        generate_series(CAST(:end AS timestamptz), CAST(:start AS timestamptz) + step, -step) AS until,
        unnest(CAST(:arms AS text[])) AS one,
        LATERAL (SELECT time, arm, value, lower, upper FROM lis_lifts
                 WHERE configuration = :id AND experiment = :experiment AND arm = one AND metric = :metric
                   AND time > until - step AND time <= until
                 ORDER BY time DESC LIMIT 1) AS point
    ORDER BY arm, time"""
ALL_NUMBERS: Final = """
    SELECT time, subject, value, lower, upper FROM lis_numbers
    WHERE configuration = :id AND kind = 'variant' AND subject = ANY(:variants) AND number = :number
      AND window_ms = :window AND slice = :slice AND time > :start AND time <= :end ORDER BY subject, time"""
DIAGNOSES: Final = """
    SELECT time, variant, diagnosis FROM (
        SELECT time, variant, diagnosis, lag(diagnosis) OVER (PARTITION BY variant ORDER BY time) AS before
        FROM lis_diagnoses
        WHERE configuration = :id AND variant IN ('v1', 'v2', 'v3') AND window_ms = 3600000 AND slice = 'all'
          AND time > :start AND time <= :end) changes
    WHERE diagnosis IS DISTINCT FROM before ORDER BY time"""
COUNTS: Final = """
    SELECT time, fate, records - lag(records) OVER (PARTITION BY fate ORDER BY time) AS records FROM lis_event_counts
    WHERE configuration = :id AND fate IN ('accepted', 'duplicate') AND time > :start AND time <= :end ORDER BY time"""
NOTES: Final = "SELECT time, end_time, text FROM lis_annotations WHERE time > :start AND time <= :end ORDER BY time"
ASKED: Final = {"variants": ["v1", "v2", "v3"], "number": "adjusted_ais", "window": 3_600_000, "slice": "all"}
QUERIES: Final = (
    ("a number of 3 variants, every row", 1, ALL_NUMBERS),
    ("a number of 3 variants, every row", DAYS, ALL_NUMBERS),
    ("a number of 3 variants, 300 points", 30, NUMBERS),
    ("a number of 3 variants, 300 points", DAYS, NUMBERS),
    ("when diagnoses changed", 1, DIAGNOSES),
    ("when diagnoses changed", 30, DIAGNOSES),
    ("lifts of 2 arms in a metric, 300 points", 30, LIFTS),
    ("lifts of 2 arms in a metric, 300 points", DAYS, LIFTS),
    ("records by fate", 1, COUNTS),
    ("annotations", DAYS, NOTES),
)


def fill(engine: Engine) -> int:
    """Write 400 days; return their configuration."""
    with engine.begin() as connection:
        found = configuration_id(connection, Settings.of({}))
        for k in range(200):
            annotate(connection, Annotation(END - k * 2 * DAY, None, f"deploy {k}", ("deploy",)))
    weeks(engine)
    for name, statement in FILL.items():
        clock = time.monotonic()
        with engine.begin() as connection:
            limits = {"start": to_datetime(END - DAYS * DAY), "end": to_datetime(END)}
            rows = connection.execute(text(statement), {"id": found, **limits}).rowcount
        sys.stderr.write(f"{name}: {rows:,} rows in {time.monotonic() - clock:.0f} s\n")
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("VACUUM ANALYZE"))
    return found


def weeks(engine: Engine) -> None:
    """Make the weeks' partitions, before rows come into them."""
    keep = Settings.of({}).history
    for ago in range(DAYS + 7, -1, -28):
        list(Pruner(engine, keep, END - ago * DAY).run())


def sizes(engine: Engine) -> str:
    """Return a line for each table."""
    query = """
        SELECT sum(pg_total_relation_size(i.inhrelid)) AS bytes, sum(c.reltuples) AS rows
        FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid WHERE i.inhparent = CAST(:table AS regclass)"""
    lines = ["| table | rows | size |\n| --- | --- | --- |\n"]
    with engine.connect() as connection:
        for table in ("numbers", "diagnoses", "lifts", "moments", "event_counts"):
            row = connection.execute(text(query), {"table": table}).one()
            lines.append(f"| `{table}` | {int(row.rows):,} | {int(row.bytes) / 1e9:,.2f} GB |\n")
    return "".join(lines)


def took(engine: Engine, statement: str, found: int, days: int) -> tuple[float, int]:
    """Return the median ms of a query, fetched, and its rows."""
    arguments = {"id": found, "start": to_datetime(END - days * DAY), "end": to_datetime(END), "experiment": "e"}
    arguments |= ASKED | {"arms": ["b", "c"], "metric": "ctr", "points": POINTS}
    clocks, rows = [], 0
    with engine.connect() as connection:
        for _ in range(REPEATS):
            clock = time.perf_counter()
            rows = len(connection.execute(text(statement), arguments).all())
            clocks.append((time.perf_counter() - clock) * 1000)
    return median(clocks), rows


def main() -> None:
    """Print the tables."""
    with tempfile.TemporaryDirectory(prefix="lis-pg-") as folder, embedded_postgres(Path(folder)) as server:
        engine = build_engine(server.get_uri())
        upgrade(engine)
        found = fill(engine)
        sys.stdout.write(sizes(engine) + "\n| query | days | rows | median |\n| --- | --- | --- | --- |\n")
        for name, days, statement in QUERIES:
            ms, rows = took(engine, statement, found, days)
            sys.stdout.write(f"| {name} | {days} | {rows:,} | {ms:,.0f} ms |\n")
        engine.dispose()


if __name__ == "__main__":
    main()
