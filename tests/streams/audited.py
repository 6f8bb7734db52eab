"""`lis-online` that notes what it writes to and listens at: `python -m tests.streams.audited NOTES COMMAND ...`.

Python tells a hook of every file that is opened, folder that is made and address that is bound.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

from lis_online.cli.main import run

IN_FOLDERS = ("os.mkdir", "os.remove", "os.rmdir")
CHANGES = (*IN_FOLDERS, "os.rename", "os.link", "os.symlink", "os.truncate", "os.utime")


def main() -> None:
    """Run the command."""
    notes = os.open(sys.argv[1], os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    del sys.argv[1]

    def note(event: str, arguments: tuple[Any, ...]) -> None:
        if event == "open":
            path, _, flags = arguments
            if not flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT) or isinstance(path, int):
                return
            said = f"write {Path(os.fsdecode(path)).absolute()}"
        elif event in CHANGES:
            beside = Path(f"/proc/self/fd/{arguments[-1]}")  # -1: no folder is given, the name is from here
            folder = beside.readlink() if event in IN_FOLDERS and beside.exists() else Path.cwd()
            said = f"write {folder / os.fsdecode(arguments[0])}"
        elif event == "socket.bind":
            said = f"bind {arguments[1]!r}"
        else:
            return
        os.write(notes, f"{said}\n".encode())

    sys.addaudithook(note)
    run()


if __name__ == "__main__":
    main()
