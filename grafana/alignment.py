"""One variant in depth, from the history: what its data could give, what it gives, and whether to believe either."""

from __future__ import annotations

from grafana_foundation_sdk.builders import dashboard
from grafana_foundation_sdk.models.dashboard import DataTransformerConfig

from grafana import colours, panels, sql, variables
from grafana.frame import frame
from grafana.layout import Line, Section, place
from grafana.panels import COUNT, RATIO, SCORE, SECONDS, Ask, prom
from grafana.promql import OF_VARIANT, WINDOW, pick, top
from grafana.sql import Sql, band, line, number
from lis_online.exporter import names
from lis_online.metrics.diagnosis import DIAGNOSES

SOURCE = "${source:sqlstring}"
VARIANT = "${variant:sqlstring}"
MERGED = [DataTransformerConfig(id_val="merge", options={})]
OVERLAP = 'window="overlap"'
DIAGNOSED = f"{sql.CONFIGURATION} AND variant = {VARIANT} AND {sql.WINDOW_MS} AND slice = ${{slice:sqlstring}}"


def build() -> dashboard.Dashboard:
    """Return the dashboard."""
    chosen = [
        *variables.sources(),
        variables.job(),
        variables.window(),
        variables.slice_(),
        variables.variant(many=False),
        variables.source(),
        variables.configuration(),
        *variables.places(),
    ]
    board = frame(
        "lis-alignment", "Alignment", "One variant in depth, with 95 % intervals as bands.", chosen, "now-24h"
    )
    return place(
        board,
        [
            Section("What $source could give, and what $variant gives", [Line(9, _headline()), Line(7, _meaning())]),
            Section("What the LIS of $source is made of", [Line(8, _parts())]),
            Section("Can the numbers be believed?", [Line(7, _trust()), Line(7, _learning())]),
            Section("Versions, drift and what is absent", [Line(7, _versions()), Line(7, _events())]),
        ],
    )


def _headline() -> list[tuple[panels.Builder, int]]:
    return [(_impact(), 8), (_improvement(), 8), (_efficiency(), 8)]


def _impact() -> panels.Builder:
    ask = Ask(
        "Is this preference data worth aligning on?",
        "The band reaches 0: the source cannot be told from none. It falls while AIS holds: the source lost its worth.",
        "LisAlignmentDrift",
    )
    query = band("source", SOURCE, "adjusted_lis", "adjusted LIS")
    return panels.band("Adjusted LIS", ask, [query], SCORE, "adjusted LIS", decimals=4)


def _improvement() -> panels.Builder:
    ask = Ask(
        "What does the representation bring to the ranker?",
        "The band reaches 0: no more than random vectors. It falls while LIS holds: look at the newest vectors.",
        "LisAlignmentDrift",
    )
    query = band("variant", VARIANT, "adjusted_ais", "adjusted AIS")
    return panels.band("Adjusted AIS, newest version", ask, [query], SCORE, "adjusted AIS", decimals=4)


def _efficiency() -> panels.Builder:
    ask = Ask(
        "How much of what the data could give is delivered?",
        "Low with a high LIS: train the representation better. Absent: the interval of LIS includes 0.",
        "LisAlignmentDrift",
    )
    query = band("variant", VARIANT, "efficiency", "efficiency")
    # an interval of LIS that all but includes 0 has an end at thousands of percent
    return panels.band("Efficiency", ask, [query], RATIO, "efficiency", decimals=0, least=-1.0, most=4.0)


def _meaning() -> list[tuple[panels.Builder, int]]:
    ask = Ask(
        "What do the numbers mean, and what to do next?",
        "The newest sentence says what to do.",
        "LisAlignmentDrift",
    )
    where = DIAGNOSED.removeprefix(f"{sql.CONFIGURATION} AND ")
    coded = Sql(line("lis_diagnoses", where, {"diagnosis": sql.code("diagnosis", DIAGNOSES)}))
    changes = f"""SELECT time, version, diagnosis, sentence
FROM (SELECT time, version, diagnosis, sentence, lag(diagnosis) OVER (ORDER BY time) AS before
      FROM lis_diagnoses WHERE {DIAGNOSED} AND {sql.WITHIN}) AS changes
WHERE diagnosis <> coalesce(before, '')
ORDER BY time DESC LIMIT 50"""
    return [
        (panels.timeline("Diagnosis", ask, [coded], colours.OF_DIAGNOSIS), 10),
        (panels.rows("Changes of the diagnosis", ask, [Sql(changes, series=False)]), 14),
    ]


def _parts() -> list[tuple[panels.Builder, int]]:
    past = Ask(
        "What does a plain item-to-item table give already?",
        "All of LIS is past: aligning adds nothing that a lookup of past pairs does not.",
    )
    future = Ask(
        "What do more and later pairs add?",
        "Near 0: what is known today already says what the future pairs say.",
    )
    placebo = Ask(
        "What leaks that is not preference?",
        "The lower end is above 0: the baseline is invalid. Slightly negative is healthy.",
        "LisInvalidBaseline",
    )
    bound = Ask(
        "Does LIS still grow with density?",
        "Well above 0: the source is sparse, LIS is no bound, and a good variant may beat it.",
    )
    found = []
    for name, ask in (("past", past), ("future", future), ("placebo", placebo), ("bound", bound)):
        query = band("source", SOURCE, name, name)
        found.append((panels.band(name.capitalize(), ask, [query], SCORE, name, decimals=4), 6))
    return found


def _trust() -> list[tuple[panels.Builder, int]]:
    return [(_coverage(), 8), (_pairs(), 8), (_twin(), 8)]


