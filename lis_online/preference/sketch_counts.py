"""How a sketch's counts change with tensors, many events at once: the way of a GPU, and of a sketch that is restored.

What is done to which count is found out on the host, where the events are; the device is sent places and weights.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from lis_online.pages import zeros
from lis_online.preference.leak import Leak
from lis_online.transfers import sent


@dataclass(frozen=True, slots=True)
class Counts:
    """The tables of a sketch, int32 on one device.

    seen: [cells * folds, lanes] = what readers of a fold see, past and future; past: [cells, past_lanes] = the past
    alone; total: [past_lanes, cells] = past and future of every fold.
    """

    seen: Tensor
    past: Tensor
    total: Tensor

    @classmethod
    def empty(cls, cells: int, folds: int, lanes: int, past_lanes: int, device: torch.device) -> Counts:
        """Return empty tables, on a CPU in memory as it fills: a restored sketch has nothing to clear."""
        shapes = ((cells * folds, lanes), (cells, past_lanes), (past_lanes, cells))
        if device.type == "cpu":
            return cls(*(torch.from_numpy(zeros(shape, np.int32)) for shape in shapes))
        return cls(*(torch.zeros(shape, dtype=torch.int32, device=device) for shape in shapes))

    def move(self, leak: Leak, coming: np.ndarray, leaving: np.ndarray) -> None:
        """Let events come into the tables, and others leave the future for the past: int64 [4, events] each."""
        leaks, only = leak.leaks(coming[2]), ~leak.leaks(leaving[2])
        arrived, left = leak.is_withheld(coming[2]), leak.is_withheld(leaving[2])
        everywhere = np.concatenate([coming[:, leaks], leaving[:, only]], axis=1)
        own = np.concatenate([coming[:, arrived], leaving[:, left]], axis=1)
        sign = np.repeat([-1, 1], [np.count_nonzero(arrived), np.count_nonzero(left)])
        self._add(everywhere[[1, 3]], own[1:3], sign * own[3], leaving[[1, 3]])

    def age(self, key: np.ndarray, weight: np.ndarray) -> None:
        """Add to what is past and seen by all. key, weight: whole numbers [keys]; a weight below 0 is forgotten."""
        both = np.stack([key, weight]).astype(np.int64)
        self._add(both, np.zeros((2, 0), np.int64), np.zeros(0, np.int64), both)

    def _add(self, everywhere: np.ndarray, own: np.ndarray, weight: np.ndarray, past: np.ndarray) -> None:
        """Add keys and weights [2, keys] for readers of every fold, keys and folds for one's, and to the past."""
        lanes, past_lanes, cells = self.seen.shape[1], self.past.shape[1], len(self.past)
        folds = len(self.seen) // cells
        cell, lane = np.divmod(everywhere[0], lanes)
        own_cell, own_lane = np.divmod(own[0], lanes)
        past_cell, past_lane = np.divmod(past[0], lanes)
        kept, past_kept = lane < past_lanes, past_lane < past_lanes
        parts = (
            (cell * folds * lanes + lane, everywhere[1]),
            ((own_cell * folds + own[1]) * lanes + own_lane, weight),
            ((past_cell * past_lanes + past_lane)[past_kept], past[1, past_kept]),
            ((lane * cells + cell)[kept], everywhere[1, kept]),
        )
        together = sent(np.concatenate([np.stack(part) for part in parts], axis=1), self.seen.device)
        everyone, one, before, whole = together.split_with_sizes([len(places) for places, _ in parts], dim=1)
        readers = everyone[0, :, None] + torch.arange(0, folds * lanes, lanes, device=together.device)
        _add(self.seen, readers, everyone[1, :, None].expand(-1, folds))
        _add(self.seen, *one)
        _add(self.past, *before)
        _add(self.total, *whole)

    def clear(self) -> None:
        """Set every count to 0."""
        for table in (self.seen, self.past, self.total):
            table.zero_()


def _add(table: Tensor, places: Tensor, weight: Tensor) -> None:
    table.view(-1).index_add_(0, places.flatten(), weight.flatten().int())
