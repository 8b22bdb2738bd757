"""The reserve on the disk: receiving stops below it, and begins again only with a quarter more."""

from __future__ import annotations

import os
from pathlib import Path
from types import SimpleNamespace

import pytest

from bridge.adapters.system import disk
from bridge.adapters.system.disk import MIB, DiskReserve
from bridge.core.errors import UnavailableError

GIB = 1024 * MIB


def with_room(monkeypatch: pytest.MonkeyPatch, *, free_mib: float, size_mib: int = 100_000) -> None:
    found = SimpleNamespace(f_bavail=int(free_mib * 1024), f_blocks=size_mib * 1024, f_frsize=1024)
    monkeypatch.setattr(disk.os, "statvfs", lambda _: found)


def is_low(reserve: DiskReserve) -> bool:
    try:
        reserve.check()
    except UnavailableError as error:
        return error.code == "E_DISK"
    return False


@pytest.mark.parametrize(
    ("size_mib", "free_mib", "low"), [(100_000, 255, True), (100_000, 256, False), (64, 6.3, True), (64, 6.5, False)]
)
def test_the_reserve_is_256_mib_or_a_tenth_of_a_small_disk(
    monkeypatch: pytest.MonkeyPatch,
    size_mib: int,
    free_mib: float,
    low: bool,  # noqa: FBT001 - a table's column
) -> None:
    with_room(monkeypatch, free_mib=free_mib, size_mib=size_mib)

    assert is_low(DiskReserve(Path())) is low


def test_a_reserve_of_ones_own_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    with_room(monkeypatch, free_mib=9)

    assert is_low(DiskReserve(Path(), reserve_bytes=10 * MIB))
    assert not is_low(DiskReserve(Path(), reserve_bytes=9 * MIB))


def test_what_was_low_is_enough_again_with_a_quarter_more(monkeypatch: pytest.MonkeyPatch) -> None:
    reserve = DiskReserve(Path(), reserve_bytes=100 * MIB)
    found = []
    for free_mib in (101, 99, 101, 124, 125, 101):
        with_room(monkeypatch, free_mib=free_mib)
        found.append(is_low(reserve))

    assert found == [False, True, True, True, False, False]


def test_a_real_folder_says_what_is_left_and_one_that_is_gone_is_a_failure(tmp_path: Path) -> None:
    reserve = DiskReserve(tmp_path, reserve_bytes=0)

    assert reserve.check().endswith(f"MiB free under {tmp_path}, 0.0 MiB are the reserve")
    os.rmdir(tmp_path)  # noqa: PTH106 - the test's own folder
    assert is_low(reserve)


def test_what_a_full_disk_means_is_said_by_whoever_watches_it(tmp_path: Path) -> None:
    reserve = DiskReserve(tmp_path, reserve_bytes=1 << 62, consequence="receiving goes on")

    with pytest.raises(UnavailableError, match=r"are the reserve; receiving goes on$"):
        reserve.check()
