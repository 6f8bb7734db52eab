"""The device that rankers are computed on, as set."""

from __future__ import annotations

import torch

from lis_online.errors import UsageError
from lis_online.team import cores


def choose_device(name: str) -> torch.device:
    """Return the device of the setting `training.device`, and let torch compute each operation on one thread.

    A sum differs in its last bits between one and two; so threads share rankers instead (`lis_online.team`).
    """
    if torch.get_num_threads() != 1:
        torch.set_num_threads(1)
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    if name.startswith("cuda") and not torch.cuda.is_available():
        raise UsageError(f"training.device must be a device of this machine, got {name!r}: torch sees no CUDA")
    try:
        return torch.device(name)
    except RuntimeError as exc:
        raise UsageError(f"training.device must be a device of this machine, got {name!r}") from exc


def describe_device(device: torch.device, threads: int) -> str:
    """Return what a device is, in words: a GPU's name and memory, or how many of a CPU's cores are used."""
    if device.type != "cuda":
        return f"the {device.type.upper()}, with {threads} thread(s) for {cores()} core(s) (training.threads)"
    free, total = torch.cuda.mem_get_info(device)
    return f"{torch.cuda.get_device_name(device)}, {free / 1e9:.0f} of {total / 1e9:.0f} GB free"
