"""Why a number about arms is missing. Each is a sentence for a reader; {} are filled in."""

from __future__ import annotations

NO_USERS = "no users"
ONE_USER = "1 user: an interval needs 2"
NO_DENOMINATOR = "no {}"
NO_VARIANCE = "every user has the same: no variance to judge by"
NOT_POSITIVE = "control is not above 0: no relative lift"
UNBOUNDED = "control may be 0 as far as is known: the relative lift has no bounds yet"
TOO_FEW = "too few users for a sequence: {} of {} effective ones"
NO_PRE_PERIOD = "no pre-period totals"
UNRELATED = "the pre-period says nothing about the metric"
NO_METRIC = "no metric is declared"
NO_COLUMNS = "the join shards' reports lack the experiment's columns: they are of an earlier release or other settings"
NOT_COUNTED = "the join shards do not count {}: they have other settings"
