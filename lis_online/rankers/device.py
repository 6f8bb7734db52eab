"""The device and threads that torch uses, as set."""

from __future__ import annotations

import torch

from lis_online.errors import UsageError


def choose_device(name: str, threads: int) -> torch.device:
    """Return the device of the setting `training.device` and pin torch's threads.

    A sum differs in its last bits between one and two threads, so the number is part of the configuration.
    """
    if torch.get_num_threads() != threads:
        torch.set_num_threads(threads)
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    if name.startswith("cuda") and not torch.cuda.is_available():
        raise UsageError(f"training.device must be a device of this machine, got {name!r}: torch sees no CUDA")
    try:
        return torch.device(name)
    except RuntimeError as exc:
        raise UsageError(f"training.device must be a device of this machine, got {name!r}") from exc


def describe_device(device: torch.device) -> str:
    """Return what a device is, in words: a GPU's name and memory."""
    if device.type != "cuda":
        return f"the {device.type.upper()}, with {torch.get_num_threads()} thread(s)"
    free, total = torch.cuda.mem_get_info(device)
    return f"{torch.cuda.get_device_name(device)}, {free / 1e9:.0f} of {total / 1e9:.0f} GB free"
