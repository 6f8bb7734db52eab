"""Online Leakage Impact Score: what a multimodal LLM representation can bring to a ranker."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lis_online.errors import LisError, SettingsError
    from lis_online.records import Record
    from lis_online.settings import Settings, load
    from lis_online.shards.pipeline import Pipeline

__all__ = ["LisError", "Pipeline", "Record", "Settings", "SettingsError", "load"]
__version__ = "0.1.0"

_PLACES = {
    "LisError": "errors",
    "Pipeline": "shards.pipeline",
    "Record": "records",
    "Settings": "settings",
    "SettingsError": "errors",
    "load": "settings",
}


def __getattr__(name: str) -> Any:
    """Load a public name when it is first asked for: the pipeline brings torch, which `lis-online --help` must not."""
    if name not in _PLACES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_PLACES[name]}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
