"""Why a record is refused (dead letter) or dropped (counter): words that become label values."""

from __future__ import annotations

from typing import Final

MALFORMED: Final = "malformed"  # not JSON, a field missing or ill-typed
SCHEMA_VERSION: Final = "schema_version"  # a version that this code does not read
INVALID: Final = "invalid"  # well-typed, but breaks a rule: an empty slate, an empty id, a NaN
TOO_FAR_AHEAD: Final = "too_far_ahead"  # event time beyond its record's time plus max_ahead
UNKNOWN_VARIANT: Final = "unknown_variant"
WRONG_DIMENSION: Final = "wrong_dimension"
UNKNOWN_SOURCE: Final = "unknown_source"
TOO_LARGE: Final = "too_large"

REFUSED: Final = (
    MALFORMED,
    SCHEMA_VERSION,
    INVALID,
    TOO_FAR_AHEAD,
    UNKNOWN_VARIANT,
    WRONG_DIMENSION,
    UNKNOWN_SOURCE,
    TOO_LARGE,
)
"""Reasons for a dead letter."""

COUNTED: Final = (
    "accepted",
    "late_impression",  # behind its own partition's watermark: dropped
    "late_feedback",  # behind the watermark or the attribution window: feeds the history alone
    "duplicate",
    "unknown_action",
    "unknown_arm",
    "unknown_surface",
    "unattributed",  # feedback on a request or item that was never shown: feeds the history alone
    "tombstone",
    "skipped",  # not ours, as the settings' mapping tells
    "forgotten",  # accepted, and its user was forgotten before its slate was made
    "shed",  # an accepted impression of a user outside `events.user_sample`: no slate is made of it
)
"""Fates that are counted without a dead letter."""
