"""Every series that is exported: name, kind, unit, labels (`labels.py` says their values), meaning.

Nothing else spells a name. They are API: dashboards, rules and people's queries depend on them. Base units; no label
for a user or an item; absent rather than 0 where there is no number. A series with `interval` has two more, `_lower`
and `_upper`, the ends of its 95 % interval; of a lift, of the one that is valid at any time.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from lis_online.exporter.series import Series, counter, gauge

OF_SOURCE: Final = "source window slice metric"
OF_VARIANT: Final = "variant version window slice metric"
OF_PAIRS: Final = "variant version window"
OF_VERSION: Final = "variant version"
OF_SLICE: Final = "window slice"
OF_ARM: Final = "experiment arm"
OF_LIFT: Final = "experiment arm metric"
OF_SHARD: Final = "role partition"
OF_DRIFT: Final = "kind subject number"

# Preference sources: what their data could give.
IMPACT = gauge("lis_impact_score", OF_SOURCE, "Leakage Impact Score: M(leaked) - M(unleaked).", interval=True)
ADJUSTED_IMPACT = gauge(
    "lis_adjusted_impact_score", OF_SOURCE, "Adjusted LIS, the headline: M(leaked) - M(placebo).", interval=True
)
PAST = gauge("lis_past_score", OF_SOURCE, "What past pairs alone give: M(past) - M(unleaked).", interval=True)
FUTURE = gauge("lis_future_score", OF_SOURCE, "What later pairs add: M(leaked) - M(past).", interval=True)
PLACEBO = gauge(
    "lis_placebo_score",
    OF_SOURCE,
    "What leaks that is not preference: M(placebo) - M(unleaked). Above 0, the baseline is invalid.",
    interval=True,
)
BOUND = gauge(
    "lis_bound_score",
    OF_SOURCE,
    "M(leaked) - M(thinned): how much LIS still grows with density. Near 0, LIS bounds a variant.",
    interval=True,
)
SOURCE_COVERAGE = gauge(
    "lis_source_coverage_ratio",
    "source window slice",
    "Share of samples with a true pair between candidate and history, hash collisions subtracted.",
    "ratio",
)
SOURCE_COLLISIONS = gauge(
    "lis_source_collision_ratio", "source window slice", "Share of the seen coverage that collisions explain.", "ratio"
)
IMPACT_NEEDS = gauge(
    "lis_adjusted_impact_score_samples_needed", OF_SOURCE, "Samples at which the adjusted LIS resolves 0.0005."
)

# Variants: what their representation gives.
IMPROVEMENT = gauge(
    "lis_improvement_score", OF_VARIANT, "AUC Improvement Score: M(aligned) - M(unleaked).", interval=True
)
ADJUSTED_IMPROVEMENT = gauge(
    "lis_adjusted_improvement_score", OF_VARIANT, "Adjusted AIS: M(aligned) - M(permuted).", interval=True
)
EFFICIENCY = gauge(
    "lis_efficiency_ratio",
    OF_VARIANT,
    "Adjusted AIS / adjusted LIS, absent while the interval of LIS includes 0.",
    "ratio",
    interval=True,
)
VARIANT_COVERAGE = gauge(
    "lis_variant_coverage_ratio",
    "variant version window slice",
    "Share of samples whose candidate and history have vectors.",
    "ratio",
)
IMPROVEMENT_NEEDS = gauge(
    "lis_adjusted_improvement_score_samples_needed", OF_VARIANT, "Samples at which the adjusted AIS resolves 0.0005."
)
DIAGNOSIS = gauge(
    "lis_diagnosis", "variant version window slice diagnosis", "1 for the variant's diagnosis, 0 for the others."
)
PAIR_ALIGNMENT = gauge(
    "lis_pair_alignment_ratio",
    OF_PAIRS,
    "How often the cosine of a fresh preferred pair is above that of one as popular: 0.5 is chance, no label needed.",
    "ratio",
    interval=True,
)
PAIRS = gauge("lis_pair_alignment_pairs", OF_PAIRS, "Fresh pairs that were compared.")
PAIRS_LEFT_OUT = gauge(
    "lis_pair_alignment_left_out_pairs", OF_PAIRS, "Fresh pairs that were not: an item without a vector, or no other."
)
VARIANT = Series("lis_variant_info", "info", ("variant", "source"), "The preference source a variant was aligned on.")
VERSION_SINCE = gauge(
    "lis_version_since_timestamp_seconds", OF_VERSION, "Event time of a version's first vector.", "seconds"
)
VERSION_NEWEST = gauge("lis_version_newest", OF_VERSION, "1 for the newest version of a variant, 0 for the others.")

# Rankers and samples behind the numbers.
UNLEAKED = gauge(
    "lis_unleaked_score", "window slice metric", "How well the unleaked, production-style ranker ranks.", interval=True
)
TWIN = gauge("lis_twin_score", "window slice metric", "A/A test of the learning: M(twin) - M(unleaked).", interval=True)
LEARNING_NOISE = gauge(
    "lis_learning_noise", OF_SLICE, "1 where the twin differs by more than chance, and intervals are widened for it."
)
LEVEL = gauge("lis_ranker_score", "ranker window slice metric", "M of one ranker.")
SET_ASIDE = gauge(
    "lis_ranker_set_aside",
    "ranker reason",
    "1 while the ranker is set aside for this reason: `lis-online rankers reset` starts it anew.",
)
EFFECTIVE_USERS = gauge("lis_effective_users", OF_SLICE, "Users, weighted by how evenly samples spread over them.")
SAMPLES = gauge("lis_samples", OF_SLICE, "Samples in the window.")
SLATES = gauge("lis_slates", OF_SLICE, "Slates in the window.")
POSITIVES = gauge("lis_positives", OF_SLICE, "Samples with a positive label in the window.")
PUBLISHED = gauge(
    "lis_published_timestamp_seconds", "", "Event time at which the newest published window ends.", "seconds"
)
WARM = gauge("lis_warm", "", "1 once the warm-up is over: diagnoses before it are insufficient_data.")
WARM_FROM = gauge(
    "lis_warm_up_end_timestamp_seconds",
    "",
    "Event time at which the warm-up ends: memory and horizon are full.",
    "seconds",
)
LATE_SIDE = counter(
    "lis_late_side_records_total", "", "Vectors and preferences that came after their time had been applied."
)
LEFT_OUT = counter("lis_left_out_samples_total", "", "Samples beyond what one user may add to a bucket.")

ABSENT = gauge(
    "lis_number_absent",
    "kind subject version number window slice reason",
    "1 where a number is absent, with the reason in a word: the series of the number itself is not there.",
)

# Drift: what left its level.
DRIFT_ACTIVE = gauge(
    "lis_drift_active", OF_DRIFT, "1 while a drift event of a number is open, 0 for every other number that is judged."
)
DRIFT_EVENTS = counter(
    "lis_drift_events_total", f"{OF_DRIFT} cause", "Drift events of a number, by cause as it was told."
)
DRIFT_BEFORE = gauge("lis_drift_before_score", OF_DRIFT, "Level before a number's newest drift event.", interval=True)
DRIFT_AFTER = gauge("lis_drift_after_score", OF_DRIFT, "Level since a number's newest drift event.", interval=True)
DRIFT_LAST = gauge(
    "lis_drift_last_timestamp_seconds", OF_DRIFT, "Event time at which the newest drift of a number began.", "seconds"
)

# A/B arms.
ARM_USERS = gauge("lis_arm_users", OF_ARM, "Users in the arm so far.")
ARM_CROSSED = gauge("lis_arm_crossed_users", OF_ARM, "Users seen in this arm and another one, who count in none.")
ARM_IMPRESSIONS = counter("lis_arm_impressions_total", OF_ARM, "Impressions of the arm's users.")
ARM_CLICKS = counter("lis_arm_clicks_total", OF_ARM, "Clicks of the arm's users.")
ARM_CTR = gauge(
    "lis_arm_ctr_ratio", OF_ARM, "Clicks per impression, with an interval over users.", "ratio", interval=True
)
ARM_ASSIGNED = gauge(
    "lis_arm_assigned_users", OF_ARM, "Users by the first arm that they were seen in, those who crossed later included."
)
ARM_METRIC = gauge("lis_arm_metric_value", OF_LIFT, "Level of a metric in the arm, as observed.")
LIFT = Series(
    "lis_arm_lift_ratio",
    "gauge",
    tuple(OF_LIFT.split()),
    "Lift over control, relative: 0.02 is 2 %. Its interval may be watched at any time, at the experiment's alpha.",
    "ratio",
    interval=True,
    interval_is="always-valid interval",
)
LIFT_P = gauge(
    "lis_arm_lift_p_value", OF_LIFT, "Sequential p-value of no lift, adjusted over the experiment's arms and metrics."
)
ARM_USERS_NEEDED = gauge(
    "lis_arm_users_needed",
    OF_LIFT,
    "Users of the arm and control, in all, with whom the metric's minimum effect is seen with 80 % power.",
)
GUARDRAIL = gauge("lis_guardrail", f"{OF_LIFT} status", "1 for the guardrail's status, 0 for the others.")
SAMPLE_RATIO_P = gauge(
    "lis_sample_ratio_p_value", "experiment", "Sequential p-value of users coming to the arms in the declared shares."
)
SAMPLE_RATIO_MISMATCH = gauge(
    "lis_sample_ratio_mismatch", "experiment", "1 where that p-value is below 0.01: no lift is to be trusted."
)
ARM_INFO = Series(
    "lis_arm_info",
    "info",
    ("experiment", "arm", "variant", "control"),
    "The variant that an arm serves, empty for none.",
)

# The pipeline's own health.
EVENTS = counter("lis_events_total", "partition fate", "Records of the input topics by what became of them.")
DEAD_LETTERS = counter("lis_dead_letters_total", "partition reason", "Records refused, by reason.")
APPLIED = counter("lis_records_applied_total", OF_SHARD, "Records a shard applied since its worker began.")
WATERMARK = gauge(
    "lis_watermark_timestamp_seconds", OF_SHARD, "Event time up to which a shard applied everything.", "seconds"
)
LAST_BATCH = gauge("lis_last_batch_timestamp_seconds", OF_SHARD, "When a shard last applied records.", "seconds")
STEP = Series("lis_step_seconds", "histogram", ("role", "partition"), "Duration of a shard's turns.", "seconds")
LAG = gauge(
    "lis_lag_records",
    OF_SHARD,
    "Records of a shard's inputs that are not applied yet: end offsets less applied ones. Absent while not known.",
)
LAG_KNOWN = gauge("lis_lag_known", OF_SHARD, "1 where the brokers told the end offsets lately, 0 where they did not.")
PAUSED = gauge("lis_paused", "role partition reason", "1 while a shard holds its records for this reason.")
CHECKPOINT = gauge(
    "lis_checkpoint_timestamp_seconds", OF_SHARD, "When a shard's last checkpoint became durable.", "seconds"
)
CHECKPOINT_POSITION = gauge("lis_checkpoint_position", OF_SHARD, "Records below the last checkpoint.")
CHECKPOINT_BYTES = gauge("lis_checkpoint_bytes", OF_SHARD, "Size of a shard's last checkpoint.", "bytes")
CHECKPOINT_SECONDS = gauge(
    "lis_checkpoint_duration_seconds",
    OF_SHARD,
    "From the beginning of a shard's last checkpoint until it was durable; the shard goes on meanwhile.",
    "seconds",
)
CHECKPOINT_PAUSE = gauge(
    "lis_checkpoint_pause_seconds", OF_SHARD, "The longest that a turn waited for a shard's last checkpoint.", "seconds"
)
CHECKPOINT_FAILURES = counter(
    "lis_checkpoint_failures_total", OF_SHARD, "Times that a checkpoint could not be written or read; tried again."
)
COMMIT = gauge(
    "lis_commit_timestamp_seconds", OF_SHARD, "When a shard's offsets were last committed to Kafka.", "seconds"
)
COMMITS = counter("lis_commits_total", "role", "Commits of offsets that the group took.")
COMMIT_FAILURES = counter("lis_commit_failures_total", "role", "Commits of offsets that failed or were refused.")
REBALANCES = counter("lis_rebalances_total", "role", "Rebalances of a role's group that this worker went through.")
ASSIGNED = gauge("lis_assigned_partitions", "role", "Partitions that this worker has of a role.")
HISTORY_ROWS = counter("lis_history_rows_total", "", "Rows that the history took.")
HISTORY_WRITES = counter("lis_history_writes_total", "", "Batches of rows that the history took.")
HISTORY_FAILURES = counter("lis_history_failures_total", "", "Batches of rows that failed, each try counted.")
HISTORY_SECONDS = Series(
    "lis_history_write_seconds", "histogram", (), "Duration of writing a batch of rows to the history.", "seconds"
)
HISTORY_LAST = gauge(
    "lis_history_write_timestamp_seconds", "", "When the history last took a batch of rows.", "seconds"
)
DEVICE_MEMORY = gauge(
    "lis_device_memory_bytes",
    "role state",
    "Memory of the accelerator that a role computes on; absent on a CPU.",
    "bytes",
)
DEVICE = Series("lis_device_info", "info", ("role", "device"), "What a role computes on.")
DEVICE_FAILURES = counter(
    "lis_device_failures_total", "role", "Failures of the accelerator; after the first a role computes on the CPU."
)
USER_SAMPLE = gauge(
    "lis_user_sample_ratio",
    "",
    "Share of the users of whose slates the rankers learn and LIS and AIS are; below 1 load is shed.",
)
BUILD = Series("lis_build_info", "info", ("version",), "What is running.")

SECTIONS: Final = {
    "Preference sources": (
        ADJUSTED_IMPACT,
        IMPACT,
        PAST,
        FUTURE,
        PLACEBO,
        BOUND,
        SOURCE_COVERAGE,
        SOURCE_COLLISIONS,
        IMPACT_NEEDS,
    ),
    "Variants": (
        ADJUSTED_IMPROVEMENT,
        IMPROVEMENT,
        EFFICIENCY,
        VARIANT_COVERAGE,
        IMPROVEMENT_NEEDS,
        PAIR_ALIGNMENT,
        PAIRS,
        PAIRS_LEFT_OUT,
        DIAGNOSIS,
        VARIANT,
        VERSION_SINCE,
        VERSION_NEWEST,
    ),
    "Rankers and samples": (
        UNLEAKED,
        TWIN,
        LEARNING_NOISE,
        LEVEL,
        SET_ASIDE,
        EFFECTIVE_USERS,
        SAMPLES,
        SLATES,
        POSITIVES,
        PUBLISHED,
        WARM,
        WARM_FROM,
        LATE_SIDE,
        LEFT_OUT,
        ABSENT,
    ),
    "Drift": (
        DRIFT_ACTIVE,
        DRIFT_EVENTS,
        DRIFT_BEFORE,
        DRIFT_AFTER,
        DRIFT_LAST,
    ),
    "A/B arms": (
        SAMPLE_RATIO_P,
        SAMPLE_RATIO_MISMATCH,
        LIFT,
        LIFT_P,
        GUARDRAIL,
        ARM_METRIC,
        ARM_USERS_NEEDED,
        ARM_USERS,
        ARM_ASSIGNED,
        ARM_CROSSED,
        ARM_IMPRESSIONS,
        ARM_CLICKS,
        ARM_CTR,
        ARM_INFO,
    ),
    "Pipeline": (
        EVENTS,
        DEAD_LETTERS,
        APPLIED,
        WATERMARK,
        LAST_BATCH,
        STEP,
        LAG,
        LAG_KNOWN,
        PAUSED,
        CHECKPOINT,
        CHECKPOINT_POSITION,
        CHECKPOINT_BYTES,
        CHECKPOINT_SECONDS,
        CHECKPOINT_PAUSE,
        CHECKPOINT_FAILURES,
        COMMIT,
        COMMITS,
        COMMIT_FAILURES,
        REBALANCES,
        ASSIGNED,
        HISTORY_ROWS,
        HISTORY_WRITES,
        HISTORY_FAILURES,
        HISTORY_SECONDS,
        HISTORY_LAST,
        DEVICE_MEMORY,
        DEVICE,
        DEVICE_FAILURES,
        USER_SAMPLE,
        BUILD,
    ),
}
"""All series, as the reference lists them."""


def every() -> Iterator[Series]:
    """Return every series, the bounds after the one they belong to."""
    for section in SECTIONS.values():
        for series in section:
            yield series
            if series.interval:
                yield from series.bounds
