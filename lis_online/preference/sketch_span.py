"""What changes between a sketch's tables and the samples of a step: the events inside its span, looked up apart."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from lis_online.preference.leak import Leak
from lis_online.transfers import sent


@dataclass(frozen=True, slots=True)
class Changes:
    """Weights that come into force at times inside a span, to be looked up by (cell, time); on the sketch's device.

    at: int64 [events], cell * span + time since the span's start, ascending; sums: int32 [events + 1, lanes], of the
    weights before each in each lane; span: ms, more than any time since the start.
    """

    at: Tensor
    sums: Tensor
    span: int

    def until(self, cell: Tensor, since: Tensor) -> Tensor:
        """Return the weight in each lane of each cell of the changes up to a time: int32 [*cell.shape, lanes].

        cell: int64; since: int64 that broadcasts to it, ms since the span's start, 0 to span - 1.
        """
        start = (cell * self.span).flatten()
        end = start + since.expand(cell.shape).flatten()
        high = self.sums.index_select(0, torch.searchsorted(self.at, end, right=True))
        low = self.sums.index_select(0, torch.searchsorted(self.at, start))
        return (high - low).view(*cell.shape, -1)


@dataclass(frozen=True, slots=True)
class Span:
    """The changes between a sketch's time and a last sample's, None where there are none.

    everywhere: of what readers of every fold see; own: of what readers of the events' own fold do not see, by
    (cell * folds + fold); past: of the past. start: the sketch's time, ms.
    """

    everywhere: Changes | None
    own: Changes | None
    past: Changes | None
    start: int


def span(
    leak: Leak, coming: np.ndarray, leaving: np.ndarray, start: int, last: int, lanes: int, device: torch.device
) -> Span:
    """Return the span from `start` to `last`, ms; sent to the device at once.

    coming, leaving: int64 [4, events] of ts, key, fold, weight: those that come into the tables' reach in it, and those
    that leave the future for the past.
    """
    only = leaving[:, ~leak.leaks(leaving[2])]
    arriving = coming[:, leak.leaks(coming[2])]
    arrived, left = coming[:, leak.is_withheld(coming[2])], leaving[:, leak.is_withheld(leaving[2])]
    comes, passes = leak.comes, leak.passes
    everywhere = _joined((*_cells(arriving, lanes), comes(arriving[0])), (*_cells(only, lanes), passes(only[0])))
    own = _joined((*_cells(arrived, lanes), comes(arrived[0])), (*_cells(left, lanes), passes(left[0])))
    own[0] = own[0] * leak.folds + np.concatenate([arrived[2], left[2]])
    own[2, arrived.shape[1] :] *= -1
    past = _joined((*_cells(leaving, lanes), passes(leaving[0])))
    length = last - start + 1
    parts = [_sorted(part, start, length) for part in (everywhere, own, past)]
    together = sent(np.concatenate(parts, axis=1), device)
    columns = together.split_with_sizes([part.shape[1] for part in parts], dim=1)
    of_all, of_own, of_past = (_changes(one, length, lanes) for one in columns)
    return Span(of_all, of_own, of_past, start)


def _cells(events: np.ndarray, lanes: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return cell, lane and weight of events."""
    return (*np.divmod(events[1], lanes), events[3])


def _joined(*parts: Sequence[np.ndarray]) -> np.ndarray:
    """Return int64 [4, changes] of cell, lane, weight and the time from which it counts."""
    return np.concatenate([np.stack(part) for part in parts], axis=1)


def _sorted(changes: np.ndarray, start: int, length: int) -> np.ndarray:
    """Return int64 [3, changes] of cell and time in one number, ascending, lane and weight."""
    at = changes[0] * length + changes[3] - start
    return np.stack([at, changes[1], changes[2]])[:, np.argsort(at, kind="stable")]


def _changes(columns: Tensor, length: int, lanes: int) -> Changes | None:
    if not columns.shape[1]:
        return None
    at, lane, weight = columns
    of_lane = (lane[:, None] == torch.arange(lanes, device=at.device)) * weight[:, None]
    sums = torch.cumsum(of_lane, 0, dtype=torch.int32)
    return Changes(at.contiguous(), torch.cat([sums.new_zeros(1, lanes), sums]), length)
