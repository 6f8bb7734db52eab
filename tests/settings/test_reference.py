"""The reference of the settings is that of the code."""

from __future__ import annotations

from pathlib import Path

from lis_online.settings.meanings import MEANINGS, SECTIONS
from lis_online.settings.reference import kept_keys, keys, reference

PAGE = Path(__file__).parents[2] / "docs" / "settings.md"


def test_the_page_is_current() -> None:
    """Run `python -m lis_online.settings.reference > docs/settings.md` when this fails."""
    assert PAGE.read_text(encoding="utf-8") == reference()


def test_every_setting_has_a_meaning_and_no_meaning_outlives_its_setting() -> None:
    """A new key without a word, or a word for a key that is gone, is noticed here."""
    found = list(keys())
    assert {key.path for key in found} == set(MEANINGS)
    assert {key.section for key in found} == set(SECTIONS)


def test_what_a_checkpoint_depends_on_is_marked() -> None:
    """Every name in the fingerprint is a setting or one of the lists' own names: none is overlooked by the page."""
    paths = {key.path for key in keys()}
    assert kept_keys() - paths == {"preference", "variant", "experiment", "experiment.metric"}
    assert {"leakage.folds", "kafka.partitions", "training.seed", "variant.dimension"} <= kept_keys()
    assert not {"training.device", "metrics.windows", "kafka.bootstrap"} & kept_keys()
