"""Arrays on their way to a device. From pinned memory a GPU takes them by itself, after the work it still has."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor


def sent(array: np.ndarray, device: torch.device) -> Tensor:
    """Return an array on a device: on a CPU it shares its memory where it can; on a GPU the host does not wait for it.

    >>> sent(np.arange(3), torch.device("cpu"))
    tensor([0, 1, 2])
    """
    tensor = torch.from_numpy(np.ascontiguousarray(array))
    if device.type == "cpu":
        return tensor
    return tensor.pin_memory().to(device, non_blocking=True)
