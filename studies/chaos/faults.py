"""The faults by name: how often, on what feed, and what holds after them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from lis_online.events.reasons import REFUSED, TOO_FAR_AHEAD
from studies.chaos import feed, inject
from studies.chaos.feed import Change, unchanged
from studies.chaos.outcome import Normal, Outcome, as_it_is
from studies.chaos.run import Inject

IDENTICAL: Final = "every row and every dead letter is that of the calm run"
PASSED_OVER: Final = (
    "the partition is passed over after `kafka.idle_after`, and numbers go on without it; every row and every dead "
    "letter is that of a calm run whose partition ends there"
)


@dataclass(frozen=True)
class Fault:
    """A fault. done: what is done; holds: what is checked after it.

    times: how often in all, at most per_run on one feed; change: of the feed; base: of the calm feed; normal: what may
    differ is taken away by it; workers: how many by role; alerts: those that must fire while it lasts and be over
    after it, faster: by how much the rules are faster, 0 without Prometheus; tables: of the settings; disk: MiB of a
    disk of its own for checkpoints; clock: whether workers have a clock that can be wrong; refused: the reason of
    dead letters that must be as many as the feed has records of it.
    """

    name: str
    done: str
    inject: Inject
    holds: str = IDENTICAL
    times: int = 1
    per_run: int = 10
    change: Change = unchanged
    base: Change = unchanged
    normal: Normal = as_it_is
    workers: Mapping[str, int] = field(default_factory=dict)
    alerts: tuple[str, ...] = ()
    faster: int = 0
    tables: Mapping[str, Any] = field(default_factory=dict)
    disk: int = 0
    clock: bool = False
    refused: str = ""


TWICE: Final = "duplicate"
"""The fate of a record that was there before (`lis_online.events.reasons.COUNTED`)."""


def _anywhere(outcome: Outcome) -> Outcome:
    """Take the offsets away from dead letters: records that were added move those after them."""
    letters = [[part for at, part in enumerate(letter) if at != 1] for letter in outcome.letters]
    return Outcome(outcome.rows, sorted(letters), outcome.repeated)


def _without_fate(outcome: Outcome, fate: str) -> Outcome:
    counts = {key: row for key, row in outcome.rows["event_counts"].items() if row["fate"] != fate}
    return Outcome({**outcome.rows, "event_counts": counts}, outcome.letters, outcome.repeated)


def duplicates_aside(outcome: Outcome) -> Outcome:
    """Take away how many duplicates were counted, and the offsets of dead letters."""
    return _anywhere(_without_fate(outcome, TWICE))


def order_aside(outcome: Outcome) -> Outcome:
    """Keep of the counts of refused records the last: they have no time of their own, and count where they stand."""
    counts = outcome.rows["event_counts"]
    last = max(row["bucket_end"] for row in counts.values())
    kept = {key: row for key, row in counts.items() if row["fate"] not in REFUSED or row["bucket_end"] == last}
    return _anywhere(Outcome({**outcome.rows, "event_counts": kept}, outcome.letters, outcome.repeated))


def future_aside(outcome: Outcome) -> Outcome:
    """Take away what was refused because its clock was ahead, and the offsets of the other dead letters."""
    letters = [letter for letter in outcome.letters if TOO_FAR_AHEAD not in letter]
    return _anywhere(_without_fate(Outcome(outcome.rows, letters, outcome.repeated), TOO_FAR_AHEAD))


KILLS: Final = 20

FAULTS: Final = (
    *(
        Fault(
            f"SIGKILL of {role}",
            "a worker is killed at a random moment and started again; every third time while it still recovers",
            inject.killed(role),
            times=KILLS,
            workers={"join": 2} if role == "join" else {},
        )
        for role in ("join", "rank", "publish")
    ),
    Fault(
        "SIGKILL of everything",
        "all workers and the broker are killed at once and started again",
        inject.all_killed,
        times=2,
    ),
    Fault("SIGTERM", "a worker of each role in turn is asked to end and started again", inject.ended, times=9),
    Fault(
        "SIGTERM without a broker",
        "the broker stands still; every worker is asked to end and started before it goes on",
        inject.ended_without_broker,
    ),
    Fault(
        "SIGSTOP past the session timeout",
        "a worker stands still until another one of its role has its partitions, then goes on",
        inject.zombie,
        times=6,
        workers={"join": 2, "rank": 2, "publish": 2},
    ),
    Fault(
        "Rolling restart of three join workers",
        "one after the other is asked to end and started again",
        inject.rolled,
        times=4,
        workers={"join": 3},
    ),
    Fault(
        "No rank worker",
        f"the only rank worker is away for {inject.AWAY:.0f} s",
        inject.away,
        alerts=("LisWorkerGone",),
        faster=10,
    ),
    Fault("Broker restarted", "the broker is stopped and started", inject.broker_restarted, times=3),
    Fault(
        "Broker unreachable",
        f"the broker's process stands still for {inject.UNREACHABLE:.0f} s: connections are open, nothing answers",
        inject.broker_unreachable,
    ),
    Fault(
        "PostgreSQL down",
        f"the server is stopped at once and started after {inject.DATABASE_DOWN:.0f} s",
        inject.database_down,
        alerts=("LisHistoryFailing", "LisShardPaused"),
        faster=5,
    ),
    Fault(
        "Disk full at the checkpoint",
        f"the disk of the checkpoints has no byte left for {inject.DISK_FULL:.0f} s",
        inject.disk_full,
        f"numbers go on, offsets are not committed; {IDENTICAL}. Back: when all that was sent is behind durable "
        "checkpoints",
        alerts=("LisCheckpointOld",),
        faster=10,
        disk=1024,
    ),
    Fault(
        "Workers' clocks jump",
        "the wall clock of every worker jumps a day ahead, two days back and then to the right time",
        inject.clocks_jumping,
        clock=True,
    ),
    Fault(
        "Producers' clocks jump",
        "Kafka's timestamp of one record in ten is wrong by up to 50 minutes",
        inject.hurried,
        change=feed.jumping_timestamps,
    ),
    Fault(
        "Records from the future",
        "one impression and feedback record in fifty comes again with a time of its own in the year 2100",
        inject.hurried,
        f"each of them is a dead letter ({TOO_FAR_AHEAD}); every other row and dead letter is that of the calm run",
        change=feed.from_the_future,
        normal=future_aside,
        refused=TOO_FAR_AHEAD,
    ),
    Fault(
        "Duplicate delivery",
        "three records in ten come twice",
        inject.hurried,
        "every row is that of the calm run but the count of duplicates; so is every dead letter but its offset",
        change=feed.duplicated,
        normal=duplicates_aside,
    ),
    Fault(
        "Reordered delivery",
        "impressions and feedback are shuffled within the allowed lateness",
        inject.hurried,
        "every row is that of the calm run but in which bucket a refused record counts; so is every dead letter but "
        "its offset",
        change=feed.reordered,
        normal=order_aside,
    ),
    Fault(
        "Feedback of a partition idle",
        "from a third of the feed on no feedback comes in partition 0, while its impressions go on",
        inject.passed_over,
        PASSED_OVER,
        change=feed.without_feedback,
        base=feed.without_feedback,
        tables={"kafka": {"idle_after": "8s"}},
    ),
    Fault(
        "A partition idle",
        "from a third of the feed on neither impressions nor feedback come in partition 0",
        inject.passed_over,
        PASSED_OVER,
        change=feed.without_partition,
        base=feed.without_partition,
        tables={"kafka": {"idle_after": "8s"}},
    ),
    Fault(
        "A partition held back",
        "nothing comes in partition 0 of impressions and feedback for a quarter of the feed, then all of it at once, "
        "before `kafka.idle_after` has passed",
        inject.left_alone,
        f"numbers wait for it; after it {IDENTICAL}. What comes after `kafka.idle_after` is late, and counted as that. "
        "Vectors and pairs of a topic hold nothing up: H is their slack, and what is later counts as late",
        change=feed.held_back,
    ),
    Fault(
        "A partition an hour behind",
        "from a third of the feed on everything in partition 0, of any topic, comes an hour of event time late",
        inject.left_alone,
        "numbers wait for it, none of it is late (a record is late by its own partition alone), the alert says which "
        f"partition; when it has caught up {IDENTICAL}",
        change=feed.an_hour_behind,
        alerts=("LisWatermarkLag",),
        faster=10,
    ),
)
"""In the order of the table."""


def named(name: str) -> Fault:
    """Return a fault by name. Raises ValueError for an unknown one."""
    for fault in FAULTS:
        if fault.name == name:
            return fault
    raise ValueError(f"a fault must be one of {', '.join(fault.name for fault in FAULTS)}, got {name!r}")
