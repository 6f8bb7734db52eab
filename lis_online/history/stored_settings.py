"""The settings of a configuration, back from what the history keeps of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, get_args, get_origin, get_type_hints

from pydantic import BaseModel
from sqlalchemy import Connection, select

from lis_online.errors import HistoryError, SettingsError
from lis_online.history.tables import configurations
from lis_online.settings import Settings
from lis_online.settings.durations import Duration, format_duration


def settings_of(connection: Connection, configuration: int) -> Settings:
    """Return the settings that a configuration's rows were made under; other sections have their defaults.

    A key that there was not yet has its default too. Raises HistoryError on a configuration that is not there, or
    that this version cannot read.
    """
    query = select(configurations.c.settings).where(configurations.c.id == configuration)
    stored = connection.execute(query).scalar_one_or_none()
    if stored is None:
        raise HistoryError(f"the history has no configuration {configuration}")
    try:
        return read_back(stored)
    except SettingsError as exc:
        raise HistoryError(f"configuration {configuration} cannot be read by this version: {exc}") from exc


def read_back(stored: Mapping[str, Any]) -> Settings:
    """Return the settings of `configuration.described`. Raises SettingsError.

    >>> read_back({"leakage": {"horizon": 3_600_000}}).leakage.horizon
    3600000
    """
    return Settings.of(_as_written(Settings, stored))


def _as_written(hint: Any, value: Any) -> Any:
    """Return a JSON value in the form of a settings file: durations as text, where the type says it is one."""
    if isinstance(value, Mapping) and (model := _model_in(hint)) is not None:
        hints = get_type_hints(model, include_extras=True)
        return {name: _as_written(hints.get(name), one) for name, one in value.items()}
    if isinstance(value, list):
        inner = next((one for one in _alternatives(hint) if get_origin(one) is list), None)
        return [_as_written(get_args(inner)[0] if inner else None, one) for one in value]
    if isinstance(value, int) and not isinstance(value, bool) and Duration in _alternatives(hint):
        return format_duration(value)
    return value


def _alternatives(hint: Any) -> list[Any]:
    """Return a type and, of a union, its members; what annotates one is taken off, but for a duration's."""
    if hint == Duration:
        return [hint]
    if get_origin(hint) is Annotated:
        return _alternatives(get_args(hint)[0])
    if get_origin(hint) is not None and get_origin(hint) is not list:
        return [found for one in get_args(hint) for found in _alternatives(one)]
    return [hint]


def _model_in(hint: Any) -> type[BaseModel] | None:
    found = (one for one in _alternatives(hint) if isinstance(one, type) and issubclass(one, BaseModel))
    return next(found, None)
