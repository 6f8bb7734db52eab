"""Sample-ratio mismatch: do the arms get the shares of users that they should? Safe to watch all day.

Users are assigned one by one, so their arms are multinomial under the declared shares s. The e-value is the likelihood
ratio of a Dirichlet mixture against them (Lindon and Malek, "Anytime-valid inference for multinomial count data",
arXiv 2011.03567, section 2): with counts n_i, n = sum n_i and parameters a_i, a = sum a_i

    e = [prod Gamma(a_i + n_i) / Gamma(a_i)] * Gamma(a) / Gamma(a + n) / prod s_i^n_i.

It depends on the counts alone, and P(exists n: e_n >= 1 / alpha) <= alpha.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import exp, lgamma, log
from typing import Final

from lis_online.experiments import missing

CONCENTRATIONS: Final = (100.0, 10_000.0)
"""Of the mixture's Dirichlet priors around the shares: 100 finds a 60/40 among hundreds of users, 10,000 a 51/49 among
tens of thousands (10,000 alone is the default of Optimizely's ssrm). A mean of e-values is one."""
ALPHA: Final = 0.01
"""Below this p-value the arms' numbers are not to be trusted."""


@dataclass(frozen=True, slots=True)
class SampleRatio:
    """Whether the arms' users fit their shares. p_value: sequential, 1 / e; None with a reason.

    counts: users by arm.
    """

    counts: tuple[int, ...]
    shares: tuple[float, ...]
    p_value: float | None
    mismatch: bool
    reason: str | None = None


def sample_ratio(counts: Sequence[int], shares: Sequence[float], alpha: float = ALPHA) -> SampleRatio:
    """Return the verdict. counts: users first seen in each arm, those seen in others as well later included.

    >>> sample_ratio([5000, 5000], [0.5, 0.5]).mismatch, sample_ratio([5300, 4700], [0.5, 0.5]).mismatch
    (False, True)
    """
    if not sum(counts):
        return SampleRatio(tuple(counts), tuple(shares), None, False, missing.NO_USERS)
    p = exp(min(0.0, -log_e(counts, shares)))
    return SampleRatio(tuple(counts), tuple(shares), p, p < alpha)


def log_e(counts: Sequence[int], shares: Sequence[float], concentrations: Sequence[float] = CONCENTRATIONS) -> float:
    """Return the logarithm of the mean e-value of Dirichlet priors around the shares."""
    if abs(sum(shares) - 1) > 1e-9 or min(shares) <= 0 or len(shares) != len(counts):
        raise ValueError(f"shares must be > 0, one for each arm, and sum to 1, got {list(shares)}")
    logs = [log_dirichlet(counts, shares, [c * share for share in shares]) for c in concentrations]
    highest = max(logs)
    return highest + log(sum(exp(one - highest) for one in logs) / len(logs))


def log_dirichlet(counts: Sequence[int], shares: Sequence[float], parameters: Sequence[float]) -> float:
    """Return the logarithm of one Dirichlet prior's e-value.

    >>> round(log_dirichlet([20, 17, 9], [0.4, 0.4, 0.2], [1, 1, 1]), 4)
    -2.9506
    """
    found = lgamma(sum(parameters)) - lgamma(sum(parameters) + sum(counts))
    for count, share, parameter in zip(counts, shares, parameters, strict=True):
        found += lgamma(parameter + count) - lgamma(parameter) - count * log(share)
    return found