def _coverage() -> panels.Builder:
    ask = Ask(
        "How many samples does the data speak of at all?",
        "Coverage of the variant falls: items come without vectors. Collisions rise: the sketch is overloaded.",
        "LisAlignmentDrift",
    )
    queries = []
    for ref_id, (label, kind, subject, name) in zip(
        "ABC",
        (
            ("source", "source", SOURCE, "coverage"),
            ("variant", "variant", VARIANT, "coverage"),
            ("collisions", "source", SOURCE, "collision_share"),
        ),
        strict=True,
    ):
        queries.append(Sql(line("lis_numbers", number(kind, subject, name), {label: "value"}), ref_id=ref_id))
    return panels.chart("Coverage", ask, queries, RATIO, least=0.0, decimals=1)


def _pairs() -> panels.Builder:
    ask = Ask(
        "Do fresh preferred pairs lie closer than pairs as popular? No ranker, no label.",
        "It falls to 0.5, which is chance: the vectors no longer know what users like together.",
        "LisAlignmentDrift",
    )
    condition = (
        f"kind = 'variant' AND subject = {VARIANT} AND number = 'pair_alignment' AND {sql.WINDOW_MS} AND slice = 'all'"
    )
    query = Sql(line("lis_numbers", condition, {"pair alignment": "value", "lower": "lower", "upper": "upper"}))
    return panels.band("Pair alignment", ask, [query], RATIO, "pair alignment", decimals=1)


def _twin() -> panels.Builder:
    ask = Ask(
        "Do two rankers that differ by their seed alone agree?",
        "The band leaves 0: the learning is noisy, intervals are widened for it. A large step or few samples do that.",
        "LisLearningNoise",
    )
    query = band("unleaked", "''", "twin", "twin")
    return panels.band("Twin", ask, [query], SCORE, "twin", colour=colours.PURPLE, decimals=4)


def _learning() -> list[tuple[panels.Builder, int]]:
    level = Ask(
        "Does the production-style ranker still rank?",
        "It falls alone: the feed or the ranker changed, not the representation.",
        "LisRankerSetAside",
    )
    users = Ask(
        "Are there enough users for an answer?",
        "Below 200 effective users every answer is insufficient_data: choose a longer window or a larger slice.",
        "LisLearningNoise",
    )
    effective = Sql(line("lis_numbers", number("unleaked", "''", "effective_users"), {"effective users": "value"}))
    samples = Sql(line("lis_numbers", number("unleaked", "''", "auc"), {"samples": "samples"}))
    return [
        (panels.band("AUC without leak", level, [band("unleaked", "''", "auc", "AUC")], SCORE, "AUC", decimals=3), 8),
        (
            panels.chart(
                "Effective users", users, [effective], COUNT, steps=((None, colours.BAD), (200.0, colours.GOOD))
            ),
            8,
        ),
        (panels.chart("Samples in the window", users, [samples], COUNT, least=0.0), 8),
    ]


def _versions() -> list[tuple[panels.Builder, int]]:
    known = Ask(
        "Which versions of the vectors are measured, since when?",
        "A version that nobody deployed: somebody publishes vectors beside yours.",
        "LisAlignmentDrift",
    )
    side = Ask(
        "Which version is better, on the same samples?",
        "The newest is below the one before, and their intervals do not touch: publish the older one again.",
        "LisAlignmentDrift",
    )
    since = f"time() - {top(names.VERSION_SINCE, 'version', OF_VARIANT)}"
    score = names.ADJUSTED_IMPROVEMENT
    ends = dict(zip("ABC", (score, *score.bounds), strict=True))
    queries = [
        prom(top(series, "version", OF_VARIANT, OVERLAP, 'slice="$slice"'), "", ref_id, instant=True, rows=True)
        for ref_id, series in ends.items()
    ]
    titles = [("Value #A", {"displayName": "adjusted AIS"}), ("Value #B", {"displayName": "lower"}),
              ("Value #C", {"displayName": "upper"}), ("Time", {"custom.hidden": True})]  # fmt: skip
    table = panels.rows("Versions side by side", side, queries, SCORE, shape=MERGED, overrides=titles, decimals=4,
                        empty="no two versions are measured at once")  # fmt: skip
    return [
        (panels.chart("Age of each version", known, [prom(since, "version {{version}}")], SECONDS), 8),
        (table, 8),
        (_absent(), 8),
    ]


def _absent() -> panels.Builder:
    ask = Ask(
        "Why is a number not there?",
        "A reason that stays: no users or positives (wait, or widen the window), no vectors (publish them).",
        "LisOutputStale",
    )
    subject = 'subject=~"$variant|$source|"'
    query = f"max by (kind, subject, version, number, slice, reason) ({pick(names.ABSENT, WINDOW, subject)})"
    hidden = [("Time", {"custom.hidden": True}), ("Value", {"custom.hidden": True})]
    return panels.rows("Numbers that are absent", ask, [prom(query, instant=True, rows=True)], overrides=hidden,
                       empty="every number is there")  # fmt: skip


def _events() -> list[tuple[panels.Builder, int]]:
    ask = Ask(
        "What left its level, and what moved with it?",
        "The sentence names the cause and what to look at.",
        "LisAlignmentDrift",
    )
    events = f"""SELECT time, variant AS subject, number, cause, before, after, until, sentence
FROM lis_drift_events
WHERE {sql.CONFIGURATION} AND {sql.WITHIN} AND variant IN ({VARIANT}, {SOURCE}, '')
ORDER BY time DESC LIMIT 100"""
    table = panels.rows("Drift events", ask, [Sql(events, series=False)], empty="nothing drifted in the time shown")
    return [(table, 24)]
