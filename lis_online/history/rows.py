"""The rows of the history, as plain data: what `publish` hands over and the writer keeps.

Times are milliseconds since 1970, UTC. A row's `revision` grows with every better knowledge of
the same key; an older revision never replaces a newer one. The first fields, as listed in
`KEYS`, name a row within a configuration; the rest is what is known of it.

Of a variant, the newest version's rows go under its name, "title", those of an older version that is still
measured under "title@1"; `version` says which one either is. So the key is what it was before there were versions: code
of that time writes on beside this one, and whoever reads the name alone reads the newest version.
"""

from __future__ import annotations

from typing import Final

import msgspec

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


HistoryRow = NumberRow | DiagnosisRow | ArmRow | BucketRow | AlignmentRow
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
}
"""What names a row within a configuration: the natural key."""
