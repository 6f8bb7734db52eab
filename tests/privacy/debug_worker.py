"""The real worker, which logs all that it can say: `python -m tests.privacy.debug_worker ROLE SETTINGS.json`."""

from __future__ import annotations

import json
import logging
import sys
from functools import partial
from pathlib import Path

from lis_online.settings import Settings
from streams import logs
from streams.live import run_worker


def main() -> int:
    """Run until told to end."""
    logs.configure = partial(logs.configure, logging.DEBUG)
    return run_worker(sys.argv[1], Settings.of(json.loads(Path(sys.argv[2]).read_text())))


if __name__ == "__main__":
    sys.exit(main())
