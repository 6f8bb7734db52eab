"""Worker processes and the keeper that starts them again, as Kubernetes or systemd would."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from tests.fixtures.kafka import ROOT, free_port

LOOK = 0.2
"""Seconds between two looks at the processes."""
BACK_OFF = 1.0
"""Seconds before a worker that ended by itself is started again."""
MEBIBYTE = 2**20
MOST_ENDS = 40
"""Times that workers of one run may end by themselves: with so many, none goes on."""


class Member:
    """One worker: its role, its port, and its process of the moment."""

    def __init__(self, role: str, number: int, config: Path, folder: Path, environment: Mapping[str, str]) -> None:
        self.role, self.name, self.port = role, f"{role}-{number}", free_port()
        self.log = folder / f"{self.name}.log"
        self.peak = 0
        self._command = [sys.executable, "-m", "lis_online", "worker", role, "-c", str(config)]
        self._environment = {
            **os.environ,
            "LIS_HTTP__PORT": str(self.port),
            "OMP_NUM_THREADS": "1",
            "TMPDIR": str(folder),  # what a killed worker leaves behind goes with the run's folder
            **environment,
        }
        self.process: subprocess.Popen[bytes]

    def start(self) -> None:
        """Start it."""
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(self._command, cwd=ROOT, stdout=log, stderr=log, env=self._environment)

    def get(self, path: str) -> str | None:
        """Return a page of its HTTP server, None where it does not answer with one."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=5) as page:
                return str(page.read().decode())
        except OSError:
            return None

    def ready(self) -> bool:
        """Return whether it has its shards."""
        return self.get("/readyz") is not None

    def assigned(self) -> int:
        """Return how many partitions it has."""
        series = f'lis_assigned_partitions{{role="{self.role}"}} '
        lines = [line for line in (self.get("/metrics") or "").splitlines() if line.startswith(series)]
        return int(float(lines[0].rpartition(" ")[2])) if lines else 0

    def measure(self) -> None:
        """Note the most memory the process has had, MiB."""
        try:
            status = Path(f"/proc/{self.process.pid}/status").read_text()
        except OSError:
            return
        peaks = [int(line.split()[1]) * 1024 // MEBIBYTE for line in status.splitlines() if line.startswith("VmHWM:")]
        self.peak = max(self.peak, *peaks, 0)

    def cpu_seconds(self) -> float:
        """Return the processor time that its process has used."""
        try:
            fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            return 0.0
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def said(self, characters: int = 3_000) -> str:
        """Return the end of its log."""
        return f"--- {self.name}\n{self.log.read_text(errors='replace')[-characters:]}"


class Keeper:
    """The workers of a run. Who ends without being told to is started again, and that is noted.

    environment: added to the workers' own.
    """

    def __init__(self, config: Path, folder: Path, environment: Mapping[str, str] | None = None) -> None:
        self.members: list[Member] = []
        self.ended: list[str] = []
        self._config, self._folder, self._environment = config, folder, dict(environment or {})
        self._away: set[str] = set()
        self._lock = threading.RLock()
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._keep, name="keeper", daemon=True)

    def add(self, role: str) -> Member:
        """Start one more worker of a role."""
        with self._lock:
            number = len(self.of(role))
            member = Member(role, number, self._config, self._folder, self._environment)
            member.start()
            self.members.append(member)
        return member

    def of(self, role: str) -> list[Member]:
        """Return the workers of a role."""
        return [member for member in self.members if member.role == role]

    def ready(self) -> bool:
        """Return whether all have their shards."""
        return all(member.ready() for member in self.members)

    @property
    def hopeless(self) -> bool:
        """Whether workers end again and again."""
        return len(self.ended) > MOST_ENDS

    def kill(self, member: Member) -> None:
        """Kill it at once and start it again."""
        with self._lock:
            self._end(member, signal.SIGKILL)
            member.start()

    def end(self, member: Member, seconds: float = 60) -> int:
        """Ask it to end and return its exit code; it stays away until `back`. Raises TimeoutExpired."""
        with self._lock:
            self._away.add(member.name)
        return self._end(member, signal.SIGTERM, seconds)

    def back(self, member: Member) -> None:
        """Start it again."""
        with self._lock:
            member.start()
            self._away.discard(member.name)

    def close(self) -> list[int]:
        """Ask all to end, in the order of the data's way; return their exit codes. None is left behind."""
        self._closing.set()
        self._thread.join()
        codes = []
        for member in self.members:
            if member.process.poll() is None:
                member.process.send_signal(signal.SIGCONT)
                member.process.send_signal(signal.SIGTERM)
        for member in self.members:
            try:
                codes.append(member.process.wait(60))
            except subprocess.TimeoutExpired:
                member.process.kill()
                codes.append(member.process.wait())
        return codes

    def peaks(self) -> dict[str, int]:
        """Return the most memory that any process of each role has had, MiB."""
        return {member.role: max(m.peak for m in self.of(member.role)) for member in self.members}

    def said(self) -> str:
        """Return the ends of the logs."""
        return "\n".join(member.said() for member in self.members)

    def _end(self, member: Member, how: signal.Signals, seconds: float = 60) -> int:
        member.measure()
        member.process.send_signal(how)
        return member.process.wait(seconds)

    def _keep(self) -> None:
        while not self._closing.wait(LOOK):
            with self._lock:
                for member in self.members:
                    member.measure()
                    if member.process.poll() is not None and member.name not in self._away:
                        self.ended.append(f"{member.name} ended with {member.process.returncode}")
                        self._closing.wait(BACK_OFF)
                        member.start()

    def __enter__(self) -> Keeper:
        """Begin to keep."""
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Leave nothing behind."""
        if not self._closing.is_set():
            self._closing.set()
            self._thread.join()
        for member in self.members:
            if member.process.poll() is None:
                member.process.kill()
                member.process.wait()


@contextmanager
def paused(member: Member) -> Iterator[None]:
    """Stop a worker without ending it while the context lasts."""
    member.process.send_signal(signal.SIGSTOP)
    try:
        yield
    finally:
        member.process.send_signal(signal.SIGCONT)


def wait_for(condition: Callable[[], bool], seconds: float, what: Callable[[], str]) -> float:
    """Wait until a condition holds; return the seconds it took. Raises TimeoutError with what `what` returns."""
    began = time.monotonic()
    while not condition():
        if time.monotonic() - began > seconds:
            raise TimeoutError(f"not within {seconds:.0f} s: {what()}")
        time.sleep(LOOK)
    return time.monotonic() - began
