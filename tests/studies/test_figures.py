from pathlib import Path
from xml.etree import ElementTree

import pytest

from studies.figures import dots, figure


def _draw(path: Path) -> bytes:
    with figure(path, 1, 2) as (left, right):
        left.plot([1, 2], [3, 4], "o-", label="line")
        left.legend()
        right.set_xlabel("minutes")
    return path.read_bytes()


def test_the_same_figure_has_the_same_bytes(tmp_path: Path) -> None:
    """A figure that shows the same is the same file: no date and no random id is in it."""
    first = _draw(tmp_path / "first.svg")

    assert first == _draw(tmp_path / "second.svg")
    assert b"<dc:date>" not in first


def test_a_figure_is_svg_on_white(tmp_path: Path) -> None:
    """A page of any colour shows the figure on white."""
    found = ElementTree.fromstring(_draw(tmp_path / "figure.svg"))

    assert found.tag == "{http://www.w3.org/2000/svg}svg"
    patch = found.find(".//*[@id='patch_1']/{http://www.w3.org/2000/svg}path")
    assert patch is not None and "#ffffff" in patch.attrib["style"]


def test_a_figure_that_fails_is_not_written(tmp_path: Path) -> None:
    """Half a figure is none."""
    with pytest.raises(ZeroDivisionError), figure(tmp_path / "figure.svg"):
        raise ZeroDivisionError
    assert not (tmp_path / "figure.svg").exists()


def test_dots_need_not_fill_the_grid(tmp_path: Path) -> None:
    """Any number of panels with any number of lines is drawn."""
    dots(tmp_path / "dots.svg", {"a": [("x", 0.9, (0.8, 1.0))], "b": []}, axis="share", wanted=(0.93, 0.97))

    assert (tmp_path / "dots.svg").stat().st_size > 1_000
