"""A file that is not there is one plain sentence, whatever library would have read it."""

from __future__ import annotations

from pathlib import Path

import pytest

from lis_online.errors import ReplayError
from lis_online.events.recorded_log import read as read_log
from lis_online.replay.mind import read as read_mind
from lis_online.replay.vector_files import READERS, read_table

MISSING = "cannot be read: No such file or directory"


@pytest.mark.parametrize("ending", READERS)
def test_missing_vectors_are_missing_in_every_format(tmp_path: Path, ending: str) -> None:
    """Not "is not an .npz file", and the path stands in the sentence once."""
    path = tmp_path / f"none{ending}"
    with pytest.raises(ReplayError) as refused:
        read_table(path)
    assert str(refused.value) == f"{path}: {MISSING}"


@pytest.mark.parametrize("ending", [".jsonl", ".jsonl.gz", ".parquet"])
def test_a_missing_log_is_missing_in_every_format(tmp_path: Path, ending: str) -> None:
    """The same sentence as of vectors."""
    path = tmp_path / f"none{ending}"
    with pytest.raises(ReplayError) as refused:
        list(read_log(path))
    assert str(refused.value) == f"{path}: {MISSING}"


def test_a_missing_log_of_mind_is_missing(tmp_path: Path) -> None:
    """Named as it was given."""
    path = tmp_path / "behaviors.tsv"
    with pytest.raises(ReplayError) as refused:
        list(read_mind(path))
    assert str(refused.value) == f"{path}: {MISSING}"


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    """What is wrong is said, not what a reader made of it."""
    (tmp_path / "vectors.npz").mkdir()
    with pytest.raises(ReplayError, match="cannot be read: Is a directory"):
        read_table(tmp_path / "vectors.npz")
