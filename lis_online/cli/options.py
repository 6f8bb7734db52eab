"""Options that several commands share."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

Config = Annotated[
    Path | None, typer.Option("-c", "--config", help="Settings file (TOML); LIS_... variables override it.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def print_json(found: Any) -> None:
    """Print a document on standard output, which then holds nothing else."""
    typer.echo(json.dumps(found, indent=2, allow_nan=False))
