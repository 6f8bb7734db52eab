"""What a network must keep to so that LIS and AIS mean what they say, rule by rule, each with a check.

Run by `lis-online rankers check` on a ranker of one's own and by the tests on every shipped one. A check
runs the network, or a ranker group of it, on a small planted problem on the CPU and returns what it found broken.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from lis_online.rankers import checks
from lis_online.rankers.network import Network


@dataclass(frozen=True)
class Rule:
    """One rule. sentence: what holds; advice: what to change where it does not; check: what is broken, or None."""

    name: str
    sentence: str
    advice: str
    check: Callable[[Network], str | None]


@dataclass(frozen=True)
class Finding:
    """How a network keeps to a rule. broken: what was found instead, None where the rule holds."""

    rule: Rule
    broken: str | None


def findings(network: Network, only: tuple[str, ...] = ()) -> Iterator[Finding]:
    """Yield a finding for each rule, or for those named; what a check raises is a broken rule.

    A network that cannot be called breaks that rule alone: the others are not tried.
    """
    for rule in RULES:
        if only and rule.name not in only:
            continue
        try:
            broken = rule.check(network)
        except Exception as exc:  # whatever a user's code, or torch on its behalf, raises
            broken = f"{type(exc).__name__}: {' '.join(str(exc).split())[:300]}"
        yield Finding(rule, broken)
        if broken is not None and rule.check is checks.call:
            return


RULES = (
    Rule(
        "call",
        "forward(embedded, dense, side) gives one finite float32 logit for each sample, under torch.func.vmap",
        "return a tensor of shape [samples]; no branch on a tensor's value, no in-place step, no dropout, no buffer "
        "that changes; keep parameters float32",
        checks.call,
    ),
    Rule(
        "gradients",
        "every parameter has a gradient",
        "use each parameter in forward, without detach() or no_grad()",
        checks.gradients,
    ),
    Rule(
        "start",
        "one seed gives the same initial parameters, another seed others",
        "draw every parameter from torch's own random state, which is seeded while the factory runs",
        checks.start,
    ),
    Rule("inputs", "forward changes none of its inputs", "use no in-place operation on an argument", checks.inputs),
    Rule(
        "state",
        "the same inputs give the same logits, whatever was called before",
        "keep nothing between calls and draw nothing at random",
        checks.state,
    ),
    Rule(
        "samples",
        "a sample's logit does not depend on the other samples of its batch",
        "use no batch statistics (BatchNorm) and no attention across samples",
        checks.samples,
    ),
    Rule(
        "scored first",
        "a step is scored before it is learnt, and it is learnt",
        "let forward depend on its arguments and parameters alone",
        checks.scored_first,
    ),
    Rule(
        "isolation",
        "a ranker has the same bits alone, among others and in any order",
        "give no layer a single output: write (x * weight).sum(1), not x @ weight; share nothing between rankers",
        checks.isolation,
    ),
    Rule(
        "side",
        "while the side features are 0 their weights have no gradient, so that a fork of the unleaked ranker is fair",
        "let side features reach the logit through products with weights alone, before any normalisation or bias",
        checks.side,
    ),
    Rule(
        "learns",
        f"after {checks.LEARNING_STEPS} steps on the planted problem its log loss is at most {checks.LEARNT} times "
        "that of the constant click rate, and the side features help",
        "check the initial scale of the weights; the optimiser is Adagrad at 0.06",
        checks.learns,
    ),
    Rule(
        "snapshot",
        "a restored group goes on bit for bit",
        "keep everything that is learnt in parameters",
        checks.snapshot,
    ),
)
"""The contract, in the order in which a broken rule explains those after it."""

QUICK = ("call", "gradients")
"""Rules that are checked whenever a ranker of one's own is loaded: they cost milliseconds."""
