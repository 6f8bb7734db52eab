"""Programs of the system that some tests need: Debian's promtool, amtool."""

from __future__ import annotations

import os
import shutil

import pytest


def needs(program: str) -> pytest.MarkDecorator:
    """Return the mark of a test that is skipped without a program; under CI=true it fails, so that CI has it."""
    is_missing = shutil.which(program) is None and os.environ.get("CI") != "true"
    return pytest.mark.skipif(is_missing, reason=f"{program} is not installed")
