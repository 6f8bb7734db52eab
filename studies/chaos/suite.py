"""Every fault in turn, each on a stage of its own; what was found is kept, so that an interrupted suite goes on."""

from __future__ import annotations

import json
import shutil
import subprocess
import tempfile
import traceback
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, nullcontext
from pathlib import Path
from typing import Any, Final

from studies.chaos.alerts import Alerts, alerts_of
from studies.chaos.faults import Fault
from studies.chaos.inject import clock_environment
from studies.chaos.outcome import Outcome, compare
from studies.chaos.run import Found, Run, Runs
from studies.chaos.stage import stage

SLATES: Final = 3_600
"""Slates of a feed: an hour of its time, a minute and a half at the runs' speed."""
MOST_RUNS: Final = 12
"""Feeds on which a fault is tried before it counts as not done as often as it should."""

Result = dict[str, Any]
"""What `docs/faults.json` says of a fault."""


class Suite:
    """The faults' results in a folder. scale: of feeds, lengths and how often, for trying; 1 is the real thing."""

    def __init__(self, folder: Path, scale: float = 1.0) -> None:
        self._scale = scale
        self._slates = max(1_500, round(SLATES * scale))
        self._folder = folder / f"scale-{scale:g}"
        self._folder.mkdir(parents=True, exist_ok=True)

    def get(self, fault: Fault) -> Result | None:
        """Return a fault's result, None where it was not done yet."""
        file = self._file(fault)
        found: Result | None = json.loads(file.read_text()) if file.exists() else None
        return found

    def run(self, fault: Fault) -> Result:
        """Do a fault, keep its result and return it. One that could not be done says so, and is not kept."""
        try:
            with ExitStack() as stack:
                folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="lis-chaos-"))
                disk = stack.enter_context(_disk(fault))
                there = stack.enter_context(stage(Path(folder)))
                found = self._run(fault, Runs(there, self._folder, self._slates, self._scale), disk)
        except Exception:
            return {"fault": fault.name, "failed": traceback.format_exc()}
        self._file(fault).write_text(json.dumps(found, indent=2) + "\n")
        return found

    def _run(self, fault: Fault, runs: Runs, disk: Path | None) -> Result:
        wanted = left = max(1, round(fault.times * self._scale))
        total: Result = {
            "fault": fault.name,
            "times": 0,
            "recovered_seconds_max": 0.0,
            "rows_different": 0,
            "rows": 0,
            "dead_letters_different": 0,
            "dead_letters_repeated": 0,
            "max_rss_mb": {},
            "alerts": [],
            "ended_by_themselves": 0,
            "holds": fault.holds,
            "notes": [],
            "broken": [],
        }
        for seed in range(1, 1 + MOST_RUNS):
            calm = runs.calm(seed, fault.base)
            found, alerts = self._faulty(fault, runs, seed, min(left, fault.per_run), disk)
            must_fire = set(fault.alerts) if self._scale >= 1 else set()  # shorter outages are too short for them
            if _add(total, fault, calm, found, alerts, must_fire):
                found.outcome.save(runs.folder / "outcome.json")
                shutil.copytree(runs.folder, self._file(fault).with_suffix(".run"), dirs_exist_ok=True)
            done = min(left, fault.per_run) - found.left
            total["times"] += done
            left -= done
            if fault.refused:
                _count_refused(total, fault, runs, seed, found)
            if not left:
                break
        if left:
            total["broken"].append(f"it was to be done {wanted} times, and {left} are missing")
        return total

    def _faulty(
        self, fault: Fault, runs: Runs, seed: int, times: int, disk: Path | None
    ) -> tuple[Found, Alerts | None]:
        watched: list[Alerts] = []

        def inject(run: Run) -> None:
            ports = [member.port for member in run.keeper.members]
            prometheus = alerts_of(ports, run.place.folder / "prometheus", fault.faster) if fault.faster else None
            with prometheus or nullcontext() as alerts:
                fault.inject(run)
                if alerts is not None:
                    watched.append(alerts)
                    run.wait(lambda: not alerts.firing() & set(fault.alerts))

        tables = dict(fault.tables)
        if disk is not None:
            tables["checkpoints"] = {"directory": str(disk)}
        environment = clock_environment(self._folder) if fault.clock else {}
        found = runs.faulty(seed, inject, fault.change, fault.base, fault.workers, environment, times=times, **tables)
        return found, watched[0] if watched else None

    def _file(self, fault: Fault) -> Path:
        return self._folder / f"{fault.name.lower().replace(' ', '-').replace(chr(39), '')}.json"


def is_good(result: Result) -> bool:
    """Return whether everything held.

    >>> is_good({"fault": "it could not be done", "failed": "TimeoutError"})
    False
    """
    if "failed" in result:
        return False
    return not (result["rows_different"] or result["dead_letters_different"] or result["broken"])


def _add(total: Result, fault: Fault, calm: Outcome, found: Found, alerts: Alerts | None, must_fire: set[str]) -> bool:
    """Add what a run came to; return whether something in it is to be looked into."""
    broken = len(total["broken"])
    difference = compare(calm, found.outcome, fault.normal)
    total["recovered_seconds_max"] = round(max([total["recovered_seconds_max"], *found.recovered]), 1)
    total["rows_different"] += difference.rows
    total["rows"] += difference.compared
    total["dead_letters_different"] += difference.letters
    total["dead_letters_repeated"] += found.outcome.repeated
    for role, peak in found.rss.items():
        total["max_rss_mb"][role] = max(total["max_rss_mb"].get(role, 0), peak)
    total["ended_by_themselves"] += len(found.ended)
    total["notes"] += found.notes
    total["broken"] += [*difference.examples, *found.broken]
    if any(found.codes):
        total["broken"].append(f"workers that are asked to end at the end end with 0, got {found.codes}")
    if alerts is not None:
        total["alerts"] = sorted({*total["alerts"], *alerts.fired})
        missing = must_fire - alerts.fired
        total["broken"] += [f"{name} must fire, and did not" for name in sorted(missing)]
    return len(total["broken"]) > broken


def _count_refused(total: Result, fault: Fault, runs: Runs, seed: int, found: Found) -> None:
    """Hold the dead letters of the fault's reason to the records that the feed had of them."""
    there = len(runs.changed(seed, fault.change)) - len(runs.feed(seed))
    got = sum(fault.refused in letter for letter in found.outcome.letters)
    total["notes"].append(f"{got} records refused as {fault.refused}")
    if got != there:
        total["broken"].append(f"{there} records must be refused as {fault.refused}, got {got}")


@contextmanager
def _disk(fault: Fault) -> Iterator[Path | None]:
    """Mount a small disk for checkpoints where the fault wants one. Raises OSError without the right to."""
    if not fault.disk:
        yield None
        return
    folder = Path(tempfile.mkdtemp(prefix="lis-disk-"))
    command = ["mount", "-t", "tmpfs", "-o", f"size={fault.disk}m", "lis-chaos", str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        folder.rmdir()
        raise PermissionError(f"a small disk must be mounted at {folder}, as root: {done.stderr.strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", str(folder)], check=True)
        folder.rmdir()
