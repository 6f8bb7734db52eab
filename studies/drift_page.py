"""The page of the study of drift detection. Every number on it comes out of the run or the code."""

from __future__ import annotations

from collections import Counter
from textwrap import fill
from typing import Any, Final

from lis_online.drift.event import ADVICE
from lis_online.drift.tuning import DAY, HOUR, Tuning
from studies.drift_changes import CASES
from studies.drift_choice import ALLOWED, SHIFTS
from studies.drift_feed import Feed
from studies.drift_runs import MATURE, SPAN, WATCHED
from studies.section import table

Part = dict[str, Any]
TUNING: Final = Tuning()
WHOLE: Final[Any] = {"break_long_words": False, "break_on_hyphens": False}


def page(found: Part, figures: Part) -> str:
    """Return the page."""
    sections = [
        _head(found, figures),
        _events(),
        _where(),
        _method(),
        _calibration(found),
        _false_alarms(found, figures),
        _changes(found),
        _detectors(found),
        _end_to_end(found),
        _limits(found),
    ]
    return "\n\n".join(map(_wrapped, sections)) + "\n"


def _head(found: Part, figures: Part) -> str:
    return f"""# Drift

One event for each real change: what left its level, from what to what, since when, why, and what to look at. Made by
`make study-drift`; nothing here is typed in. The figures for programs are in [drift.json](drift.json).

{figures["spans"]} simulated spans of {SPAN} days, six variants and three sources ({figures["series"]} series together),
strong daily and weekly cycles, nothing changing: {figures["false_alarms_per_30_days"]:.2f} false alarms in {SPAN} days
for the whole set."""


def _events() -> str:
    rows = [[cause, advice] for cause, advice in ADVICE.items()]
    return f"""## What an event says

The series that left its level first, the time when that most likely began, the bucket that showed it, the level
before and after with their standard errors, the other series that moved with it, and the cause:

{_left(table(["cause", "what its sentence tells the reader to look at"], rows))}

An event is open until the series is back (`until`), or for {TUNING.learning // DAY} days: then the new level has a
reference of its own. While it is open nothing else is told of the series, and what moves within {TUNING.same // DAY}
days because of it joins it. Causes are decided by what else moved since the onset (`lis_online/drift/cause.py`). A
new version is compared with the version before it, from its first bucket on; the numbers of its rankers are not read
while these still learn, pair alignment is."""


def _where() -> str:
    return """## Where events come out

The publish role reads each bucket when it is over, from the first one that begins after the warm-up, with
`metrics.warm_up_samples` learnt from; its state is in the checkpoint. Settings are in `[drift]`
([settings.md](settings.md)); the defaults are those of this page. Backfills look for drift in what they compute,
`evaluate` does not. A variant's series are those of its newest version, over all samples.

- The history: a row of `lis_drift_events` for each event, written again when more joins it or it is over.
- `lis-online drift list --from TIME --to TIME --variant NAME --json`; `lis-online review` of an experiment, for the
  variants that its arms serve and their sources.
- The live page, the demo's screen while an event is open, and `"drift"` in `/api/v1/summary`: the newest event of each
  number; null where none are looked for.
- `/metrics`: `lis_drift_active`, `lis_drift_events_total`, `lis_drift_before_score`, `lis_drift_after_score` and
  `lis_drift_last_timestamp_seconds`. The number that was told first is the one that is active; what joined its event is
  not.
- Alerts: `LisAlignmentDrift` and `LisInputDrift`.

Of the vectors themselves two numbers are read, over the items of a variant's fresh pairs: their mean length as
published (`vector_norm`), and how far they lie from the centroid of those before (`vector_shift`). Beside the series of
the study below, the shares of late records and of dead letters are read, from the join shards' counts; what false
alarms they add is not known. Coverage tells of missing vectors."""


