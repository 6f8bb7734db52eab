"""The rows of the history, as plain data: what `publish` hands over and the writer keeps.

Times are milliseconds since 1970, UTC. A row's `revision` grows with every better knowledge of
the same key; an older revision never replaces a newer one. The first fields, as listed in
`KEYS`, name a row within a configuration; the rest is what is known of it.

Of a variant, the newest version's rows go under its name, "title", those of an older version that is still
measured under "title@1"; `version` says which one either is. So the key is what it was before there were versions: code
of that time writes on beside this one, and whoever reads the name alone reads the newest version.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable
from hashlib import blake2b
from typing import Final, NamedTuple

import msgspec

_MEMBER: Final = struct.Struct("<5q")

PAIR_ALIGNMENT: Final = "pair_alignment"
"""The number whose samples are pairs, up to a horizon later than the window's end."""


class NumberRow(msgspec.Struct, frozen=True, array_like=True, tag="number"):
    """One number of one window and slice, with its 95 % interval, or the reason why there is none.

    bucket_end: end of the window, exclusive. window_ms: its length; 0 for the whole run after warm-up, -1 for the
    overlap of a variant's versions. kind: "unleaked", "source" or "variant"; subject: the name of the source or
    variant, "" for unleaked. number: "lis", "adjusted_ais", ... samples: what it was computed from.
    version: of the variant's vectors, "" for sources and while no vector came. samples_to_resolve: of a difference;
    learning_noise: None where there is no number; both as in `metrics.estimate.Estimate`.

    >>> NumberRow(60_000, 900_000, "all", "source", "coclick", "lis", None, None, None, None, "no samples", 0, 0).reason
    'no samples'
    """

    bucket_end: int
    window_ms: int
    slice: str
    kind: str
    subject: str
    number: str
    value: float | None
    stderr: float | None
    lower: float | None
    upper: float | None
    reason: str | None
    samples: int
    revision: int
    version: str = ""
    samples_to_resolve: float | None = None
    learning_noise: bool | None = None


class DiagnosisRow(msgspec.Struct, frozen=True, array_like=True, tag="diagnosis"):
    """One variant's diagnosis in one window and slice, and the sentence that says what to do next.

    variant, version: as subject and version of a `NumberRow`.
    """

    bucket_end: int
    window_ms: int
    slice: str
    variant: str
    diagnosis: str
    sentence: str
    revision: int
    version: str = ""


class ArmRow(msgspec.Struct, frozen=True, array_like=True, tag="arm"):
    """One arm of one experiment, cumulative from its first event to `bucket_end`.

    ctr: clicks per impression, with the 95 % interval over users; None where there is none yet.
    crossed: users seen in more than one arm, who are in none.
    """

    bucket_end: int
    experiment: str
    arm: str
    users: int
    impressions: int
    clicks: int
    ctr: float | None
    ctr_stderr: float | None
    ctr_lower: float | None
    ctr_upper: float | None
    crossed: int
    revision: int


class BucketRow(msgspec.Struct, frozen=True, array_like=True, tag="bucket"):
    """The mergeable statistics of one bucket of one rank group: [bucket_start, bucket_end).

    data: the bytes of `metrics.statistics.Statistics.encode`, from which a review over any range
    is recomputed exactly. state: `bucket_state.encode` of what was known beside them; None of a release that kept none.
    """

    bucket_start: int
    bucket_end: int
    group: int
    samples: int
    data: bytes
    revision: int
    state: bytes | None = None


class AlignmentRow(msgspec.Struct, frozen=True, array_like=True, tag="alignment"):
    """The pairs of one bucket of *pair* time, [bucket_start, bucket_end), judged by each version's vectors.

    data: the bytes of `metrics.alignment.encode`.
    """

    bucket_start: int
    bucket_end: int
    group: int
    data: bytes
    revision: int


class MomentsRow(msgspec.Struct, frozen=True, array_like=True, tag="moments"):
    """One arm's moments over its users, cumulative to `bucket_end`: what its lifts are computed from.

    data: the bytes of `experiments.stored_moments.encode`. crossed, assigned: as in `events.windows_log.ArmMoments`.
    """

    bucket_end: int
    experiment: str
    arm: str
    users: int
    assigned: int
    crossed: int
    data: bytes
    revision: int


class LiftRow(msgspec.Struct, frozen=True, array_like=True, tag="lift"):
    """One arm against control in one metric, cumulative to `bucket_end`, as `experiments.comparison.Comparison`.

    level, control_level: of the metric. value: relative lift; lower, upper: its always-valid interval; fixed_lower,
    fixed_upper: the interval that is right for one look. absolute...: the same of the difference. p_value: sequential;
    p_adjusted: over the experiment's arms and metrics. guardrail: "breached", "holds", "undecided", None: not declared.
    users_needed: in all. reason: why there is no value or no interval.
    """

    bucket_end: int
    experiment: str
    arm: str
    metric: str
    level: float | None
    control_level: float | None
    value: float | None
    stderr: float | None
    lower: float | None
    upper: float | None
    fixed_lower: float | None
    fixed_upper: float | None
    absolute: float | None
    absolute_lower: float | None
    absolute_upper: float | None
    p_value: float | None
    p_adjusted: float | None
    guardrail: str | None
    users_needed: int | None
    reason: str | None
    revision: int


