"""Colours that people with any kind of colour vision tell apart (Okabe and Ito, 2008), and what they stand for."""

from __future__ import annotations

from typing import Final

from lis_online.metrics.diagnosis import (
    ALIGNED,
    BEYOND,
    DIAGNOSES,
    INSUFFICIENT,
    INVALID_BASELINE,
    MISALIGNED,
    OVERLOADED_SKETCH,
    WEAK,
)

BLUE: Final = "#0072B2"
SKY: Final = "#56B4E9"
GREEN: Final = "#009E73"
YELLOW: Final = "#F0E442"
ORANGE: Final = "#E69F00"
RED: Final = "#D55E00"
PURPLE: Final = "#CC79A7"
GREY: Final = "#999999"
PALETTE: Final = (BLUE, SKY, GREEN, YELLOW, ORANGE, RED, PURPLE, GREY)

GOOD, DOUBTFUL, BAD = GREEN, ORANGE, RED

OF_DIAGNOSIS: Final = {
    INSUFFICIENT: GREY,
    INVALID_BASELINE: RED,
    OVERLOADED_SKETCH: PURPLE,
    WEAK: YELLOW,
    BEYOND: SKY,
    MISALIGNED: ORANGE,
    ALIGNED: GREEN,
}
assert tuple(OF_DIAGNOSIS) == DIAGNOSES

OF_GUARDRAIL: Final = {"holds": GREEN, "undecided": GREY, "breached": RED}
"""Statuses in the order of their codes in a query: 1, 2, 3."""
