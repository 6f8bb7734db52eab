"""The demo's worker processes, one per role, as in production."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from lis_online.errors import LisError

ROLES = ("join", "rank", "publish")
STOP_SECONDS = 30.0


class Workers:
    """`lis-online worker ROLE` for each role; logs in the demo's folder."""

    def __init__(self, config: Path, folder: Path, ports: dict[str, int]) -> None:
        self.folder = folder
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        for role in ROLES:
            environment = os.environ | {"LIS_HTTP__PORT": str(ports[role]), "OMP_NUM_THREADS": "1"}
            command = [sys.executable, "-m", "lis_online", "worker", role, "-c", str(config)]
            with (folder / f"{role}.log").open("wb") as log:
                # a session of its own: Ctrl-C at the terminal reaches the demo alone, which then ends them in order
                self._processes[role] = subprocess.Popen(
                    command, stdout=log, stderr=log, env=environment, start_new_session=True
                )

    def check(self) -> None:
        """Raise LisError naming a worker that has ended, with the end of its log."""
        for role, process in self._processes.items():
            if process.poll() is not None:
                tail = (self.folder / f"{role}.log").read_text(errors="replace")[-800:]
                raise LisError(f"the {role} worker ended with exit code {process.returncode}:\n{tail}")

    def stop(self) -> dict[str, int]:
        """End the workers as an operator would, with SIGTERM; return their exit codes."""
        for process in self._processes.values():
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
        deadline = time.monotonic() + STOP_SECONDS
        for process in self._processes.values():
            try:
                process.wait(max(0.1, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        return {role: process.returncode for role, process in self._processes.items()}
