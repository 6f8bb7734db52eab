"""A whole experiment from its arms' moments: sample ratio first, then every arm and metric against control."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from lis_online.events.windows_log import ArmMoments
from lis_online.experiments.comparison import Comparison, Rules, compare
from lis_online.experiments.cuped import Names
from lis_online.experiments.definitions import Metric
from lis_online.experiments.multiple import Correction, adjusted
from lis_online.experiments.sequence import AtUsers
from lis_online.experiments.srm import SampleRatio, sample_ratio
from lis_online.settings.model import ExperimentSettings


@dataclass(frozen=True, slots=True)
class Plan:
    """An experiment as declared. shares: of the users, by arm, control among them; they sum to 1."""

    name: str
    control: str
    shares: Mapping[str, float]
    metrics: tuple[Metric, ...]
    rules: Rules = field(default_factory=Rules)
    correction: Correction = "holm"

    @classmethod
    def of(cls, settings: ExperimentSettings) -> Plan:
        """Return the plan of a table `experiment` of the settings."""
        shares = {arm.name: arm.share for arm in settings.arm}
        at_users = settings.tightest_at_users
        rules = Rules(settings.alpha, None if at_users is None else AtUsers(at_users), cuped=settings.cuped)
        metrics = tuple(Metric.of(metric) for metric in settings.metric)
        return cls(settings.name, settings.control, shares, metrics, rules, settings.correction)


@dataclass(frozen=True, slots=True)
class Analysis:
    """What is known about an experiment. crossed: users seen in several arms, by arm seen; they are in no arm."""

    experiment: str
    sample_ratio: SampleRatio
    crossed: dict[str, int]
    comparisons: tuple[Comparison, ...]

    def get(self, arm: str, metric: str) -> Comparison:
        """Return one comparison. Raises KeyError."""
        for one in self.comparisons:
            if (one.name, one.metric) == (arm, metric):
                return one
        raise KeyError((arm, metric))

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return asdict(self)


def analyse(
    plan: Plan, arms: Mapping[str, ArmMoments], names: Names, assigned: Mapping[str, int] | None = None
) -> Analysis:
    """Return the analysis. arms: moments merged over shards; an arm without moments has no users.

    assigned: users by the first arm seen, those who crossed later included; the moments' users where not given.
    The family of the correction is every arm and metric of the plan, whether it has a number yet or not.
    """
    known = {name: arms[name] if name in arms else empty(plan.name, name, len(names)) for name in plan.shares}
    counts = [(assigned or {}).get(name, 0) if assigned else known[name].users for name in plan.shares]
    found = [
        compare(known[plan.control], moments, names, metric, plan.rules)
        for name, moments in known.items()
        if name != plan.control
        for metric in plan.metrics
    ]
    family = adjusted([one.p_sequential for one in found], plan.correction)
    return Analysis(
        plan.name,
        sample_ratio(counts, list(plan.shares.values())),
        {name: moments.crossed for name, moments in known.items()},
        tuple(replace(one, p_adjusted=p) for one, p in zip(found, family, strict=True)),
    )


def empty(experiment: str, arm: str, columns: int) -> ArmMoments:
    """Return the moments of an arm without users."""
    return ArmMoments(experiment, arm, 0, 0, ["0"] * columns, ["0"] * columns**2, [0] * columns)
