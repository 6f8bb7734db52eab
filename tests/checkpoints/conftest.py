from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import fsspec
import pytest


@pytest.fixture(params=["folder", "file", "memory"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A place that is not there yet: a folder, the same as a URL, and an object store."""
    if request.param == "memory":
        here = f"memory://{uuid4().hex}/lis"
        yield here
        if fsspec.filesystem("memory").exists(here):
            fsspec.filesystem("memory").rm(here, recursive=True)
    else:
        yield str(tmp_path / "lis") if request.param == "folder" else f"file://{tmp_path}/lis"
