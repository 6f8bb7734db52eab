"""A review under a share of the users says so where it shows LIS and AIS."""

from __future__ import annotations

import pytest

from lis_online.review.alignment import shed
from lis_online.settings import Settings

NOTE = (
    "LIS and AIS are of the slates of 25.0% of the users, chosen by a hash; the rankers learnt from those alone: "
    "events.user_sample. Pairs, arms and lifts are of all users."
)


@pytest.mark.parametrize(("share", "said"), [(1.0, ()), (0.25, (NOTE,))])
def test_share_of_the_users_is_said_where_there_is_one(share: float, said: tuple[str, ...]) -> None:
    """Who compares two reviews must see that the rankers of one learnt from less."""
    settings = Settings.of({"events": {"user_sample": share}})
    assert tuple(shed(settings)) == said
