"""How each fault is done to a run under way."""

from __future__ import annotations

import os
import signal
import struct
import time
from itertools import cycle
from pathlib import Path
from typing import Final

from studies.chaos.progress import drained
from studies.chaos.run import ROLES, Inject, Run
from studies.chaos.stage import SESSION_SECONDS
from studies.chaos.workers import Member, paused

UNREACHABLE: Final = 60.0
"""Seconds that the broker does not answer."""
DATABASE_DOWN: Final = 300.0
"""Seconds without PostgreSQL."""
DISK_FULL: Final = 110.0
"""Seconds without room for a checkpoint."""
AWAY: Final = 75.0
"""Seconds that a role has no worker."""
DAY: Final = 86_400.0

CLOCK: Final = "LIS_CHAOS_CLOCK"
"""Environment variable: the file that holds how wrong a worker's clock is, seconds, a double."""
CLOCK_MODULE: Final = f'''"""Makes this process's wall clock wrong by what a file says."""
import mmap, os, struct, time

_file = open(os.environ["{CLOCK}"], "rb")
_offset = mmap.mmap(_file.fileno(), 8, access=mmap.ACCESS_READ)
_time, _time_ns = time.time, time.time_ns
time.time = lambda: _time() + struct.unpack("<d", _offset[:8])[0]
time.time_ns = lambda: _time_ns() + int(struct.unpack("<d", _offset[:8])[0] * 1e9)
'''


def left_alone(run: Run) -> None:
    """Wait until the feed has ended, and then until all is published."""
    run.steady()
    run.wait(run.fed)
    run.left = 0
    run.recover()


def hurried(run: Run) -> None:
    """Send the rest of the feed faster: what is wrong with it is wrong at any speed."""
    run.steady()
    run.sender.hurry()
    left_alone(run)


def passed_over(run: Run) -> None:
    """Wait until the feed has ended; numbers must have gone on well after the time when a partition fell silent."""
    run.steady()
    run.wait(lambda: run.fed() or run.progress.published >= run.sender.half)
    run.require(run.progress.published >= run.sender.half, "numbers must go on while a partition is idle")
    left_alone(run)


def killed(role: str) -> Inject:
    """Kill workers of a role at random moments; every third time the next kill comes while it recovers."""

    def inject(run: Run) -> None:
        run.steady()
        while run.left and not run.fed():
            run.keeper.kill(run.pick(role))
            run.left -= 1
            if run.left and run.chance.random() < 1 / 3:
                time.sleep(run.chance.uniform(0, 4))
            else:
                run.recover()
                time.sleep(run.chance.uniform(0, 2))

    return inject


def all_killed(run: Run) -> None:
    """Kill every worker and the broker at once."""
    run.steady()
    while run.left and not run.fed():
        for member in run.keeper.members:
            member.process.send_signal(signal.SIGKILL)
        run.stage.broker.stop(signal.SIGKILL)
        run.stage.broker.start()
        run.left -= 1
        run.recover()


def ended(run: Run) -> None:
    """Ask a worker of each role in turn to end, and start it again."""
    run.steady()
    for role in cycle(ROLES):
        if not run.left or run.fed():
            return
        _restart(run, run.pick(role))
        run.left -= 1
        run.recover()


def rolled(run: Run) -> None:
    """Restart the join workers one after the other, the next when the one before has its shards."""
    run.steady()
    while run.left and not run.fed():
        for member in run.keeper.of("join"):
            _restart(run, member)
            run.wait(member.ready)
        run.left -= 1
        run.recover()


def zombie(run: Run) -> None:
    """Stop a worker until another has its partitions, and let it go on then."""
    run.steady()
    for role in cycle(ROLES):
        if not run.left or run.fed():
            return
        members = run.keeper.of(role)
        total = run.place.settings.kafka.partitions if role == "join" else 1
        run.wait(lambda members=members, total=total: sum(m.assigned() for m in members) == total)  # type: ignore[misc]
        sleeper = run.chance.choice([member for member in members if member.assigned()])
        others = [member for member in members if member is not sleeper]
        with paused(sleeper):
            run.wait(lambda others=others, total=total: sum(m.assigned() for m in others) == total)  # type: ignore[misc]
            time.sleep(SESSION_SECONDS / 2)
        run.left -= 1
        run.recover()


