"""Is the pipeline itself well? If it is not, no number elsewhere is worth reading."""

from __future__ import annotations

from grafana_foundation_sdk.builders import dashboard

from grafana import colours, panels, variables
from grafana.frame import frame
from grafana.layout import Line, Section, place
from grafana.panels import COUNT, SECONDS, Ask, prom, proms
from grafana.promql import INSTANCE, age, pick, quantile, rate, top
from lis_online.exporter import names

PER_SECOND = "cps"
BYTES = "bytes"
SHARD = "role, partition"
ROLES = {"^join": colours.BLUE, "^rank": colours.ORANGE, "^publish": colours.GREEN}
"""Colours of lines whose names begin with a role."""
OF_SHARD = "{{role}} {{partition}}"
LATE = 'fate=~"late.*|duplicate.*"'


def build() -> dashboard.Dashboard:
    """Return the dashboard."""
    chosen = [
        *variables.sources(),
        variables.job(),
        variables.instance(),
        variables.configuration(),
        *variables.places(),
    ]
    about = "Throughput, lag, refused records, checkpoints, duration of turns, memory: the workers' own health."
    board = frame("lis-pipeline", "Pipeline", about, chosen)
    return place(
        board,
        [
            Section("What comes in", [Line(8, _input())]),
            Section("How far behind", [Line(8, _behind())]),
            Section("What is kept", [Line(8, _kept()), Line(7, _checkpoints()), Line(7, _history())]),
            Section("The workers", [Line(8, _work()), Line(7, _group()), Line(7, _machine())]),
        ],
    )


def _input() -> list[tuple[panels.Builder, int]]:
    events = Ask(
        "What arrives, and what becomes of it?",
        "Accepted falls to 0: the producers or Kafka. Late or duplicate rises: a producer's clock or its retries.",
        "LisLateEvents",
    )
    dead = Ask(
        "Are records refused, and why?",
        "Any that stays: a producer sends what the schema forbids; lis.dead-letters has the bytes and the reason.",
        "LisDeadLetters",
    )
    side = Ask(
        "Do vectors and preferences come in time, and how many samples are capped?",
        "Late side records: publish vectors before the items are shown. Left out: bots or very heavy users.",
        "LisLateEvents",
    )
    lost = {
        "late vectors and preferences": f"sum(rate({pick(names.LATE_SIDE, INSTANCE)}[$__rate_interval]))",
        "samples beyond a user's cap": f"sum(rate({pick(names.LEFT_OUT, INSTANCE)}[$__rate_interval]))",
    }
    return [
        (
            panels.chart(
                "Records by fate", events, [prom(rate(names.EVENTS, "fate", INSTANCE), "{{fate}}")], PER_SECOND
            ),
            8,
        ),
        (
            panels.chart(
                "Dead letters by reason",
                dead,
                [prom(rate(names.DEAD_LETTERS, "reason", INSTANCE), "{{reason}}")],
                PER_SECOND,
                empty="none",
            ),
            8,
        ),
        (panels.chart("Late or left out", side, proms(lost), PER_SECOND), 8),
    ]


def _behind() -> list[tuple[panels.Builder, int]]:
    lag = Ask(
        "How many records wait?",
        "It rises without end: the role is too slow, or stuck. Absent: the brokers do not answer.",
        "LisConsumerLag",
    )
    mark = Ask(
        "How far is event time behind the clock?",
        "One partition alone: its feed is silent. All: the role stands still, or is catching up.",
        "LisWatermarkLag",
    )
    stale = Ask(
        "When did a shard last do anything, and when were numbers last published?",
        "Hours, while records wait: the shard is stuck; its log and lis_paused say why.",
        "LisOutputStale",
    )
    idle = {
        OF_SHARD: age(names.LAST_BATCH, SHARD, INSTANCE),
        "published": age(names.PUBLISHED, "", INSTANCE),
    }
    known = f"{top(names.LAG, SHARD, INSTANCE)} and on (role, partition) {top(names.LAG_KNOWN, SHARD, INSTANCE)} == 1"
    return [
        (panels.chart("Lag", lag, [prom(known, OF_SHARD)], COUNT, paint=ROLES, least=0.0), 8),
        (
            panels.chart(
                "Age of the watermark",
                mark,
                [prom(age(names.WATERMARK, SHARD, INSTANCE), OF_SHARD)],
                SECONDS,
                paint=ROLES,
            ),
            8,
        ),
        (panels.chart("Since the last batch and window", stale, proms(idle), SECONDS, paint=ROLES), 8),
    ]


