"""What the schema registry answers."""

from __future__ import annotations

from collections.abc import Iterator

from lis_online.doctor.finding import Finding
from lis_online.errors import RegistryError
from lis_online.mapping.registry import Registry
from lis_online.settings.registry import RegistrySettings


def check_registry(settings: RegistrySettings) -> Iterator[Finding]:
    """Yield whether the registry answers, nothing where there is none. Raises SettingsError on files of TLS."""
    if settings.url is None:
        return
    try:
        Registry(settings).check()
    except RegistryError as exc:
        yield Finding("registry", "wrong", str(exc), "set mapping.registry.url, and what it asks clients for")
    else:
        yield Finding("registry", "ok", f"{settings.url} answers")
