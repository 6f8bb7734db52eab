"""The study of faults: `python -m studies.chaos`.

Writes faults.md and faults.json where every fault was done at full scale. Under 90 minutes on two cores; an interrupted
one goes on where it was.
"""

from __future__ import annotations

import argparse
import json
import shutil
import signal
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from types import FrameType

from studies.chaos import page
from studies.chaos.faults import FAULTS, named
from studies.chaos.suite import Result, Suite, is_good


def main(arguments: Sequence[str] | None = None) -> int:
    """Do the faults that are not done yet; return 0 where everything held, else 1."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", action="append", default=[], metavar="FAULT", help="by name; may be given again")
    parser.add_argument("--scale", type=float, default=1.0, help="of feeds, lengths and times, for trying")
    parser.add_argument("--folder", type=Path, default=Path("build/chaos"), help="what is kept between runs")
    parser.add_argument("--afresh", action="store_true", help="forget what was done before")
    parser.add_argument("--out", type=Path, default=Path("docs"), help="folder of faults.md and faults.json")
    options = parser.parse_args(arguments)
    if options.scale <= 0:
        parser.error(f"--scale must be > 0, got {options.scale:g}")
    try:
        chosen = [named(name) for name in options.only] or list(FAULTS)
    except ValueError as exc:
        parser.error(str(exc))
    if options.afresh:
        shutil.rmtree(options.folder, ignore_errors=True)
    signal.signal(signal.SIGTERM, _interrupted)
    suite, began = Suite(options.folder.absolute(), options.scale), time.monotonic()
    results = []
    for number, fault in enumerate(chosen, 1):
        found = suite.get(fault) or suite.run(fault)
        results.append(found)
        _say(f"{number}/{len(chosen)} {time.monotonic() - began:6.0f} s  {told(found)}")
    if chosen == list(FAULTS) and options.scale == 1 and not any("failed" in one for one in results):
        options.out.mkdir(parents=True, exist_ok=True)
        (options.out / "faults.json").write_text(json.dumps(page.facts(results), indent=2) + "\n")
        (options.out / "faults.md").write_text(page.page(results))
    bad = [result["fault"] for result in results if not is_good(result)]
    _say(f"{len(results) - len(bad)} of {len(results)} faults left the history as it should be" + _of(bad))
    return 1 if bad else 0


def _interrupted(number: int, frame: FrameType | None) -> None:
    """Leave no process behind."""
    del number, frame
    raise KeyboardInterrupt


def told(result: Result) -> str:
    """Return a result in one line, or what broke."""
    if "failed" in result:
        return f"{result['fault']}: could not be done\n{result['failed']}"
    line = (
        f"{result['fault']}, {result['times']} times: {result['rows_different']} of {result['rows']} rows and "
        f"{result['dead_letters_different']} dead letters differ, back after {result['recovered_seconds_max']} s, "
        f"at most {max(result['max_rss_mb'].values())} MiB"
    )
    alerts = f", fired: {', '.join(result['alerts'])}" if result["alerts"] else ""
    return "\n    ".join([line + alerts, *result["notes"], *(f"BROKEN {one}" for one in result["broken"])])


def _of(bad: Sequence[str]) -> str:
    return f"; not these: {', '.join(bad)}" if bad else ""


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
