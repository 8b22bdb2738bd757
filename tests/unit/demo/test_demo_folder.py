"""Where a run puts its files: in a folder that goes with it, or in one that the caller keeps."""

from __future__ import annotations

from pathlib import Path

import pytest

from bridge.core.errors import BadInputError
from demo.__main__ import _folder


def test_a_run_that_ends_takes_its_folder_along() -> None:
    with _folder(None) as folder:
        (folder / "node.db").touch()
    assert not folder.exists()


def test_a_kept_folder_stays_with_what_is_in_it(tmp_path: Path) -> None:
    with _folder(tmp_path / "kept") as folder:
        (folder / "node.db").touch()
    assert [file.name for file in folder.iterdir()] == ["node.db"]


def test_a_folder_that_holds_something_is_refused(tmp_path: Path) -> None:
    (tmp_path / "node.db").touch()
    with pytest.raises(BadInputError, match="--keep"), _folder(tmp_path):
        pass
