"""What a rank shard computes on."""

from __future__ import annotations

import pytest
import torch

from lis_online.errors import DeviceError
from lis_online.shards.device_use import DeviceUse
from lis_online.shards.rank_device import device_use, is_device_failure, tells_device_failures


def test_a_cpu_has_a_name_and_no_memory_of_its_own() -> None:
    """0 bytes would be a measurement."""
    assert device_use(torch.device("cpu")) == DeviceUse("cpu", None, None, None)


def test_an_accelerator_tells_its_name_and_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each figure from torch's own account of this device: in use, taken, all."""

    class Properties:
        name = "NVIDIA H200"
        total_memory = 150_000

    device = torch.device("cuda", 1)
    for name, value in (("get_device_properties", Properties), ("memory_allocated", 10), ("memory_reserved", 20)):
        asked: dict[torch.device, object] = {device: value}
        monkeypatch.setattr(torch.cuda, name, asked.__getitem__)
    assert device_use(device) == DeviceUse("NVIDIA H200", 10, 20, 150_000)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="torch sees no CUDA")
def test_memory_in_use_grows_by_what_is_allocated() -> None:
    """On a real device: 4 MiB more, within what was taken, within what there is."""
    device = torch.device("cuda", 0)
    before = device_use(device).allocated
    held = torch.zeros(1 << 20, device=device)
    use = device_use(device)
    assert before is not None and use.allocated == before + 4 * held.numel()
    assert use.allocated <= (use.reserved or 0) <= (use.total or 0)


@pytest.mark.parametrize(
    "failure",
    [
        torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB."),
        torch.AcceleratorError("CUDA error: device-side assert triggered"),
        RuntimeError("CUDA error: unspecified launch failure"),
        RuntimeError("cuDNN error: CUDNN_STATUS_EXECUTION_FAILED"),
        RuntimeError("CUDA driver error: unknown error"),
    ],
)
def test_failure_of_the_device_is_told_as_one(failure: RuntimeError) -> None:
    """Out of memory, lost, a kernel that failed: the runner may go on without the device."""

    @tells_device_failures
    def step() -> None:
        raise failure

    assert is_device_failure(failure)
    with pytest.raises(DeviceError, match=r"^the accelerator must work, got \w+Error: (CUDA|cuDNN)"):
        step()


@pytest.mark.parametrize("failure", [RuntimeError("shapes must match"), ValueError("CUDA"), MemoryError()])
def test_failure_of_the_code_or_of_the_host_stays_what_it_is(failure: Exception) -> None:
    """Another device would fail as well."""

    @tells_device_failures
    def step() -> None:
        raise failure

    assert not is_device_failure(failure)
    with pytest.raises(type(failure)) as raised:
        step()
    assert raised.value is failure


def test_long_explanation_of_torch_is_one_short_line() -> None:
    """An out-of-memory error goes on for a page about its allocator."""

    @tells_device_failures
    def step() -> None:
        raise torch.OutOfMemoryError("CUDA out of memory.\n" + "See the documentation of PYTORCH_ALLOC_CONF. " * 20)

    with pytest.raises(DeviceError) as raised:
        step()
    assert len(str(raised.value)) < 280
    assert "\n" not in str(raised.value)