class SampleRatioRow(msgspec.Struct, frozen=True, array_like=True, tag="sample_ratio"):
    """Whether an experiment's arms have the declared shares of users, cumulative to `bucket_end`.

    p_value: sequential, None and a reason while there are no users. users: assigned, of all arms.
    """

    bucket_end: int
    experiment: str
    p_value: float | None
    mismatch: bool
    users: int
    reason: str | None
    revision: int


class CountRow(msgspec.Struct, frozen=True, array_like=True, tag="count"):
    """How many input records met a fate (`events.reasons`) so far, cumulative to `bucket_end`."""

    bucket_end: int
    fate: str
    records: int
    revision: int


class UserTotalsRow(msgspec.Struct, frozen=True, array_like=True, tag="user_totals"):
    """What users did on the impressions of [bucket_start, bucket_end): `events.windows_log.UserTotalsBucket`.

    A user is there by a hash. revision: the bucket's end; a bucket is sent once.
    """

    bucket_start: int
    bucket_end: int
    experiment: str
    shard: int
    part: int
    users: int
    data: bytes
    revision: int


SPAN_LEVELS: Final = (16, 256)
"""Lengths of spans in buckets, each a multiple of the one before. Powers of two, as the blocks of time of a range are:
so a span lies in one block, or is longer than it."""


class SpanRow(msgspec.Struct, frozen=True, array_like=True, tag="span"):
    """The sum of the buckets in a stretch of `level` bucket lengths that begins on a multiple of that since 1970.

    For reading long ranges fast; the buckets stay. bucket_start: of the stretch; bucket_end: of its last bucket.
    data: as in `BucketRow`. members: `members_digest` of the buckets that were summed, so that a reader can tell
    whether they are those that are there now.
    """

    bucket_start: int
    bucket_end: int
    group: int
    level: int
    samples: int
    data: bytes
    members: bytes
    revision: int


class Member(NamedTuple):
    """A bucket in a span, as a `BucketRow`, by what tells it from the same bucket written again. size: of its data."""

    start: int
    end: int
    revision: int
    samples: int
    size: int


def members_digest(members: Iterable[Member]) -> bytes:
    """Return 16 bytes that differ where any of the members, in order, does.

    >>> one = Member(0, 60_000, 7, 512, 117_000)
    >>> members_digest([one]) == members_digest([one._replace(revision=8)])
    False
    """
    digest = blake2b(digest_size=16)
    for member in members:
        digest.update(_MEMBER.pack(*member))
    return digest.digest()


class DriftRow(msgspec.Struct, frozen=True, array_like=True, tag="drift"):
    """A number that left its level at `time`, ms; over at `until` (None: not yet).

    detected_at: start of the bucket that showed it. kind, number: as in `NumberRow`, and the kind "input"; variant: its
    subject, a source's name where the kind is "source". window_ms: length of the buckets that were compared. before,
    after: the levels, with 95 % intervals. cause: one word; sentence: what happened, and what to look at.
    """

    time: int
    kind: str
    variant: str
    number: str
    slice: str
    window_ms: int
    detected_at: int
    until: int | None
    before: float | None
    before_lower: float | None
    before_upper: float | None
    after: float | None
    after_lower: float | None
    after_upper: float | None
    cause: str
    sentence: str
    detector: str
    revision: int


HistoryRow = (
    NumberRow
    | DiagnosisRow
    | ArmRow
    | BucketRow
    | AlignmentRow
    | MomentsRow
    | LiftRow
    | SampleRatioRow
    | CountRow
    | UserTotalsRow
    | SpanRow
    | DriftRow
)
"""Any row. The tags let msgspec read a list of mixed rows back."""

NUMBERS: Final = {
    "unleaked": ("auc", "gauc", "normalised_entropy", "calibration", "twin", "effective_users"),
    "source": ("lis", "past", "future", "placebo", "adjusted_lis", "bound", "coverage", "collision_share"),
    "variant": ("ais", "adjusted_ais", "efficiency", "coverage", PAIR_ALIGNMENT),
}
"""The numbers of each kind. Readers name them all: the index then leads to each, whatever lies between."""

KEYS: Final[dict[type[HistoryRow], tuple[str, ...]]] = {
    NumberRow: ("bucket_end", "window_ms", "slice", "kind", "subject", "number"),
    DiagnosisRow: ("bucket_end", "window_ms", "slice", "variant"),
    ArmRow: ("bucket_end", "experiment", "arm"),
    BucketRow: ("bucket_start", "group"),
    AlignmentRow: ("bucket_start", "group"),
    MomentsRow: ("bucket_end", "experiment", "arm"),
    LiftRow: ("bucket_end", "experiment", "arm", "metric"),
    SampleRatioRow: ("bucket_end", "experiment"),
    CountRow: ("bucket_end", "fate"),
    UserTotalsRow: ("bucket_start", "experiment", "shard", "part"),
    SpanRow: ("bucket_start", "group", "level"),
    DriftRow: ("time", "kind", "variant", "number", "slice", "window_ms"),
}
"""What names a row within a configuration: the natural key."""
