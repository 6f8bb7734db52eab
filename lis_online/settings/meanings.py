"""What each setting means, in one line: the words of docs/settings.md.

Keys are paths in the settings file; `preference`, `variant`, `experiment`, `experiment.arm` and
`experiment.metric` are lists of tables. Kinds, defaults and rules come from the model itself.
"""

from __future__ import annotations

from typing import Final

SECTIONS: Final = {
    "kafka": "Where Kafka is, what the topics are called and how they are shaped.",
    "history": "Where PostgreSQL is, and how long it keeps what (`lis-online db prune`).",
    "checkpoints": "Where shards are saved. The workers of one role share the directory.",
    "http": "Where a worker answers /metrics, /healthz, /readyz and /api/v1/summary.",
    "privacy": "What keeps users unknown (privacy.md).",
    "events": "How events become labelled slates.",
    "leakage": "What the leaked ranker is shown.",
    "training": "How the rankers learn, and on what.",
    "metrics": "How the numbers are kept and judged.",
    "drift": "How changes of the numbers are looked for, by the publish role (drift.md).",
    "preference": "`[[preference]]`: a source of item pairs, once for each. Without any: `coclick`, of clicks.",
    "variant": "`[[variant]]`: an MLLM representation, once for each.",
    "experiment": "`[[experiment]]`: an A/B experiment, once for each. The unit is the user.",
    "experiment.arm": "`[[experiment.arm]]`: at least two of each experiment.",
    "experiment.metric": "`[[experiment.metric]]`: checked, and not reported yet; clicks per impression always is.",
}
"""What a table is for."""

