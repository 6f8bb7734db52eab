"""The experiment's arms: who is in which, and what each is worth without the noise of its clicks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from lis_online.errors import UsageError
from lis_online.events.hashing import id_hash, mix
from lis_online.simulate.parameters import CommonParameters

ARM_SALT = 77


class ArmTruth(NamedTuple):
    """The sum of the click probabilities of the items shown, and their number."""

    expected_clicks: float
    items: int


class Arms:
    """Users' arms by the hash of their ids, evenly, and each arm's expected clicks so far.

    Two truths are kept. Own: the slates that the arm's users were shown. Paired: every slate, as each arm
    would have ranked it for this user, with what the user really clicked before. The latter has no error
    from who is in which arm; it leaves out what an arm's own clicks do to later slates.
    """

    def __init__(self, parameters: CommonParameters, ids: Sequence[str], start: int) -> None:
        self.names = [name for name, _ in parameters.all_arms]
        self.variants = [variant for _, variant in parameters.all_arms]
        known = [variant.name for variant in parameters.variants]
        for name, variant in parameters.all_arms:
            if variant and variant not in known:
                raise UsageError(f"arms: the variant of {name} must be one of {known}, got {variant!r}")
        if len(set(self.names)) < len(self.names):
            raise UsageError(f"arms: names must differ, got {self.names}")
        hashes = np.array([id_hash(user) for user in ids], np.int64)
        self.of_user = (mix(hashes, ARM_SALT) % np.uint64(len(self.names))).astype(np.int64)
        self._start = start + parameters.truth_from
        self._own = np.zeros((len(self.names), 2))
        self._paired = np.zeros((len(self.names), 2))

    def update(self, ts: np.ndarray, arm: np.ndarray, chance: np.ndarray, items: np.ndarray) -> None:
        """Count slates. arm: int [slates]; chance: of a click, [arms, slates, slate], 0 where nothing is shown.

        items: shown in each slate, by every arm, int [arms, slates].
        """
        clicks = np.where(ts >= self._start, chance.sum(axis=2), 0.0)
        shown = np.where(ts >= self._start, items, 0)
        both = np.stack([clicks, shown], axis=-1)
        self._paired += both.sum(axis=1)
        np.add.at(self._own, arm, both[arm, np.arange(len(ts))])

    def get(self, *, paired: bool = False) -> dict[str, ArmTruth]:
        """Return each arm's truth, own or paired."""
        table = self._paired if paired else self._own
        return {name: ArmTruth(float(c), int(n)) for name, (c, n) in zip(self.names, table, strict=True)}
