"""A private file that was written outlives a power cut: what is in it, and its name in its folder, a new one too."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bridge.private_files import replace_private, write_private

FOLDER_OF_THE_FILE = Path("keys/rs.ncp")
ALL = [FOLDER_OF_THE_FILE, FOLDER_OF_THE_FILE.parent, Path()]


@pytest.fixture
def written(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[str | Path]:
    """What is written to the disk, in order: folders by path, and `named` where the file gets its name."""
    events: list[str | Path] = []
    fsync = os.fsync

    def noted_fsync(descriptor: int) -> None:
        path = Path(f"/proc/self/fd/{descriptor}").resolve()
        events.append(path.relative_to(tmp_path) if path.is_dir() else "content")
        fsync(descriptor)

    def naming(name: Callable[..., Any]) -> Callable[..., Any]:
        def noted(*arguments: object) -> object:
            events.append("named")
            return name(*arguments)

        return noted

    monkeypatch.setattr(os, "fsync", noted_fsync)
    monkeypatch.setattr(os, "link", naming(os.link))
    monkeypatch.setattr(Path, "replace", naming(Path.replace))
    return events


@pytest.mark.parametrize("write", [write_private, replace_private])
def test_the_folders_are_on_the_disk_before_the_file_counts_as_written(
    tmp_path: Path, written: list[str | Path], write: Callable[[Path, bytes], None]
) -> None:
    write(tmp_path / FOLDER_OF_THE_FILE / "sig-2026a.pem", b"key")

    assert written.index("content") < written.index("named")
    after = written[written.index("named") :]
    assert FOLDER_OF_THE_FILE in after
    assert set(ALL) <= set(written)

    written.clear()
    write(tmp_path / FOLDER_OF_THE_FILE / "sig-2026b.pem", b"key")

    assert written == ["content", "named", FOLDER_OF_THE_FILE]