def _method() -> str:
    return f"""## How it is done

Numbers are read over non-overlapping buckets of {TUNING.bucket // HOUR} h, with the jackknife's standard errors. Each
series has a reference: the last {TUNING.window // DAY} days without the newest {TUNING.gap // DAY}, robust, by level,
hour of the day, day of the week and hour of the week, each set of effects shrunk by what its own scatter says is
real. It is renewed once a day, and nothing is judged before it spans {TUNING.learning // DAY} days. A value's
distance from it is divided by its own standard error, the reference's, and what buckets vary beyond their errors,
together, and by what correlation between buckets adds to a sum. So one unit is one standard error of an independent
bucket. Efficiency is read from its two parts in its linear form around the reference, which does not explode where
adjusted LIS is small.

Values are clipped to {TUNING.clip:g} and go to river's Page-Hinkley test, slack {TUNING.slack:g}, threshold
{TUNING.threshold:g}: however far one bucket is off, {_least()} must be off together. A bucket without a number is
passed over. State is plain numbers, at most {TUNING.kept} rows for a series, and a function of the readings alone."""


def _least() -> int:
    """Return the fewest buckets that can make a detection."""
    count, total = 0, 0.0
    while total <= TUNING.threshold:
        count, total = count + 1, total + TUNING.clip - TUNING.slack
    return count


def _calibration(found: Part) -> str:
    rows = [
        [
            row["series"],
            row["buckets"],
            f"{row['samples']:,.0f}",
            f"{row['level']:.4f}",
            f"{row['unit']:.2f}",
            f"{row['spread']:.2f}",
            _percent(row["beyond"]) if abs(row["level"]) > 0.002 else "-",
            f"{row['lag_1']:+.2f}",
        ]
        for row in found["calibration"]
    ]
    header = [
        "series",
        "buckets",
        "samples or pairs",
        "level",
        "standard error times root of samples",
        "spread in standard errors",
        "beyond them, of the level",
        "lag-1 correlation",
    ]
    noise = Feed(1.0).noise
    return f"""## What the simulated numbers are made like

A month of events takes days to play, so the study draws the numbers of buckets. How noisy they are is taken from a
real run: the scenario `sources` through the whole pipeline, in buckets of 10 minutes, a straight line taken out
because its rankers still learn.

{table(header, rows)}

A spread of 1 means that the standard errors say it all: so it is, nearly, for everything that is made of AUCs, and
neighbouring buckets are nearly independent there. Coverage is not like that, it wanders. Simulated: standard errors
like these; a level that wanders by {_percent(noise.wander)} (coverage {_percent(noise.cover_wander)}) with a
correlation of {noise.memory:g} from hour to hour; cycles of {_percent(noise.daily)} over the day and
{_percent(noise.weekly)} at weekends in every level, {_percent(noise.traffic_daily)} and
{_percent(noise.traffic_weekly)} in traffic. The run above, which is of hours, shows no such wander in adjusted LIS,
adjusted AIS and pair alignment, and the simulator has no such cycles: both are assumed, to be on the safe side. A feed
that wanders more, for days, has more false alarms than these."""


def _false_alarms(found: Part, figures: Part) -> str:
    spans = found["stable"]
    by_traffic = {
        n: [len(s["alarms"]) for s in spans if s["samples"] == n] for n in sorted({s["samples"] for s in spans})
    }
    rows = [[f"{n:,.0f}", len(each), sum(each), f"{sum(each) / len(each):.2f}"] for n, each in by_traffic.items()]
    header = ["samples an hour", "spans", "events", "in 30 days"]
    told = Counter(alarm["series"].rpartition("/")[2] for span in spans for alarm in span["alarms"])
    named = ", ".join(f"`{number}` ({count})" for number, count in told.most_common()) or "none"
    alarms = sum(len(span["alarms"]) for span in spans)
    return f"""## False alarms

{figures["series"]} series, {SPAN} days after {TUNING.learning // DAY} days of learning, so the weeks in which the
reference is young are in it. {alarms} events in {len(spans)} spans. By number: {named}.

{table(header, rows)}"""


