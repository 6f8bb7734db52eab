"""How commands end: the codes that a script reads."""

from __future__ import annotations

from typing import Final

DONE: Final = 0
FOUND: Final = 1
REFUSED: Final = 2
INTERRUPTED: Final = 130

MEANINGS: Final = {
    DONE: "Done, or nothing was to do.",
    FOUND: "The command ran, and what it looked at is not as it must be; a worker could not go on, and a restart "
    "helps; a question was answered with no; the reader of a pipe went away.",
    REFUSED: "Something that a person can mend: an argument, a setting, a file, a topic, a broker, PostgreSQL. One "
    "line on standard error names it.",
    INTERRUPTED: "Ctrl-C.",
}
"""What each exit code says."""

EPILOG: Final = (
    "Exit codes: 0 done; 1 what was looked at is not as it must be; 2 something that you can mend, in one line on "
    "standard error; 130 Ctrl-C. Commands with --json print JSON alone on standard output."
)
"""The same in short, below the help of `lis-online`."""
