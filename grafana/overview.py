"""Is anything wrong, and with which variant? One row for each."""

from __future__ import annotations

from grafana_foundation_sdk.builders import dashboard

from grafana import colours, panels, promql, sql, variables
from grafana.frame import frame
from grafana.layout import Line, Section, place
from grafana.panels import RATIO, SCORE, SECONDS, Ask, proms
from grafana.promql import AT, OF_VARIANT, by_variant, newest, top
from lis_online.exporter import names
from lis_online.exporter.series import Series
from lis_online.metrics.diagnosis import DIAGNOSES, INVALID_BASELINE

BREACHED = 'status="breached"'
NONE_IS_GOOD = ((None, colours.GOOD), (1.0, colours.BAD))
ALIGNMENT = ("Alignment in depth", "/d/lis-alignment?${variant:queryparam}&${__url_time_range}")


def build() -> dashboard.Dashboard:
    """Return the dashboard."""
    chosen = [
        *variables.sources(),
        variables.job(),
        variables.window(),
        variables.slice_(),
        variables.variant(many=True),
        variables.configuration(),
        *variables.places(),
    ]
    board = frame(
        "lis-overview", "Overview", "Every variant at a glance: diagnosis, LIS, AIS, efficiency, trend.", chosen
    )
    return place(board, [Section("Is anything wrong?", [_state()]), Section("$variant", [_variant()], "variant")])


def _state() -> Line:
    return Line(4, [(_workers(), 4), (_age(), 4), (_drift(), 4), (_baselines(), 4), (_ratios(), 4), (_guardrails(), 4)])


def _workers() -> panels.Builder:
    ask = Ask(
        "Is every worker there?",
        "A worker does not answer: see its log and start it again; it goes on from its checkpoint.",
        "LisWorkerGone",
    )
    gone = f"count({promql.pick('up')} == 0) or 0 * count({promql.pick('up')})"
    return panels.figure("Workers gone", ask, proms({"gone": gone}), panels.COUNT, steps=NONE_IS_GOOD)


def _age() -> panels.Builder:
    ask = Ask(
        "How old are the numbers on this page? A horizon and an attribution window is right: 40 min by default.",
        "Nothing new is published: look at Pipeline before you believe any number here.",
        "LisOutputStale",
    )
    steps = ((None, colours.GOOD), (3600.0, colours.DOUBTFUL), (5400.0, colours.BAD))
    age = promql.age(names.PUBLISHED, "")
    return panels.figure("Age of the newest window", ask, proms({"age": age}), SECONDS, steps=steps)


def _drift() -> panels.Builder:
    ask = Ask(
        "Has any number left its level?",
        "Drift: the annotations say which number, since when and why; the variant's row below says what it means.",
        "LisAlignmentDrift",
    )
    active = f"sum({top(names.DRIFT_ACTIVE, 'kind, subject, number')})"
    empty = "levels not known yet"
    found = proms({"drifting": active})
    return panels.figure("Numbers that drift", ask, found, panels.COUNT, steps=NONE_IS_GOOD, empty=empty)


def _baselines() -> panels.Builder:
    ask = Ask(
        "Are the numbers valid at all?",
        "The placebo gains: something that is no preference leaks. Do not read LIS or AIS of these variants.",
        "LisInvalidBaseline",
    )
    invalid = top(names.DIAGNOSIS, "variant, version", *AT, f'diagnosis="{INVALID_BASELINE}"')
    return panels.figure(
        "Invalid baselines", ask, proms({"invalid": f"sum({invalid})"}), panels.COUNT, steps=NONE_IS_GOOD
    )


def _ratios() -> panels.Builder:
    ask = Ask(
        "Do users come to the arms as declared?",
        "They do not: trust no lift of that experiment until the assignment is mended.",
        "LisSampleRatioMismatch",
    )
    wrong = f"sum({top(names.SAMPLE_RATIO_MISMATCH, 'experiment')})"
    return panels.figure("Sample-ratio mismatches", ask, proms({"mismatches": wrong}), panels.COUNT, steps=NONE_IS_GOOD)


