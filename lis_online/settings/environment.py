"""Settings from environment variables: `LIS_KAFKA__BOOTSTRAP` is the key bootstrap of the table kafka.

A secret may be in a file instead, which a variable names: `LIS_KAFKA__PASSWORD_FILE`.
"""

from __future__ import annotations

from typing import Any, Final

from pydantic.fields import FieldInfo
from pydantic_settings import EnvSettingsSource

from lis_online.settings.secrets import secret_keys, with_files_read

PREFIX: Final = "LIS_"
BETWEEN: Final = "__"
"""Stands between a table and a key in a variable's name."""


class Environment(EnvSettingsSource):
    """The environment, with its mistakes left in, so that they are named together with the file's."""

    def __call__(self) -> dict[str, Any]:
        """Return the tables that the environment sets."""
        return {**super().__call__(), **self._unknown()}

    def _load_env_vars(self) -> dict[str, Any]:
        names = (f"{PREFIX}{path.replace('.', BETWEEN)}".lower() for path in secret_keys(self.settings_cls))
        return with_files_read(super()._load_env_vars(), names)

    def decode_complex_value(self, field_name: str, field: FieldInfo, value: Any) -> Any:
        """Return a list or a table from its JSON; other text as it is: the setting's own rule says what it must be."""
        try:
            return super().decode_complex_value(field_name, field, value)
        except (ValueError, RecursionError):
            return value

    def _unknown(self) -> dict[str, Any]:
        """Return the variables that look like settings and are none: a typing error must not pass in silence.

        Others may use the prefix for their own ends, such as LIS_DATA: only what begins like a table, or has
        the two underscores, is looked at.
        """
        tables = tuple(self.settings_cls.model_fields)
        found = {}
        for name, value in self.env_vars.items():
            rest = name.lower().removeprefix(PREFIX.lower())
            if rest == name.lower() or rest.partition(BETWEEN)[0] in tables:
                continue
            if BETWEEN in rest or rest.startswith(tuple(f"{table}_" for table in tables)):
                found[name.upper()] = value
        return found