MEANINGS: Final = {
    "kafka.bootstrap": "Addresses of brokers, `host:port`, separated by commas.",
    "kafka.prefix": "Begins the names of the internal topics and of the consumer groups. Another one starts afresh.",
    "kafka.impressions": "Topic of impressions.",
    "kafka.feedback": "Topic of feedback.",
    "kafka.representations": "Topic of vectors; compacted.",
    "kafka.preferences": "Topic of item pairs.",
    "kafka.partitions": "Partitions of each of the four input topics; there are as many join shards.",
    "kafka.replication": "Replicas of a topic that `topics create` makes.",
    "kafka.retention": "How long topics keep records; for `representations`, how long one is safe from compaction.",
    "kafka.security_protocol": "How to speak to the brokers.",
    "kafka.sasl_mechanism": "Needed with SASL, refused without.",
    "kafka.username": "Needed with SASL, refused without.",
    "kafka.password": "Needed with SASL, refused without. Better in `LIS_KAFKA__PASSWORD` than in a file.",
    "kafka.ca_file": "PEM file of the authorities to trust; the system's otherwise.",
    "kafka.certificate_file": "PEM file of this client's certificate, where the brokers ask for one.",
    "kafka.key_file": "PEM file of its private key.",
    "kafka.session_timeout": "After how long without a sign of life a worker's partitions go to another.",
    "kafka.idle_after": "How long impressions or feedback of a partition may bring nothing, while the other goes on, "
    "before it is passed over. By the wall clock.",
    "history.url": "SQLAlchemy's address of the database; a password in it is never shown. Empty: nothing is kept.",
    "history.keep_buckets": "Age from which `db prune` merges buckets' statistics into longer ones.",
    "history.keep_numbers": "Age from which `db prune` keeps the last numbers of each `rollup` alone.",
    "history.rollup": "Length of those longer buckets.",
    "history.keep_rollups": "Age from which `db prune` deletes everything.",
    "history.keep_user_totals": "What users did, by hash and `history.rollup`, for lifts over any range. 0: not kept.",
    "history.user_totals_share": "The share of users, by hash, of whom that is kept: 0.01 for very many users. Lifts "
    "since an experiment's start are of all users whatever it is.",
    "checkpoints.directory": "Folder of the checkpoints, or an fsspec URL such as `s3://bucket/lis`; a relative folder "
    "is below where the worker starts.",
    "checkpoints.every": "Wall-clock time between two checkpoints of a shard.",
    "checkpoints.keep": "How many of the newest stay, for each shard.",
    "http.host": "Address to listen on. Any but loopback needs `http.token` and a certificate, or `http.insecure`.",
    "http.port": "Port to listen on; 0 takes a free one, which the log names. Workers of one machine need one each.",
    "http.token": "What a request must carry as `Authorization: Bearer ...`. Better in `LIS_HTTP__TOKEN`, or a file "
    "named by `LIS_HTTP__TOKEN_FILE`.",
    "http.certificate_file": "PEM file of the certificate to serve HTTPS with.",
    "http.key_file": "PEM file of its private key.",
    "http.insecure": "Let others than this machine ask without token or certificate: behind a proxy that has them.",
    "privacy.user_key": "Secret, of 16 bytes or more, of the keyed hash that ids of users, authors and requests become "
    "before they leave join. Another one makes every user a new one. None: hashed without a key, which whoever knows "
    "an id can repeat.",
    "events.label": "The action that is the label: 1 when it comes within the attribution window.",
    "events.actions": "Every action that is known. Others are counted and dropped.",
    "events.attribution_window": "How long after an impression its feedback counts. Every label waits this long.",
    "events.allowed_lateness": "How far behind the highest event time of its partition a record may come.",
    "events.max_ahead": "How far ahead of its record's own time an event may be; further, it is a dead letter.",
    "events.history_length": "Engaged items of a user that rankers see, the newest.",
    "events.user_idle_limit": "A user without events for this long is forgotten. Event time.",
    "events.user_sample": "The share of users, by hash, whose slates are ranked: below 1 sheds load (load.md). Pairs, "
    "counts, arms and lifts stay those of all users.",
    "events.surfaces": "Surfaces with a slice of their own; the rest share `surface:other`.",
    "leakage.horizon": "H: how far into the future the leaked ranker sees. Every sample waits this long.",
    "leakage.memory": "P: how far back pairs count.",
    "leakage.folds": "F: users are hashed into so many folds; a fold's own future pairs are hidden from it.",
    "leakage.sketch_bits": "Slots of a source's table of pairs, as a power of two.",
    "leakage.placebo_bucket": "Grid on which placebo buckets close. None: a sixteenth of the horizon, or the next "
    "larger whole part of it.",
    "leakage.placebo_pairs": "Pairs of a fold that a placebo bucket waits for.",
    "training.device": "`auto`, `cpu`, `cuda` or `cuda:0` and so on. `auto` takes CUDA where torch sees it.",
    "training.on_device_failure": "A GPU that fails (out of memory, lost): `cpu` goes on there from the last "
    "checkpoint, `stop` ends the worker.",
    "training.threads": "Threads of torch. Sums differ in their last bits between one and two.",
    "training.batch": "Samples a learning step.",
    "training.ranker": "The network: `wide-and-deep`, `dcn-v2` or one of your own, `package.module:factory`. "
    "See rankers.md.",
    "training.embedding": "Numbers in an embedding.",
    "training.hidden": "Widths of the hidden layers.",
    "training.learning_rate": "Of Adagrad.",
    "training.user_bits": "Rows of the table of users, as a power of two. Ids are hashed into it.",
    "training.item_bits": "Rows of the table of items and of its counts, as a power of two.",
    "training.half_lives": "Half-lives of an item's impression and click counts.",
    "training.count_tick": "Grid on which those counts are read: what happened in the same tick is not in them.",
    "training.seed": "Of the initial weights; the twin takes the next one.",
    "metrics.metric": "What LIS, AIS and their kin are differences of. AUC and GAUC of the unleaked ranker always are.",
    "metrics.bucket": "Statistics are kept by this much event time. A learning step never spans two buckets.",
    "metrics.windows": "Rolling windows, beside the whole run.",
    "metrics.warm_up_samples": "Samples to learn from before a diagnosis: until then LIS and AIS rise (validation.md).",
    "metrics.warm_up": "Event time from the first sample before numbers count. `auto`: P + H, and a quiet twin.",
    "metrics.min_useful_lis": "Below it preference data is not worth aligning on: `weak_preference_data`.",
    "metrics.min_efficiency": "The share of adjusted LIS that a variant should deliver; below: `misaligned`.",
    "metrics.placebo_tolerance": "A placebo whose lower end is above it: `invalid_baseline`.",
    "metrics.min_effective_users": "Fewer give `insufficient_data`.",
    "metrics.min_positives": "Fewer, of all or of those that have a pair, give `insufficient_data`.",
    "metrics.max_user_samples": "What one user may add to a bucket; more are learnt from, not measured, and counted.",
    "drift.enabled": "Whether to look. It takes the publish role about 155 MB of memory and, once, 3 s.",
    "drift.bucket": "Numbers are compared over this much event time. Shorter: sooner on much traffic, blind on little.",
    "drift.learning": "What a series must have shown before it is judged, and how long it may be away before its new "
    "level is the one that counts.",
    "drift.window": "How far back the level reaches that a series is compared with.",
    "drift.gap": "How much of the newest is not in that level yet: else a slow change would become its own reference.",
    "drift.same": "What else moves this much later is told as the same event.",
    "drift.threshold": "Of the detector, in standard errors. Lower: sooner, with more false alarms.",
    "preference.name": "Unique. Becomes a label value and, for a topic source, the records' `source`.",
    "preference.kind": "`co_engagement`: pairs are made from feedback. `topic`: read from `preferences`.",
    "preference.actions": "For co_engagement: the actions that make pairs.",
    "preference.gap": "For co_engagement: the longest time between the two actions of a pair.",
    "preference.partners": "For co_engagement: with how many of the user's last items an action is paired.",
    "preference.users": "`feed`: user ids are those of the feed; pairs without one count for the past alone. "
    "`independent`: the pairs do not come from the feed's users, so all of them may leak.",
    "variant.name": "Unique. The `variant` of its records in `representations`.",
    "variant.preference": "Name of the preference source that it was aligned on.",
    "variant.dimension": "Length of its vectors; others are dead letters.",
    "variant.versions": "How many of its versions are measured side by side, each with its own rankers from its first "
    "vector on. One without vectors for `leakage.memory` leaves for a newer one. 1: versions are not told apart.",
    "experiment.name": "Unique. The key in an impression's `experiments`.",
    "experiment.control": "Name of the arm that the others are compared with.",
    "experiment.start": "Impressions before it count for nobody's arm; what users did before is the pre-period.",
    "experiment.alpha": "Error of each interval and test; 0.05 gives 95 % intervals.",
    "experiment.correction": "Of the p-values, over arms and metrics: `holm`, `benjamini-hochberg` or `none`.",
    "experiment.cuped": "Whether what users did before their first exposure is used to narrow intervals (CUPED).",
    "experiment.tightest_at_users": "Users, of both arms, at which the always-valid interval is tightest. None: where "
    "each metric's minimum effect is seen with 80 % power.",
    "experiment.trigger.surfaces": "The analysis is of users from their first impression on one of these surfaces on. "
    "All that a trigger names must hold of one impression.",
    "experiment.trigger.categories": "The same, of an impression with an item of one of these categories.",
    "experiment.trigger.authors": "The same, with an item of one of these authors.",
    "experiment.trigger.items": "The same, with one of these items.",
    "experiment.arm.name": "The value in an impression's `experiments`.",
    "experiment.arm.share": "Of the users: a sample-ratio mismatch is measured against it. The shares sum to 1.",
    "experiment.arm.variant": "Name of the variant that the arm serves: its LIS and AIS stand beside the arm.",
    "experiment.metric.name": "Name of the metric.",
    "experiment.metric.kind": "`ratio` of two totals, `mean` of a total per user, `proportion` of users who did it.",
    "experiment.metric.numerator": "For ratio: an action, or `impression`.",
    "experiment.metric.denominator": "For ratio: an action, or `impression`.",
    "experiment.metric.action": "For mean and proportion: an action.",
    "experiment.metric.cap": "The most that one user counts for: denominators (ratio), or the total (mean). None: no "
    "limit.",
    "experiment.metric.minimum_effect": "The smallest change worth knowing, relative to control.",
    "experiment.metric.guardrail.direction": "The change that must not happen.",
    "experiment.metric.guardrail.margin": "From which relative size on.",
}
"""What a key means, and its unit where the value does not carry it."""
