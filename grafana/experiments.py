"""An experiment's arms: may they be compared, do they differ, is one harmful, and does alignment say the same?"""

from __future__ import annotations

from grafana_foundation_sdk.builders import dashboard
from grafana_foundation_sdk.models.common import BigValueTextMode

from grafana import colours, panels, sql, variables
from grafana.frame import frame, review_link
from grafana.layout import Line, Section, place
from grafana.panels import COUNT, RATIO, SCORE, Ask, prom, proms
from grafana.promql import WINDOW, newest, top
from grafana.sql import CONFIGURATION, Sql, line
from lis_online.exporter import names
from lis_online.exporter.series import Series

EXPERIMENT = 'experiment="$experiment"'
ARM = 'arm=~"$arm"'
METRIC = 'metric="$metric"'
OF_EXPERIMENT = "experiment = ${experiment:sqlstring}"
OF_LIFT = f"{OF_EXPERIMENT} AND arm = ${{arm:sqlstring}} AND metric = ${{metric:sqlstring}}"
SLICE = 'slice="arm:$experiment/$arm"'
"""The users of an arm."""
ALL = 'slice="all"'
CHANCE = ((None, colours.BAD), (0.01, colours.DOUBTFUL), (0.05, colours.GOOD))
"""Of p-values of the users' shares: below 0.01 is a mismatch (`lis_online.experiments.srm`)."""


def build() -> dashboard.Dashboard:
    """Return the dashboard."""
    chosen = [
        *variables.sources(),
        variables.job(),
        variables.experiment(),
        variables.metric(),
        variables.arm(),
        variables.window(),
        variables.configuration(),
        *variables.places(),
    ]
    about = "Arms with intervals that are valid at any time, beside LIS, AIS and diagnosis of what they serve."
    board = frame("lis-experiments", "Experiments", about, chosen, "now-7d").link(review_link("${experiment}"))
    return place(
        board,
        [
            Section("May the arms of $experiment be compared?", [Line(5, _ratio()), Line(7, _users())]),
            Section("All arms and metrics", [Line(8, [(_comparisons(), 24)])]),
            Section("$arm: $metric against control", [Line(8, _lift()), Line(5, _served())], "arm"),
        ],
    )


def _ratio() -> list[tuple[panels.Builder, int]]:
    ask = Ask(
        "Do users come to the arms in the declared shares?",
        "Below 0.01 at any time: a mismatch. Trust no lift; find what loses users of one arm, then start anew.",
        "LisSampleRatioMismatch",
    )
    crossed = Ask(
        "How many users were in two arms, and count in none?",
        "Many: the assignment is not by user, or changed while the experiment ran.",
        "LisSampleRatioMismatch",
    )
    now = proms({"p": top(names.SAMPLE_RATIO_P, "", EXPERIMENT)})
    where = OF_EXPERIMENT
    past = Sql(line("lis_sample_ratios", where, {"p-value": "p_value"}))
    users = proms({"{{arm}}": top(names.ARM_CROSSED, "arm", EXPERIMENT)}, instant=True)
    return [
        (panels.figure("Sample ratio, p-value", ask, now, SCORE, steps=CHANCE, decimals=4), 5),
        (panels.chart("Sample ratio over time, p-value", ask, [past], SCORE, steps=CHANCE, least=0.0), 12),
        (panels.figure("Crossed users", crossed, users, COUNT, text=BigValueTextMode.VALUE_AND_NAME), 7),
    ]


def _users() -> list[tuple[panels.Builder, int]]:
    ask = Ask(
        "Are there enough users yet?",
        "Far below what is needed: a lift of the declared size would not be seen; wait.",
        "LisSampleRatioMismatch",
    )
    levels = Ask(
        "What are the arms' levels of $metric?",
        "A level that jumps for all arms alike is the feed's, not an arm's.",
    )
    have = top(names.ARM_USERS, "arm", EXPERIMENT)
    needed = top(names.ARM_USERS_NEEDED, "arm", EXPERIMENT, METRIC)
    level = top(names.ARM_METRIC, "arm", EXPERIMENT, METRIC)
    return [
        (panels.chart("Users", ask, proms({"{{arm}}": have, "{{arm}} and control, needed": needed}), COUNT), 12),
        (panels.chart("Level of $metric", levels, proms({"{{arm}}": level}), COUNT), 12),
    ]