def _guardrails() -> panels.Builder:
    ask = Ask(
        "Does any arm do harm?",
        "A guardrail is breached, at any time's certainty: see the arm under Experiments, and end it.",
        "LisGuardrailBreached",
    )
    breached = f"sum({top(names.GUARDRAIL, 'experiment, arm, metric', BREACHED)})"
    return panels.figure("Guardrails breached", ask, proms({"breached": breached}), panels.COUNT, steps=NONE_IS_GOOD)


def _variant() -> Line:
    return Line(7, [(_diagnosis(), 7), (_impact(), 3), (_improvement(), 3), (_efficiency(), 3), (_trend(), 8)])


def _diagnosis() -> panels.Builder:
    ask = Ask(
        "What do this variant's numbers mean, now and before?",
        "Invalid baseline or misaligned: Alignment has the sentence that says what to do next.",
        "LisAlignmentDrift",
    )
    where = f"variant = ${{variant:sqlstring}} AND {sql.WINDOW_MS} AND slice = ${{slice:sqlstring}}"
    query = sql.Sql(sql.line("lis_diagnoses", where, {"diagnosis": sql.code("diagnosis", DIAGNOSES)}))
    return panels.timeline("Diagnosis", ask, [query], colours.OF_DIAGNOSIS, links=[ALIGNMENT])


def _ends(series: Series, of: object) -> dict[str, Series]:
    """Return a number's series and those of its interval, by what they are called on a panel."""
    return {str(of): series, "lower": series.bounds[0], "upper": series.bounds[1]}


def _of_source(series: Series) -> str:
    return by_variant(top(series, "source", *AT))


def _of_version(series: Series) -> str:
    return newest(top(series, "variant, version", OF_VARIANT, *AT))


def _impact() -> panels.Builder:
    ask = Ask(
        "Is the preference data worth aligning on?",
        "The interval reaches 0: this source cannot be told from none. Wait for samples, or choose another source.",
        "LisAlignmentDrift",
    )
    ends = {name: _of_source(series) for name, series in _ends(names.ADJUSTED_IMPACT, "LIS").items()}
    return panels.figure("Adjusted LIS", ask, proms(ends), SCORE, decimals=4, empty="no number yet")


def _improvement() -> panels.Builder:
    ask = Ask(
        "What does the representation bring?",
        "The interval reaches 0: the vectors bring nothing beyond what random ones do.",
        "LisAlignmentDrift",
    )
    ends = {name: _of_version(series) for name, series in _ends(names.ADJUSTED_IMPROVEMENT, "AIS").items()}
    return panels.figure("Adjusted AIS", ask, proms(ends), SCORE, decimals=4, empty="no number yet")


def _efficiency() -> panels.Builder:
    ask = Ask(
        "How much of what its data could give does it deliver?",
        "Below what is wanted: the data is good and the alignment is not; look at training, not at data.",
        "LisAlignmentDrift",
    )
    ends = {name: _of_version(series) for name, series in _ends(names.EFFICIENCY, "efficiency").items()}
    empty = "LIS interval includes 0"
    return panels.figure("Efficiency", ask, proms(ends), RATIO, decimals=0, empty=empty)


def _trend() -> panels.Builder:
    ask = Ask(
        "Where is it going?",
        "AIS falls and LIS holds: the representation. Both fall: the source. The band is the 95 % interval of AIS.",
        "LisAlignmentDrift",
    )
    ends = {name: _of_version(series) for name, series in _ends(names.ADJUSTED_IMPROVEMENT, "adjusted AIS").items()}
    queries = proms({**ends, "adjusted LIS": _of_source(names.ADJUSTED_IMPACT)})
    line = [("adjusted LIS", {"color": {"mode": "fixed", "fixedColor": colours.ORANGE}})]
    return panels.band("Trend", ask, queries, SCORE, "adjusted AIS", overrides=line, decimals=4)
