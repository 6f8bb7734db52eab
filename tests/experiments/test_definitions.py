"""Metrics as declared."""

from __future__ import annotations

import pytest

from lis_online.experiments.definitions import Guardrail, Metric
from lis_online.settings.model import ArmMetricSettings


@pytest.mark.parametrize(
    ("table", "columns"),
    [
        ({"kind": "ratio", "numerator": "click", "denominator": "impression"}, ("click", "impression")),
        ({"kind": "mean", "action": "dwell"}, ("dwell",)),
        ({"kind": "proportion", "action": "like"}, ("like>0",)),
    ],
)
def test_a_table_of_the_settings_is_a_metric(table: dict[str, str], columns: tuple[str, ...]) -> None:
    """Each kind names what it sums over users, and the same of the pre-period."""
    metric = Metric.of(ArmMetricSettings.model_validate({"name": "m", **table}))
    assert metric.columns == columns
    assert metric.before == tuple(f"before:{column}" for column in columns)


def test_a_guardrail_of_the_settings_is_kept() -> None:
    """Direction and margin are those declared."""
    table = {"name": "m", "kind": "mean", "action": "dwell", "guardrail": {"direction": "decrease", "margin": 0.02}}
    assert Metric.of(ArmMetricSettings.model_validate(table)).guardrail == Guardrail("decrease", 0.02)


def test_what_makes_no_sense_is_refused() -> None:
    """Argument, rule, value."""
    with pytest.raises(ValueError, match="denominator must be given for kind ratio alone, got None"):
        Metric("m", "ratio", "click")
    with pytest.raises(ValueError, match="denominator must be given for kind ratio alone, got 'impression'"):
        Metric("m", "mean", "click", "impression")
    with pytest.raises(ValueError, match=r"cap must be > 0 and not of a proportion, got 0 of a mean"):
        Metric("m", "mean", "click", cap=0)
    with pytest.raises(ValueError, match=r"cap must be > 0 and not of a proportion, got 3 of a proportion"):
        Metric("m", "proportion", "click", cap=3)
    with pytest.raises(ValueError, match=r"minimum_effect must be > 0, got 0"):
        Metric("m", "mean", "click", minimum_effect=0)
    with pytest.raises(ValueError, match=r"margin must be > 0, got -1"):
        Guardrail("decrease", -1)
