"""The licences of what is installed with lis-online: `python docs/hooks/licences.py > docs/licences.md`."""

from __future__ import annotations

import re
import sys
import tomllib
from collections.abc import Iterable, Iterator
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement

INTRODUCTION = """\
# Licences

Everything that lis-online brings with any of its extras, on Linux and x86-64, and the licence that it states; what only
developers install is not here. lis-online itself is under Apache-2.0. This page is made from the installed packages by
`make reference`; a test holds it to them. Versions and hashes are in `requirements.lock`, and `make sbom` writes all of
it as a bill of materials.

NVIDIA's packages come with torch, and are under NVIDIA's own terms. Those under the LGPL are used unchanged, as
packages of their own.

| package | licence |
| --- | --- |
"""


PROJECT = Path(__file__).parents[2] / "pyproject.toml"

IN_ITS_FILES = {"cuda-toolkit": "LicenseRef-NVIDIA-Proprietary"}
"""What a package says of itself elsewhere than in its metadata."""


def licences() -> dict[str, str]:
    """Return the licence of each distribution that lis-online asks for, with all extras, by name."""
    project = tomllib.loads(PROJECT.read_text(encoding="utf-8"))["project"]
    lines = [*project["dependencies"], *(line for extra in project["optional-dependencies"].values() for line in extra)]
    waiting = list(_asked(lines, ""))
    seen: set[tuple[str, str]] = set()
    while waiting:
        name, extra = waiting.pop()
        if (name, extra) not in seen:
            seen.add((name, extra))
            waiting += _asked(metadata.requires(name), extra)
    return {name: licence(name) for name in sorted({name for name, _ in seen})}


def licence(name: str) -> str:
    """Return what a distribution states: an SPDX expression, else its short text, else its classifiers."""
    about = metadata.metadata(name)
    classes = [one.rpartition(" :: ")[2] for one in about.get_all("Classifier") or () if one.startswith("License ::")]
    short = (about.get("License") or "").strip()
    if len(short) > 60 or "Copyright" in short:  # the licence's own text
        short = ""
    return about.get("License-Expression") or short or ", ".join(classes) or IN_ITS_FILES.get(name, "not stated")


def _asked(requirements: Iterable[str] | None, extra: str) -> Iterator[tuple[str, str]]:
    for one in map(Requirement, requirements or ()):
        if one.marker is None or one.marker.evaluate({"extra": extra}):
            yield from ((re.sub(r"[-_.]+", "-", one.name).lower(), wanted) for wanted in ("", *one.extras))


if __name__ == "__main__":
    sys.stdout.write(INTRODUCTION + "".join(f"| `{name}` | {text} |\n" for name, text in licences().items()))
