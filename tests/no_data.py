"""A device that computes nothing: what asks it for data is noted, as a GPU would have made the host wait there."""

from __future__ import annotations

import traceback
from pathlib import Path
from typing import Any, Final

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

DEVICE: Final = torch.device("meta")
"""Torch's device of shapes without data. A size that depends on data (of `unique`, of a mask) is an error there."""

ROOT: Final = Path(__file__).parents[1] / "lis_online"
COPIES: Final = (torch.ops.aten._to_copy.default, torch.ops.aten.copy_.default)
PUTS: Final = {torch.ops.aten.index_put_.default: 3, torch.ops.aten.index_put.default: 3}
"""Writes by indices, and where they say that they accumulate: then torch reads the range of the indices back."""


class NoData(TorchDispatchMode):
    """While it lasts, `DEVICE` stands for a GPU; what is read back is zeros, a number that is asked for 1.

    waits: "FILE FUNCTION: OPERATION" of whatever would make the host wait for a GPU, in order. These are: reading back,
    sending from memory that is not pinned or without `non_blocking`, which `torch.tensor` does with numbers, indices
    from the host, an accumulating `index_put_`. sent: how many arrays went to the device without a wait.

    Raises AssertionError where an operation has operands on both devices.
    """

    def __init__(self) -> None:
        super().__init__()
        self.waits: list[str] = []
        self.sent = 0
        self._pinned: dict[int, Tensor] = {}

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Run an operation, or what stands for it."""
        kwargs = kwargs or {}
        if func is torch.ops.aten._pin_memory.default:
            pinned = args[0].clone()
            self._pinned[pinned.data_ptr()] = pinned
            return pinned
        if func in COPIES:
            return self._copied(func, args, kwargs)
        if func is torch.ops.aten._local_scalar_dense.default and args[0].device == DEVICE:
            self._note(func)
            return args[0].dtype == torch.bool or 1
        if func is torch.ops.aten.lift_fresh.default and args[0].device == DEVICE:
            self._note(func)
        self._look(func, args, kwargs)
        return func(*args, **kwargs)

    def _copied(self, func: Any, args: Any, kwargs: Any) -> Any:
        source, target = _ends(func, args, kwargs)
        if source.device == target == DEVICE or DEVICE not in (source.device, target):
            return func(*args, **kwargs)
        if target == DEVICE:
            free = kwargs.get("non_blocking") or (func is COPIES[1] and len(args) > 2 and args[2])
            if free and source.data_ptr() in self._pinned:
                self.sent += 1
            else:
                self._note(func)
            return func(*args, **kwargs)
        self._note(func)
        read = torch.zeros(source.shape, dtype=kwargs.get("dtype") or source.dtype)
        return read if func is COPIES[0] else args[0].copy_(read)

    def _look(self, func: Any, args: Any, kwargs: Any) -> None:
        tensors = [one for one in tree_leaves((args, kwargs)) if isinstance(one, Tensor)]
        if not any(one.device == DEVICE for one in tensors):
            return
        from_host = [one for one in tensors if one.device != DEVICE and one.dim()]
        if func.overloadpacket in (torch.ops.aten.index, torch.ops.aten.index_put_) and from_host:
            self._note(func)
            return
        assert not from_host, f"{func} must have all operands on one device, got {[one.device for one in tensors]}"
        place = PUTS.get(func)
        if place is not None and (kwargs.get("accumulate") or (len(args) > place and args[place])):
            self._note(func)

    def _note(self, func: Any) -> None:
        ours = [frame for frame in traceback.extract_stack() if Path(frame.filename).is_relative_to(ROOT)]
        where = f"{Path(ours[-1].filename).name} {ours[-1].name}" if ours else "test"
        self.waits.append(f"{where}: {func}")

    def taken(self) -> list[str]:
        """Return what was noted, and begin anew."""
        waits, self.waits = self.waits, []
        return waits


def _ends(func: Any, args: Any, kwargs: Any) -> tuple[Tensor, torch.device]:
    """Return what is copied, and the device it is copied to."""
    if func is COPIES[1]:
        return args[1], args[0].device
    return args[0], torch.device(kwargs.get("device") or args[0].device)
