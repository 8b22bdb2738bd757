"""What another version of the membership list brings, for telling it to the members."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True, slots=True)
class ListChanges:
    """What is new in one version of the membership list.

    Attributes:
        effective: when the list was last confirmed.
        changes: (code of `directory_change`, the contact point or member that it is about).
        since: whoever has this version or a later one needs no files but these.
        files: name in the mirror -> bytes; empty where they were too many.
    """

    network: str
    version: int
    effective: datetime
    changes: Sequence[tuple[str, str | None]]
    since: int
    files: Mapping[str, bytes] = field(repr=False)