def _kept() -> list[tuple[panels.Builder, int]]:
    old = Ask(
        "How much would be done again after a crash?",
        "Older than some minutes: the directory is full or gone, or the shard applies nothing.",
        "LisCheckpointOld",
    )
    commits = Ask(
        "Does Kafka take the offsets?",
        "Failures that stay: the group threw the worker out; its log says why. Nothing is counted twice.",
        "LisCheckpointOld",
    )
    made = {
        f"{OF_SHARD}, checkpoint": age(names.CHECKPOINT, SHARD, INSTANCE),
        f"{OF_SHARD}, commit": age(names.COMMIT, SHARD, INSTANCE),
    }
    taken = {
        "{{role}}, taken": rate(names.COMMITS, "role", INSTANCE),
        "{{role}}, failed": rate(names.COMMIT_FAILURES, "role", INSTANCE),
    }
    position = top(names.CHECKPOINT_POSITION, SHARD, INSTANCE)
    return [
        (panels.chart("Age of checkpoints and commits", old, proms(made), SECONDS, paint=ROLES), 8),
        (panels.chart("Commits", commits, proms(taken), PER_SECOND, paint=ROLES), 8),
        (panels.chart("Records covered by checkpoints", old, [prom(position, OF_SHARD)], COUNT, paint=ROLES), 8),
    ]


def _checkpoints() -> list[tuple[panels.Builder, int]]:
    size = Ask(
        "How large is a shard's state?",
        "It rises without end: more users or items than expected; docs/operations.md says what each costs.",
        "LisCheckpointOld",
    )
    took = Ask(
        "How long does a checkpoint take to become durable?",
        "Near checkpoints.every: the storage is slow; a crash then repeats that much more.",
        "LisCheckpointOld",
    )
    wait = Ask(
        "How long did a turn wait for it?",
        "Longer than a turn: the state is copied in one piece; every record of the shard was that much later.",
        "LisCheckpointOld",
    )
    return [
        (panels.chart(title, ask, [prom(top(series, SHARD, INSTANCE), OF_SHARD)], unit, paint=ROLES, least=0.0), 8)
        for title, ask, series, unit in (
            ("Size of checkpoints", size, names.CHECKPOINT_BYTES, BYTES),
            ("Time until checkpoints are durable", took, names.CHECKPOINT_SECONDS, SECONDS),
            ("Pause for checkpoints", wait, names.CHECKPOINT_PAUSE, SECONDS),
        )
    ]


def _history() -> list[tuple[panels.Builder, int]]:
    ask = Ask(
        "Does PostgreSQL take the rows?",
        "Failures: PostgreSQL is away or full; publish waits and ends after 30 minutes. The log is the buffer.",
        "LisHistoryFailing",
    )
    slow = Ask(
        "How long does a batch of rows take?",
        "Seconds and rising: too many numbers for this database, or no `db prune` for long.",
        "LisHistoryFailing",
    )
    writes = {
        "rows": f"sum(rate({pick(names.HISTORY_ROWS, INSTANCE)}[$__rate_interval]))",
        "failed batches": f"sum(rate({pick(names.HISTORY_FAILURES, INSTANCE)}[$__rate_interval]))",
    }
    lasts = {f"{share:.0%}": quantile(share, names.HISTORY_SECONDS, "", INSTANCE) for share in (0.5, 0.99)}
    since = {"since the last": age(names.HISTORY_LAST, "", INSTANCE)}
    return [
        (panels.chart("Rows written", ask, proms(writes), PER_SECOND), 8),
        (panels.chart("Duration of a batch", slow, proms(lasts), SECONDS, least=0.0), 8),
        (panels.chart("Since rows were last written", ask, proms(since), SECONDS), 8),
    ]