def _comparisons() -> panels.Builder:
    ask = Ask(
        "Which arm differs from control, in what, and is a guardrail breached?",
        "A guardrail is breached: end the arm. Adjusted p below alpha: the difference is real.",
        "LisGuardrailBreached",
    )
    query = f"""SELECT arm, metric, value AS lift, lower, upper, p_adjusted, guardrail, users_needed, reason
FROM lis_lifts
WHERE {CONFIGURATION} AND {OF_EXPERIMENT}
  AND time = (SELECT max(time) FROM lis_sample_ratios
              WHERE {CONFIGURATION} AND {OF_EXPERIMENT} AND {sql.WITHIN})
ORDER BY arm, metric"""
    shares = [(name, {"unit": RATIO, "decimals": 2}) for name in ("lift", "lower", "upper")]
    judged = [("guardrail", {"mappings": _judgements(), "custom.cellOptions": {"type": "color-text"}})]
    named = [("p_adjusted", {"displayName": "adjusted p"}), ("users_needed", {"displayName": "users needed"})]
    return panels.rows("Against control", ask, [Sql(query, series=False)], overrides=[*shares, *named, *judged])


def _judgements() -> list[dict[str, object]]:
    words = {word: {"text": word, "color": colour} for word, colour in colours.OF_GUARDRAIL.items()}
    return [{"type": "value", "options": words}]


def _lift() -> list[tuple[panels.Builder, int]]:
    lift = Ask(
        "By how much does $arm differ from control in $metric?",
        "The band leaves 0 to the wrong side. It is valid at any time: nobody needs to wait for a planned end.",
        "LisGuardrailBreached",
    )
    certain = Ask(
        "Is the difference real?",
        "Below the experiment's alpha the difference is real. It counts every look, arm and metric.",
    )
    guard = Ask(
        "Does the arm keep within every guardrail?",
        "Breached: end the arm. Undecided for long: more users are needed to say.",
        "LisGuardrailBreached",
    )
    named = {"lift": "value", "lower": "lower", "upper": "upper"}
    values = Sql(line("lis_lifts", OF_LIFT, {"p-value, adjusted": "p_adjusted"}))
    words = tuple(colours.OF_GUARDRAIL)
    total = " + ".join(
        f"{n + 1} * {top(names.GUARDRAIL, 'metric', EXPERIMENT, ARM, _status(word))}" for n, word in enumerate(words)
    )
    return [
        (panels.band("Lift, valid at any time", lift, [Sql(line("lis_lifts", OF_LIFT, named))], RATIO, "lift"), 10),
        (panels.chart("p-value, adjusted", certain, [values], SCORE, least=0.0), 7),
        (panels.timeline("Guardrails", guard, [prom(total, "{{metric}}")], colours.OF_GUARDRAIL), 7),
    ]


def _status(word: str) -> str:
    return f'status="{word}"'


def _served() -> list[tuple[panels.Builder, int]]:
    diagnosis = Ask(
        "What is the diagnosis of the representation that $arm serves?",
        "Misaligned beside a lift below 0: both say the same. They disagree: read the review before you decide.",
        "LisAlignmentDrift",
    )
    could = Ask(
        "What could its preference data give, among the users of $arm?",
        "The interval reaches 0: among these users the data says nothing. Few users make it wide.",
        "LisAlignmentDrift",
    )
    gives = Ask(
        "What does it give, among the users of $arm?",
        "The interval reaches 0: the representation brings nothing to these users.",
        "LisAlignmentDrift",
    )
    found = f"{top(names.DIAGNOSIS, 'variant, version, diagnosis', WINDOW, ALL)} == 1"
    named = prom(_by_arm(f"({newest(f'({found})')})"), "{{diagnosis}}", instant=True)
    return [
        (panels.figure("Diagnosis", diagnosis, [named], SCORE, text=BigValueTextMode.NAME), 8),
        (panels.figure("Adjusted LIS of $arm", could, proms(_source(names.ADJUSTED_IMPACT)), SCORE, decimals=4), 8),
        (
            panels.figure(
                "Adjusted AIS of $arm", gives, proms(_version(names.ADJUSTED_IMPROVEMENT)), SCORE, decimals=4
            ),
            8,
        ),
    ]


def _by_arm(query: str) -> str:
    """Return what a query says by variant, of the variant that the arm serves."""
    served = top(names.ARM_INFO, "variant", EXPERIMENT, ARM, 'variant!=""')
    return f"{query} * on (variant) group_left () {served}"


def _source(series: Series) -> dict[str, str]:
    info = top(names.VARIANT, "variant, source")
    named = {"LIS": series, "lower": series.bounds[0], "upper": series.bounds[1]}
    return {
        name: _by_arm(f"(max by (variant) ({top(one, 'source', WINDOW, SLICE)} * on (source) group_right () {info}))")
        for name, one in named.items()
    }


def _version(series: Series) -> dict[str, str]:
    named = {"AIS": series, "lower": series.bounds[0], "upper": series.bounds[1]}
    return {name: _by_arm(f"({newest(top(one, 'variant, version', WINDOW, SLICE))})") for name, one in named.items()}
