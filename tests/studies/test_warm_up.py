import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from studies import warm_up
from studies.warm_up import SPANS, Span


def _world(span: Span, rising: int, buckets: int = 24) -> dict[str, Any]:
    """A made-up world whose numbers rise evenly for so many buckets and then stand."""
    rows = []
    for bucket in range(buckets):
        level = 0.04 * min(bucket / rising, 1.0)
        numbers = {name: [level, 0.001] for name in warm_up.NUMBERS} | {"twin": [0.01 if bucket < 2 else 0.0, 0.001]}
        rows.append({"minute": 5.0 * (bucket + 1), "samples": 100, **numbers})
    return {"span": list(span), "buckets": rows}


def test_a_number_is_settled_when_it_stays_near_its_end() -> None:
    """Settled is the first bucket of several in a row within two standard errors of the last third."""
    found = warm_up.course([_world(SPANS[0], rising=10)], "lis")

    place = found.settled()
    assert place is not None
    assert found.minutes[place] == 55.0  # the tenth bucket after the first is there; the one before lacks 0.004
    assert found.samples[place] == 1_100
    assert found.final[0] == pytest.approx(0.04)


def test_the_mean_course_has_the_error_of_a_mean() -> None:
    """Worlds are independent: the error of their mean is that of one, less the root of their number."""
    found = warm_up.course([_world(SPANS[0], 5) for _ in range(4)], "lis")

    assert found.stderr == pytest.approx(np.full(24, 0.0005))
    assert found.over(0, 10)[1] == pytest.approx(0.0005 / np.sqrt(2))


@pytest.mark.parametrize(("rising", "verdict"), [(1, "waits long enough"), (14, "still move")])
def test_the_verdict_on_the_rule_follows_from_the_worlds(tmp_path: Path, rising: int, verdict: str) -> None:
    """Where numbers still rise after P + H the page says so, and only there."""
    folder = tmp_path / warm_up.NAME
    folder.mkdir()
    (folder / "a.json").write_text(json.dumps(_world(SPANS[0], rising)))

    section = warm_up.section(tmp_path, tmp_path / "figures")

    assert section is not None
    assert verdict in section.markdown
    assert "2 of 3 buckets before P + H and 0 of 21 buckets after" in section.markdown
    assert (tmp_path / "figures" / "warm_up.svg").exists()
    assert warm_up.section(tmp_path / "none", tmp_path) is None
