"""What the demo says while there are no numbers yet."""

from __future__ import annotations

from typing import Any

from lis_online.demo.screen import progress_of

NOTHING: dict[str, Any] = {"value": None, "reason": "no samples"}


def summary(value: float | None) -> dict[str, Any]:
    """Return what of a summary is looked at."""
    number = NOTHING if value is None else {"value": value}
    return {
        "samples": 1_200,
        "sources": {"coclick": {"adjusted_lis": number}},
        "variants": {"good": {"sentence": "Warming up: wait until 10:00."}},
    }


def test_what_is_waited_for_is_said_until_there_is_a_number() -> None:
    """First an answer, then whatever the diagnosis says, then the number itself."""
    assert progress_of(None) == "waiting for the publish worker to answer"
    assert progress_of(summary(None)) == "waiting: Warming up: wait until 10:00."
    assert progress_of(summary(0.01)) == "1,200 samples, adjusted LIS +0.0100"
