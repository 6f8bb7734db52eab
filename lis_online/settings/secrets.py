"""Secrets from files, as Docker and Kubernetes mount them: `LIS_KAFKA__PASSWORD_FILE` is that of `kafka.password`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final, get_args

from pydantic import BaseModel, SecretStr

from lis_online.errors import SettingsError

SUFFIX: Final = "_file"
LARGEST: Final = 65_536  # bytes; another file than that of a secret was meant


def secret_keys(model: type[BaseModel], within: str = "") -> Iterator[str]:
    """Yield the path of every secret setting, such as "kafka.password"."""
    for name, field in model.model_fields.items():
        kind = field.annotation
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            yield from secret_keys(kind, f"{within}{name}.")
        elif SecretStr in (kind, *get_args(kind)):
            yield within + name


def with_files_read(variables: Mapping[str, Any], names: Iterator[str]) -> dict[str, Any]:
    """Return environment variables (names in small letters) with the files of secrets in the place of their names.

    names: the variables of secrets. Raises SettingsError on a file that cannot be used and on a secret given twice.
    """
    found = dict(variables)
    problems = []
    for name in names:
        file = found.pop(name + SUFFIX, None)
        if file is None:
            continue
        variable = (name + SUFFIX).upper()
        if name in found:
            problems.append((variable, f"must not be set where {name.upper()} is"))
            continue
        try:
            found[name] = _read(Path(file))
        except ValueError as exc:
            problems.append((variable, f"{exc}, got {file}"))
    if problems:
        raise SettingsError(problems, "environment")
    return found


def _read(file: Path) -> str:
    """Return a file's text without the newline that an editor leaves at its end. Raises ValueError with the rule."""
    try:
        with file.open("rb") as opened:
            content = opened.read(LARGEST + 1)
    except OSError as exc:
        raise ValueError(f"must be a file that can be read: {exc.strerror}") from exc
    if len(content) > LARGEST:
        raise ValueError(f"must be a file of at most {LARGEST} bytes")
    try:
        secret = content.decode().rstrip("\r\n")
    except UnicodeDecodeError as exc:
        raise ValueError("must be a file of UTF-8") from exc
    if not secret:
        raise ValueError("must be a file with a secret in it, which is empty")
    return secret
