"""A logistic regression on the same features, with a weight for each id: what no network is needed for.

It costs a fourth of the default. Where its LIS is the network's, the pairs help by themselves; where it is less, they
help together with who asks and what is asked for.
"""

from __future__ import annotations

from dataclasses import replace

from lis_online.rankers.network import Shape
from lis_online.rankers.wide_and_deep import StackedWideAndDeep


class Logistic(StackedWideAndDeep):
    """The linear path of wide-and-deep. Of the sizes it is made with, embedding and hidden layers count for nothing."""

    def __init__(self, shape: Shape) -> None:
        super().__init__(replace(shape, embedding=0, hidden=()))
