"""A worker process with toy shards: `python -m tests.streams.toy_worker ROLE SETTINGS.json ROWS`.

Rows go to a file of JSON lines: the reader takes each key once, as an upsert would.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

from lis_online.settings import Settings
from streams import logs, worker
from tests.streams.toy import FACTORIES


class FileSink:
    """Appends rows and makes them durable."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def write(self, rows: list[object]) -> None:
        """Append one line per row."""
        with self._path.open("a") as file:
            file.writelines(json.dumps(row) + "\n" for row in rows)
            file.flush()
            os.fsync(file.fileno())


def main() -> int:
    """Run until told to end."""
    role, settings, rows = sys.argv[1], json.loads(Path(sys.argv[2]).read_text()), Path(sys.argv[3])
    logs.configure()
    return worker.run(role, Settings.of(settings), FACTORIES, FileSink(rows))


if __name__ == "__main__":
    sys.exit(main())
