"""What is compared between arms: a metric over the users, as it is declared."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from lis_online.settings.model import MINIMUM_EFFECT, ArmMetricSettings

Kind = Literal["ratio", "mean", "proportion"]
Direction = Literal["increase", "decrease"]


@dataclass(frozen=True, slots=True)
class Guardrail:
    """A change that must not happen: by `margin` (relative to control, above 0) in a direction."""

    direction: Direction
    margin: float

    def __post_init__(self) -> None:
        if not self.margin > 0:
            raise ValueError(f"margin must be > 0, got {self.margin}")


@dataclass(frozen=True, slots=True)
class Metric:
    """A number per arm, computed from the totals of its users.

    ratio: sum of numerator / sum of denominator (CTR). mean: numerator per user. proportion: share of the users whose
    numerator is above 0. cap: the most that one user counts for, in the unit of the denominator (ratio) or of the
    numerator (mean); None for no limit. minimum_effect: the smallest relative change that matters.

    >>> Metric("ctr", "ratio", "click", "impression", cap=1000).columns
    ('click@1000/impression', 'impression@1000')
    >>> Metric("likers", "proportion", "like").columns
    ('like>0',)
    """

    name: str
    kind: Kind
    numerator: str
    denominator: str | None = None
    cap: float | None = None
    minimum_effect: float = MINIMUM_EFFECT
    guardrail: Guardrail | None = None

    def __post_init__(self) -> None:
        if (self.kind == "ratio") != (self.denominator is not None):
            raise ValueError(f"denominator must be given for kind ratio alone, got {self.denominator!r}")
        if self.cap is not None and not (self.cap > 0 and self.kind != "proportion"):
            raise ValueError(f"cap must be > 0 and not of a proportion, got {self.cap} of a {self.kind}")
        if not self.minimum_effect > 0:
            raise ValueError(f"minimum_effect must be > 0, got {self.minimum_effect}")

    @classmethod
    def of(cls, settings: ArmMetricSettings) -> Metric:
        """Return the metric of a table `experiment.metric` of the settings."""
        declared = settings.guardrail
        guardrail = None if declared is None else Guardrail(declared.direction, declared.margin)
        numerator = settings.numerator if settings.kind == "ratio" else settings.action
        denominator = settings.denominator if settings.kind == "ratio" else None
        return cls(
            settings.name,
            settings.kind,
            numerator or "",
            denominator,
            settings.cap,
            settings.minimum_effect,
            guardrail,
        )

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of what is summed over users: (numerator, denominator) or (numerator,)."""
        if self.kind == "proportion":
            return (f"{self.numerator}>0",)
        limit = "" if self.cap is None else f"@{self.cap:g}"
        if self.denominator is None:
            return (f"{self.numerator}{limit}",)
        weighed = f"{self.numerator}{limit}/{self.denominator}" if limit else self.numerator
        return (weighed, f"{self.denominator}{limit}")

    @property
    def before(self) -> tuple[str, ...]:
        """Names of the same columns over the pre-period, the covariates of CUPED."""
        return tuple(f"before:{name}" for name in self.columns)