def away(run: Run) -> None:
    """Leave the rank role without a worker."""
    run.steady()
    member = run.pick("rank")
    run.require(run.keeper.end(member) == 0, "a worker that is asked to end ends with 0")
    run.sleep(AWAY)
    run.keeper.back(member)
    run.left = 0
    run.recover()


def broker_restarted(run: Run) -> None:
    """Stop the broker as an operator would, and start it again."""
    run.steady()
    while run.left and not run.fed():
        run.stage.broker.stop()
        run.stage.broker.start()
        run.left -= 1
        run.recover()


def broker_unreachable(run: Run) -> None:
    """Let the broker's process stand still: connections stay open and nothing answers."""
    run.steady()
    used = {member.name: member.cpu_seconds() for member in run.keeper.members}
    began = time.monotonic()
    run.stage.broker.pause()
    try:
        run.sleep(UNREACHABLE)
        passed = time.monotonic() - began
        shares = {m.name: (m.cpu_seconds() - used[m.name]) / passed for m in run.keeper.members}
    finally:
        run.stage.broker.resume()
    run.notes.append("processor of a worker meanwhile: at most " + f"{max(shares.values()):.0%} of a core")
    run.left = 0
    run.recover()


def ended_without_broker(run: Run) -> None:
    """Ask each worker to end while the broker stands still, and start them before it goes on."""
    run.steady()
    run.stage.broker.pause()
    try:
        codes = [run.keeper.end(member) for member in run.keeper.members]
        for member in run.keeper.members:
            run.keeper.back(member)
        run.sleep(SESSION_SECONDS)
    finally:
        run.stage.broker.resume()
    run.require(codes == [0] * len(codes), f"workers that are asked to end without a broker end with 0, got {codes}")
    run.left = 0
    run.recover()


def database_down(run: Run) -> None:
    """Stop PostgreSQL in the middle of what it does, and start it again."""
    run.steady()
    run.stage.postgres.down()
    try:
        run.sleep(DATABASE_DOWN)
    finally:
        run.stage.postgres.up()
    run.left = 0
    run.recover()


def disk_full(run: Run) -> None:
    """Fill the disk that checkpoints are on, and make room again."""
    run.steady()
    before = run.progress.published
    filler = Path(run.place.settings.checkpoints.directory) / "filler"
    with filler.open("wb", buffering=0) as file:
        until = time.monotonic() + DISK_FULL * run.scale
        while time.monotonic() < until:
            _fill(file.fileno())  # what pruning frees is taken too
            time.sleep(0.05)
    filler.unlink()
    run.require(run.progress.has_passed(before), "numbers must go on while no checkpoint can be written")
    ended = time.monotonic()
    run.left = 0
    run.wait(lambda: run.fed() and drained(run.place.settings))
    run.recovered.append(time.monotonic() - ended)


def clocks_jumping(run: Run) -> None:
    """Set the workers' clocks a day ahead, then a day back."""
    run.steady()
    for offset in (DAY, -DAY, 0.0):
        set_clock(run.place.folder.parent, offset)
        time.sleep(3)
        run.recover()
    run.left = 0


def clock_environment(folder: Path) -> dict[str, str]:
    """Return the environment of workers whose clock `set_clock` sets."""
    module = folder / "clock"
    module.mkdir(exist_ok=True)
    (module / "sitecustomize.py").write_text(CLOCK_MODULE)
    set_clock(folder, 0.0)
    return {"PYTHONPATH": str(module), CLOCK: str(folder / "clock-offset")}


def set_clock(folder: Path, seconds: float) -> None:
    """Make the clocks of workers wrong by that much, from now on."""
    file = folder / "clock-offset"
    if not file.exists():
        file.write_bytes(struct.pack("<d", seconds))
    with file.open("r+b") as there:  # in place: the workers have it mapped
        there.write(struct.pack("<d", seconds))


def _restart(run: Run, member: Member) -> None:
    code = run.keeper.end(member)
    run.require(code == 0, f"a worker that is asked to end ends with 0, {member.name} with {code}")
    run.keeper.back(member)


def _fill(descriptor: int) -> None:
    """Write until the disk has no byte left."""
    for size in (2**20, 2**12):
        try:
            while True:
                os.write(descriptor, b"\0" * size)
        except OSError:
            continue
