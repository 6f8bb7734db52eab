"""The Kubernetes manifests as data."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from tests.documents import ROOT

FOLDER = ROOT / "deploy" / "kubernetes"
BASE = FOLDER / "base"


class Pod(NamedTuple):
    """A pod template. name: that of what makes it; labels: those that selectors see."""

    name: str
    kind: str
    labels: dict[str, str]
    spec: dict[str, Any]

    @property
    def containers(self) -> list[dict[str, Any]]:
        """All of its containers, those that run first too."""
        return [*self.spec.get("initContainers", []), *self.spec["containers"]]


def documents(folder: Path = BASE) -> list[dict[str, Any]]:
    """Return every document of the files that a folder's kustomization names."""
    names = kustomization(folder).get("resources", [])
    return [
        one for name in names for one in yaml.load_all((folder / name).read_text(encoding="utf-8"), yaml.CSafeLoader)
    ]


def kustomization(folder: Path) -> dict[str, Any]:
    """Return the file that says what belongs together."""
    found: dict[str, Any] = yaml.safe_load((folder / "kustomization.yaml").read_text(encoding="utf-8"))
    return found


def pods() -> Iterator[Pod]:
    """Yield every pod template."""
    for one in documents():
        spec = one.get("spec", {}).get("jobTemplate", one).get("spec", {})
        if "template" in spec:
            template = spec["template"]
            yield Pod(one["metadata"]["name"], one["kind"], template["metadata"]["labels"], template["spec"])
