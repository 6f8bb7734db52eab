"""What is said to remain of a user."""

from __future__ import annotations

from lis_online.forget.remains import remains
from lis_online.settings import Settings

MINUTE = 60_000
DAY = 24 * 60 * MINUTE


def test_every_place_says_how_long_by_the_settings() -> None:
    """Topics by their retention; what waits by H, the window and the lateness; checkpoints by how many are kept."""
    settings = Settings.of(
        {
            "kafka": {"prefix": "eu", "retention": "5d"},
            "leakage": {"horizon": "1h", "memory": "2h", "placebo_bucket": "10m"},
            "events": {"attribution_window": "10m", "allowed_lateness": "1m"},
            "checkpoints": {"every": "1m", "keep": 4},
            "history": {"url": "postgresql+psycopg://lis@db/lis"},
        }
    )
    found = {one.place: one.longest for one in remains(settings, letters=3 * DAY)}
    assert found["eu.samples"] == found["eu.windows"] == found["history"] == 5 * DAY
    assert found["eu.dead-letters"] == 3 * DAY
    assert found["rank shards"] == 71 * MINUTE
    assert found["checkpoints"] == (1 + 5 + 71) * MINUTE
    assert found["pair sketches, counts of items"] == 191 * MINUTE
    assert found["rankers"] is found["impressions, feedback, preferences"] is None
    assert "history" not in {one.place for one in remains(Settings.of({"history": {"url": None}}), letters=DAY)}


def test_a_place_is_a_line_and_json() -> None:
    """How long stands behind it, where it is known."""
    one = remains(Settings.of({}), letters=DAY)[3]
    assert str(one) == "lis.dead-letters: refused records as they came, the id in clear, for 1d"
    assert one.to_json()["longest"] == DAY
