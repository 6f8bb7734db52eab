"""A join shard whose pages, chunks and steps hold so little that a handful of records fills many of them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from lis_online.join import histories, pending_impressions, remembered, resting_users, user_buckets, waiting


@contextmanager
def small_steps() -> Iterator[None]:
    """Make all of them small for as long as this lasts."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(histories, "MOST_USERS", 4)
        patch.setattr(resting_users, "MOST_USERS", 4)
        patch.setattr(resting_users, "_BITS", 2)
        patch.setattr(pending_impressions, "_ROWS", 3)
        patch.setattr(remembered, "_ENTRIES", 2)
        patch.setattr(user_buckets, "_TOGETHER", 2)
        patch.setattr(waiting, "_SOME", 1)
        yield
