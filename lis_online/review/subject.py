"""Which experiment of which configuration a review is about."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from lis_online.errors import UsageError
from lis_online.history.configuration import find_configuration, list_configurations
from lis_online.history.stored_settings import settings_of
from lis_online.metrics.layout import Layout
from lis_online.settings import Settings
from lis_online.settings.model import ExperimentSettings

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from lis_online.review.request import ReviewRequest


@dataclass(frozen=True, slots=True)
class Subject:
    """An experiment under a configuration of the history. settings: those to read its numbers by."""

    configuration: int
    settings: Settings
    experiment: ExperimentSettings


def find_subject(connection: Connection, settings: Settings, request: ReviewRequest) -> Subject:
    """Return what a request is about. Raises UsageError naming what there is.

    Settings of the file that only say how moments are read (alpha, guardrails, minimum effects) count from now on; of
    another configuration, all are as they were stored.
    """
    known = list_configurations(connection)
    for argument, wanted in (("--configuration", request.configuration), ("--against", request.against)):
        if wanted is not None and wanted not in known:
            raise UsageError(f"{argument} must be one of {known}, got {wanted}")
    own = find_configuration(connection, settings)
    found = own if request.configuration is None else request.configuration
    if found is None and not known:
        raise UsageError("the history is empty: numbers come with the first bucket")
    if found is None:
        raise UsageError(f"nothing was written under these settings: --configuration must be one of {known}")
    read_by = settings if found == own else settings_of(connection, found)
    _check_slice(read_by, request.slice)
    return Subject(found, read_by, _experiment(read_by, request.experiment))


def _experiment(settings: Settings, name: str) -> ExperimentSettings:
    found = {one.name: one for one in settings.experiment}
    if name not in found:
        raise UsageError(f"EXPERIMENT must be one of {sorted(found)}, got {name!r}")
    return found[name]


def _check_slice(settings: Settings, name: str) -> None:
    known = Layout.of(settings).slices
    if name not in known:
        raise UsageError(f"--slice must be one of {list(known)}, got {name!r}")
