"""The example settings file loads, names every setting, and says the defaults where it says so."""

from __future__ import annotations

import os
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

from lis_online.settings import Settings, load
from lis_online.settings.meanings import MEANINGS

EXAMPLE = Path(__file__).parents[2] / "lis-online.example.toml"
SECTIONS = ("kafka", "history", "checkpoints", "http", "events", "leakage", "training", "metrics", "drift")
TEXT = EXAMPLE.read_text(encoding="utf-8")


def uncommented(*indents: int) -> str:
    """Return the example with its commented keys set: those after "#" and so many spaces."""
    text = TEXT
    for indent in indents:
        text = re.sub(rf"^#{' ' * indent}(?=\w+ = |\[mapping\.)", "", text, flags=re.MULTILINE)
    return text


@pytest.fixture(autouse=True)
def no_overrides(monkeypatch: pytest.MonkeyPatch) -> None:
    """A developer's own LIS_... variables must not decide."""
    for name in [name for name in os.environ if name.startswith("LIS_")]:
        monkeypatch.delenv(name)


def test_example_loads_as_it_is() -> None:
    """Whoever copies the file starts from one that works."""
    settings = load(EXAMPLE)
    assert [source.name for source in settings.preference] == ["coclick", "search"]
    assert settings.variant[0].preference == "coclick"
    assert settings.experiment[0].metric[1].guardrail is not None


@pytest.mark.parametrize("text", [TEXT, uncommented(1)], ids=["as it is", "with its commented keys"])
def test_values_that_are_called_defaults_are_the_defaults(text: str) -> None:
    """A default that has moved on in the code must move on in the file."""
    shown, default = Settings.of(tomllib.loads(text)), Settings.of({})
    for section in SECTIONS:
        assert getattr(shown, section) == getattr(default, section), section


def test_other_commented_keys_are_allowed() -> None:
    """What the file offers beyond the defaults must load as well."""
    assert Settings.of(tomllib.loads(uncommented(3))).kafka.sasl_mechanism == "SCRAM-SHA-512"


def test_every_setting_is_in_the_example() -> None:
    """A key that the file does not mention is one that nobody finds."""
    both = set(_paths(tomllib.loads(uncommented(1)))) | set(_paths(tomllib.loads(uncommented(3))))
    assert set(MEANINGS) == both


def _paths(table: dict[str, Any], prefix: str = "") -> list[str]:
    """Return the paths of all plain values, lists of tables taken as one table; a mapped field is a value."""
    found: list[str] = []
    for key, value in table.items():
        rows = value if isinstance(value, list) and value and isinstance(value[0], dict) else [value]
        for row in rows:
            is_table = isinstance(row, dict) and not re.fullmatch(r"mapping\.\w+\.", prefix)
            found += _paths(row, f"{prefix}{key}.") if is_table else [prefix + key]
    return found
