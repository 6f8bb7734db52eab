"""CUPED: the variance that users' own pre-period explains is taken out of the comparison.

Deng, Xu, Kohavi and Walker, "Improving the sensitivity of online controlled experiments by utilizing pre-experiment
data" (WSDM 2013): M' = M - theta (P - reference), where P is the same metric over the pre-period. Randomisation makes
E[P] equal in both arms, so the lift's expectation stays. theta = cov(M, P) / var(P) minimises the variance of the
difference when covariances and variances are added over both arms; those of ratios are the delta method's (appendix B).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lis_online.events.windows_log import ArmMoments
from lis_online.experiments import missing
from lis_online.experiments.definitions import Metric
from lis_online.experiments.levels import Level, Means, absent, delta, quadratic

Names = tuple[str, ...] | list[str]


@dataclass(frozen=True, slots=True)
class Adjusted:
    """Levels after CUPED, or why there are none. reduction: share of the difference's variance taken out, 0 to 1."""

    control: Level
    arm: Level
    theta: float | None
    reduction: float | None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Joint:
    """A metric's value and its pre-period's in one arm, with variances and covariance over users."""

    value: float
    before: float
    variance: float
    before_variance: float
    covariance: float
    users: int
    effective: float

    @classmethod
    def of(cls, moments: ArmMoments, names: Names, metric: Metric) -> Joint | str:
        """Return it, or why there is none."""
        if not set(metric.before) <= set(names):
            return missing.NO_PRE_PERIOD
        reason = absent(moments, names, metric)
        if reason is not None:
            return reason
        means = Means.of(moments, names, metric.columns + metric.before)
        k = len(metric.columns)
        if means.mean[-1] == 0:
            return missing.NO_PRE_PERIOD
        value, gradient = delta(means.mean[:k])
        before, pre_gradient = delta(means.mean[k:])
        own, pre = np.r_[gradient, np.zeros(k)], np.r_[np.zeros(k), pre_gradient]
        variance, pre_variance, covariance = (
            float(quadratic(left, means.covariance, right)) for left, right in ((own, own), (pre, pre), (own, pre))
        )
        effective = float(means.effective[:k].min())
        return cls(
            float(value), float(before), max(0.0, variance), max(0.0, pre_variance), covariance, means.users, effective
        )


def adjust(control: ArmMoments, arm: ArmMoments, names: Names, metric: Metric) -> Adjusted:
    """Return both arms' levels with the pre-period taken out, or why not.

    The reference is the pre-period of both arms together. It moves the two levels alike and drops out of their
    difference; in the relative lift its own variance is left out, which is of the order lift^2 theta^2 var(P).
    """
    c, a = Joint.of(control, names, metric), Joint.of(arm, names, metric)
    for one in (c, a):
        if isinstance(one, str):
            return _none(control, arm, one)
    assert isinstance(c, Joint) and isinstance(a, Joint)
    pre_variance = c.before_variance + a.before_variance
    if pre_variance == 0:
        return _none(control, arm, missing.NO_PRE_PERIOD)
    theta = (c.covariance + a.covariance) / pre_variance
    if theta == 0:
        return _none(control, arm, missing.UNRELATED)
    reference = (c.before * c.users + a.before * a.users) / (c.users + a.users)
    levels = [_level(one, theta, reference) for one in (c, a)]
    after = sum(level.variance or 0.0 for level in levels)
    return Adjusted(levels[0], levels[1], theta, 1 - after / (c.variance + a.variance))


def _level(joint: Joint, theta: float, reference: float) -> Level:
    variance = joint.variance - 2 * theta * joint.covariance + theta**2 * joint.before_variance
    value = joint.value - theta * (joint.before - reference)
    return Level(value, max(0.0, variance), joint.users, joint.effective)


def _none(control: ArmMoments, arm: ArmMoments, reason: str) -> Adjusted:
    return Adjusted(Level.none(control.users, reason), Level.none(arm.users, reason), None, None, reason)
