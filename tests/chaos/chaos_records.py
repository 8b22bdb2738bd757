"""What was submitted, in files that the load generators write and the oracle reads.

A line stands in `intents.*` before an alert is handed over, and in `submitted.*` after the use case has returned. An id
that stands in the first only is in doubt: its submission failed or was cut short; it may have been stored or not.
Each process writes files of its own; a line is written at once and synced.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

INTENTS: Final = "intents"
SUBMITTED: Final = "submitted"


@dataclass(frozen=True, slots=True)
class Record:
    """One alert; `digest` is empty while it is an intent only."""

    id: str
    sender: str
    recipients: frozenset[str]
    digest: str = ""


class RecordFiles:
    """The two files of one writer."""

    def __init__(self, folder: Path, writer: str) -> None:
        name = f"{writer}.{os.getpid()}"
        self._intents = _open(folder / f"{INTENTS}.{name}")
        self._submitted = _open(folder / f"{SUBMITTED}.{name}")

    def intend(self, message_id: str, sender: str, recipients: Sequence[str]) -> None:
        """Before anything is stored under this id."""
        _append(self._intents, (message_id, sender, ",".join(recipients), ""))

    def confirm(self, message_id: str, sender: str, recipients: Sequence[str], digest: str) -> None:
        """After the use case has returned."""
        _append(self._submitted, (message_id, sender, ",".join(recipients), digest))


def read_records(folder: Path, kind: str) -> Mapping[str, Record]:
    """All records of a kind by id; a line that was cut short does not count, it confirms nothing."""
    return {record.id: record for file in sorted(folder.glob(f"{kind}.*")) for record in _read(file)}


def count_records(folder: Path, kind: str, writer: str = "") -> int:
    """How many there are."""
    return sum(file.read_bytes().count(b"\n") for file in folder.glob(f"{kind}.{writer}*"))


def _read(file: Path) -> Iterator[Record]:
    for line in file.read_text("ascii").splitlines(keepends=True):
        if line.endswith("\n"):
            message_id, sender, recipients, digest = line[:-1].split("\t")
            yield Record(message_id, sender, frozenset(recipients.split(",")), digest)


def _open(path: Path) -> int:
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)


def _append(file: int, fields: Sequence[str]) -> None:
    os.write(file, ("\t".join(fields) + "\n").encode("ascii"))
    os.fsync(file)