def _changes(found: Part) -> str:
    header = ["change", "samples an hour", "found", "median delay", "9th decile", "cause right", "events"]
    rows = [
        [
            case.name,
            f"{int(n):,}",
            _percent(row["found"]),
            _hours(row["median"]),
            _hours(row["decile_9"]),
            "-" if row["cause_right"] is None else _percent(row["cause_right"]),
            f"{row['events']:.1f}",
        ]
        for case in CASES
        for n, row in found["changes"][case.name].items()
    ]
    runs = next(iter(next(iter(found["changes"].values())).values()))["runs"]
    quiet = found["changes"][CASES[-1].name]
    back = " and ".join(sorted({_percent(row["back"]) for row in quiet.values() if row["back"] is not None}))
    return f"""## Changes

One source, two variants, adjusted LIS 0.053, adjusted AIS 0.046; the change comes after {MATURE} days, and {WATCHED}
days are watched; {runs} runs each. Delays are from the change to the end of the bucket that showed it: a pipeline's
own delay (the horizon, lateness) comes on top. Delay depends on standard errors, so on traffic and level: numbers
half as large need four times the samples. "Events" is how many a reader got in all; 1.0 is what is wanted.

{table(header, rows)}

"Efficiency falls" moves adjusted AIS alone, the hardest to see: pair alignment, which no click has a part in, holds.
Where vectors break, pair alignment shows it, whatever the traffic. The quiet day, a day with half of the
traffic and a quarter of the vectors missing, lowers adjusted AIS by a quarter; it must be told as data, and was over
with the day in {back} of the runs."""


def _detectors(found: Part) -> str:
    header = ["detector", "threshold", "false alarms in 30 days", *(f"{shift:g}" for shift in SHIFTS)]
    rows = [
        [
            row["detector"],
            f"{row['threshold']:g}",
            f"{row['alarms']:.2f}",
            *("missed" if row["delays"][str(s)] is None else f"{row['delays'][str(s)]:.0f} h" for s in SHIFTS),
        ]
        for row in found["detectors"]
    ]
    return f"""## Which detector

Each with the first of its thresholds that gives at most {ALLOWED:g} false alarms in 30 days, counted by series, on
the same standardised values of stable feeds; then the median delay for a step of 1 to 5 standard errors of a bucket,
added to adjusted AIS. Thresholds of ADWIN and KSWIN are negative decimal logarithms of their level.

{table(header, rows)}

`cusum` is a plain one of our own, for comparison. Page-Hinkley begins with a week of zeros, what the reference says,
so that it is a CUSUM at first; without, a version that is broken from its first bucket on is its own mean, and never
seen. ADWIN's bound holds for any distribution, and asks for longer windows in return. KSWIN compares 12 values with
12, so no level is strict enough for so many series."""


def _end_to_end(found: Part) -> str:
    rows = [[e["series"], f"{e['delay_minutes']:.0f} min", e["cause"], e["sentence"]] for e in found["end_to_end"]]
    return f"""## Through the whole pipeline

The scenario `versions`: after an hour, one variant gets a better version, one a broken one, the third none. Two hours
of events through join, rank and the statistics, read in buckets of two minutes against a reference of 16 minutes:

{_left(table(["series", "delay", "cause", "sentence"], rows))}"""


def _limits(found: Part) -> str:
    unseen = [
        f"- {case.name}, at {int(n):,} samples an hour: found in {_percent(row['found'])} of the runs."
        for case in CASES
        for n, row in found["changes"][case.name].items()
        if row["found"] < 0.9
    ]
    return f"""## What is not seen

{chr(10).join(unseen) or "- Nothing in these runs."}
- Anything in the first {TUNING.learning // DAY} days of a series; a second change of it while its event is open.
- A change that is slower than the window: {TUNING.window // DAY} days make it the reference.
- A holiday is a change of traffic and levels like any other, and is told.
- Hours are UTC: where clocks change, the daily cycle is off by an hour for as long as the reference is old.
- A small change, near the limit of what can be seen, may be called over while it is not."""


def _wrapped(section: str) -> str:
    """Return a section with its paragraphs filled to the length of a line; tables, titles and lists as they are."""
    blocks = section.split("\n\n")
    return "\n\n".join(block if block[0] in "#|-" else fill(block, 120, **WHOLE) for block in blocks)


def _percent(value: float) -> str:
    return f"{100 * value:.0f} %"


def _hours(value: float | None) -> str:
    return "-" if value is None else f"{value:.0f} h"


def _left(markdown: str) -> str:
    """Return a table with all columns to the left."""
    return markdown.replace("---:", "---")
