"""Options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Config = Annotated[
    Path | None, typer.Option("-c", "--config", help="Settings file (TOML); LIS_... variables override it.")
]
