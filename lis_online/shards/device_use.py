"""What a shard computes on, as plain data: the exporter shows it without torch."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class DeviceUse:
    """A device and its memory, bytes. name: "cpu", or the accelerator's. None on a CPU: its memory is the process's.

    allocated: in use by tensors; reserved: taken from the device by this process; total: all that the device has.
    """

    name: str
    allocated: int | None = None
    reserved: int | None = None
    total: int | None = None
