"""The device of a rank shard, as torch tells it."""

from __future__ import annotations

import torch

from lis_online.shards.device_use import DeviceUse


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
