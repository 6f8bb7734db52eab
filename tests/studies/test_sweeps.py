import json
from pathlib import Path
from typing import Any

import pytest

from lis_online.settings import Settings
from studies import order, sweeps
from studies.small import KINDS, tables_of, with_sources


def _run(key: str | None, value: Any, levels: tuple[float | None, ...], kind: str = "feed") -> dict[str, Any]:
    sources = {name: {"adjusted_lis": [level, 0.002]} for name, level in zip(sweeps.SOURCES, levels, strict=True)}
    return {"kind": kind, "key": key, "value": value, "sources": sources}


def _store(folder: Path, runs: list[dict[str, Any]]) -> None:
    folder.mkdir(parents=True)
    seen: dict[str, int] = {}
    for one in runs:
        case = one["kind"] if folder.name == order.NAME else f"{one['key']}={one['value']}"
        world = seen[case] = seen.get(case, -1) + 1
        (folder / f"{case}-{world}.json").write_text(json.dumps(one))


RIGHT, WRONG = (0.05, 0.02, 0.0), (0.05, -0.01, 0.0)


def test_the_page_says_where_the_order_is_wrong(tmp_path: Path) -> None:
    """A setting under which a world has the wrong order is named with the count; the base is not."""
    runs = [_run(None, None, RIGHT)] * 3 + [_run("training.batch", 1_024, WRONG)] * 2
    runs += [_run("training.batch", 1_024, RIGHT)] + [_run("leakage.folds", 4, (0.07, 0.02, 0.0))] * 3
    runs += [_run(None, None, (9.0, 8.0, 7.0))]  # a fourth world that has not got far: it is left out
    _store(tmp_path / sweeps.NAME, runs)

    section = sweeps.section(tmp_path, tmp_path / "figures")

    assert section is not None
    assert "`training.batch` = 1024 (2 of 3)" in section.markdown
    assert "leakage.folds` = 4, by +40%" in section.markdown
    assert section.facts["sweeps"]["training.batch=1024"]["order_right"] == 1
    assert (tmp_path / "figures" / "sweeps.svg").exists()
    assert sweeps.section(tmp_path / "none", tmp_path) is None


def test_every_case_is_settings_that_hold() -> None:
    """No case of the sweep is refused by the settings when its turn comes."""
    parameters = with_sources(KINDS["feed"], **sweeps.SOURCES)
    for _, key, value in sweeps.cases():
        if key is not None:
            section, field = key.split(".")
            tables = tables_of(parameters, 60, **{section: {field: value}})
            assert Settings.of(tables).model_dump()[section][field] is not None
    names = [name for name, _, _ in sweeps.cases()]
    assert len(set(names)) == len(names)


def test_a_setting_is_changed_and_the_others_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    """A run under one changed setting is a real run under it."""
    base = {**sweeps.BASE, "leakage.horizon": "1m", "leakage.memory": "1m", "leakage.sketch_bits": 12}
    monkeypatch.setattr(sweeps, "BASE", base)

    found = sweeps.one_run("training.batch", 64, 1, 120)

    assert (found["key"], found["value"]) == ("training.batch", 64)
    assert all(found["sources"][name]["adjusted_lis"][0] is not None for name in sweeps.SOURCES)


@pytest.mark.parametrize(
    ("levels", "right"), [(RIGHT, True), (WRONG, False), ((0.05, 0.05, 0.0), False), ((0.05, None, 0.0), False)]
)
def test_a_tie_or_no_number_is_no_right_order(levels: tuple[float | None, ...], right: bool) -> None:
    """The order is right only where each source stands above the next."""
    assert sweeps.ordered_right(_run(None, None, levels)["sources"]) is right


def test_worlds_with_the_right_order_are_counted(tmp_path: Path) -> None:
    """The published count is that of the worlds in which all three sources stand right."""
    runs = [_run(None, None, levels, kind) for kind in ("feed", "shop") for levels in (RIGHT, RIGHT, WRONG)]
    _store(tmp_path / order.NAME, runs)

    section = order.section(tmp_path, tmp_path / "figures")

    assert section is not None
    assert section.facts["sources_ordered_right"] == 4
    assert "**4 of 6**" in section.markdown
    assert (tmp_path / "figures" / "order.svg").exists()
    assert order.section(tmp_path / "none", tmp_path) is None
