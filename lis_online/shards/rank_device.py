"""The device of a rank shard, as torch tells it, and its failures."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import Final, ParamSpec, TypeVar

import torch

from lis_online.errors import DeviceError
from lis_online.shards.device_use import DeviceUse

P = ParamSpec("P")
T = TypeVar("T")

SAID: Final = ("CUDA", "cuDNN", "cuBLAS", "NCCL", "HIP", "NVML")
"""How a failure of the device begins where torch has no class of its own for it."""

LONGEST: Final = 200
"""Characters of what torch says that are told: an out-of-memory error explains its settings at length."""


def device_use(device: torch.device) -> DeviceUse:
    """Return what a device is and how much of its memory is in use. May be called from any thread.

    >>> device_use(torch.device("cpu"))
    DeviceUse(name='cpu', allocated=None, reserved=None, total=None)
    """
    if device.type != "cuda":
        return DeviceUse(device.type)
    properties = torch.cuda.get_device_properties(device)
    return DeviceUse(
        properties.name,
        torch.cuda.memory_allocated(device),
        torch.cuda.memory_reserved(device),
        properties.total_memory,
    )


def is_device_failure(exc: BaseException) -> bool:
    """Say whether an error is the device's (out of memory, lost, a kernel that failed), not the code's or the data's.

    >>> is_device_failure(RuntimeError("CUDA error: an illegal memory access was encountered"))
    True
    >>> is_device_failure(RuntimeError("The size of tensor a (3) must match the size of tensor b (4)"))
    False
    """
    if isinstance(exc, torch.OutOfMemoryError | torch.AcceleratorError):
        return True
    return isinstance(exc, RuntimeError) and str(exc).startswith(SAID)


@contextmanager
def device_failures_told() -> Iterator[None]:
    """Raise DeviceError for a failure of the device, and everything else as it is, while the context lasts."""
    try:
        yield
    except RuntimeError as exc:
        if not is_device_failure(exc):
            raise
        said = " ".join(str(exc).split())[:LONGEST]
        raise DeviceError(f"the accelerator must work, got {type(exc).__name__}: {said}") from exc


def tells_device_failures(function: Callable[P, T]) -> Callable[P, T]:
    """Wrap a function so that it raises DeviceError for a failure of the device, and everything else as it is."""

    @wraps(function)
    def told(*arguments: P.args, **keywords: P.kwargs) -> T:
        with device_failures_told():
            return function(*arguments, **keywords)

    return told