def _work() -> list[tuple[panels.Builder, int]]:
    steps = Ask(
        "How long is a shard's turn?",
        "Above a second for long: the rank worker is too slow for the feed; give it a GPU, or sample users.",
        "LisConsumerLag",
    )
    applied = Ask(
        "How many records does each role apply?",
        "Below what comes in: it falls behind. 0 with a lag: it is stuck or paused.",
        "LisConsumerLag",
    )
    paused = Ask(
        "Does a shard hold its records, and why?",
        "broker_unreachable, history_unreachable or registry_unreachable: mend that. catching_up ends by itself.",
        "LisShardPaused",
    )
    lasts = {f"{{{{role}}}}, {share:.0%}": quantile(share, names.STEP, "role", INSTANCE) for share in (0.5, 0.99)}
    held = f"max by (role, partition, reason) ({pick(names.PAUSED, INSTANCE)})"
    return [
        (panels.chart("Duration of turns", steps, proms(lasts), SECONDS, paint=ROLES, least=0.0), 8),
        (
            panels.chart(
                "Records applied",
                applied,
                [prom(rate(names.APPLIED, "role", INSTANCE), "{{role}}")],
                PER_SECOND,
                paint=ROLES,
            ),
            8,
        ),
        (panels.chart("Paused", paused, [prom(held, f"{OF_SHARD} {{{{reason}}}}")], COUNT, paint=ROLES, least=0.0), 8),
    ]


def _group() -> list[tuple[panels.Builder, int]]:
    have = Ask(
        "Is every partition at some worker?",
        "Fewer than there are: no worker is left for them. See which worker is gone.",
        "LisWorkerGone",
    )
    moves = Ask(
        "Do partitions stay where they are?",
        "Again and again: workers come and go, or turns are longer than the session's time.",
        "LisWorkerGone",
    )
    aside = Ask(
        "Is a ranker set aside?",
        "Its numbers are absent from then on; `lis-online rankers reset` starts it again.",
        "LisRankerSetAside",
    )
    shares = prom(f"sum by (role) ({pick(names.ASSIGNED, INSTANCE)})", "{{role}}")
    increase = f"sum by (role) (increase({pick(names.REBALANCES, INSTANCE)}[$__rate_interval]))"
    out = prom(f"sum by (reason) ({top(names.SET_ASIDE, 'ranker, reason')})", "{{reason}}")
    return [
        (panels.chart("Partitions at workers", have, [shares], COUNT, paint=ROLES, least=0.0), 8),
        (panels.chart("Rebalances", moves, [prom(increase, "{{role}}")], COUNT, paint=ROLES, least=0.0), 8),
        (panels.chart("Rankers set aside", aside, [out], COUNT, least=0.0), 8),
    ]


def _machine() -> list[tuple[panels.Builder, int]]:
    device = Ask(
        "How full is the accelerator?",
        "Reserved near total: fewer sketch bits, versions or sources, or a second rank group. No data on a CPU.",
    )
    memory = Ask(
        "How much memory has each worker?",
        "It rises without end: state should be bounded by the settings; note version and settings, and restart.",
        "LisWorkerGone",
    )
    cpu = Ask(
        "How many cores does each worker use?",
        "rank at 1 on a CPU is its limit: torch has one thread by default.",
        "LisConsumerLag",
    )
    cores = f"sum by (instance) (rate({pick('process_cpu_seconds_total', INSTANCE)}[$__rate_interval]))"
    size = f"max by (instance) ({pick('process_resident_memory_bytes', INSTANCE)})"
    gpu = prom(top(names.DEVICE_MEMORY, "role, state", INSTANCE), "{{role}} {{state}}")
    return [
        (panels.chart("Memory of the accelerator", device, [gpu], BYTES, least=0.0, empty="none on a CPU"), 8),
        (panels.chart("Memory of workers", memory, [prom(size, "{{instance}}")], BYTES, least=0.0), 8),
        (panels.chart("CPU", cpu, [prom(cores, "{{instance}}")], COUNT, least=0.0), 8),
    ]
