import json
from pathlib import Path
from typing import Any

import pytest

from studies import mind


def _estimate(value: float, stderr: float) -> dict[str, Any]:
    return {"value": value, "stderr": stderr, "lower": value - 2 * stderr, "upper": value + 2 * stderr}


def test_what_is_refused_is_said_with_its_reason(tmp_path: Path) -> None:
    """A number that is not there stands in the page with the reason, never as 0."""
    source = {name: _estimate(0.01, 0.001) for name in mind.OF_SOURCE} | {"coverage": 0.1}
    variant = {name: _estimate(0.001, 0.01) for name in mind.OF_VARIANT}
    variant |= {"efficiency": {"value": None, "reason": "LIS interval includes 0"}, "coverage": 0.5}
    variant |= {"diagnosis": "insufficient_data", "sentence": "Wait."}
    summary = {
        "samples": 1_000, "slates": 50, "from": "2019-11-10T00:00:00", "to": "2019-11-14T00:00:00",
        "effective_users": 40.0, "unleaked": {"auc": _estimate(0.6, 0.01)}, "twin": _estimate(0.0, 0.001),
        "sources": {mind.SOURCE: source}, "variants": {mind.VARIANT: variant},
    }  # fmt: skip
    (tmp_path / mind.NAME).mkdir()
    (tmp_path / mind.NAME / "sample.json").write_text(json.dumps({"summary": summary, "items": 10}))

    section = mind.section(tmp_path, tmp_path)

    assert section is not None
    assert "Refused: `title: efficiency` (LIS interval includes 0)." in section.markdown
    assert "| `title: efficiency` | none | LIS interval includes 0 |" in section.markdown
    answered = section.markdown.split("Answered, as other than 0: ")[1].split(". Refused")[0]
    assert answered == ", ".join(f"`coclick: {name}`" for name in mind.OF_SOURCE)
    assert section.facts["mind"]["title: efficiency"] == {"reason": "LIS interval includes 0"}


def test_without_the_data_nothing_is_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The study needs the data's folder; without it there is no result and no section, and no error."""
    monkeypatch.delenv(mind.VARIABLE, raising=False)
    mind.run(tmp_path, 1, 1.0)
    monkeypatch.setenv(mind.VARIABLE, str(tmp_path / "not there"))
    mind.run(tmp_path, 1, 1.0)

    assert mind.section(tmp_path, tmp_path) is None
