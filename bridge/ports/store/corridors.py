"""Flows between countries, counted by quarter and form of exploitation. Small counts never leave the store."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from bridge.ports.store.search import Kept, Source

WHATEVER_FORM: Final = "*"
LEAST_SHOWN: Final = 11
"""CTDC's k: a cell below it is not shown."""

Cell = tuple[str, str, str, str]  # quarter, from, to, form


@dataclass(frozen=True, slots=True)
class Flow:
    """Alerts with a leg from one country to another; `count` is `None` where it is not shown."""

    origin: str
    destination: str
    count: int | None


@dataclass(frozen=True, slots=True)
class Uncounted:
    """A message that is still to be counted.

    Attributes:
        thread: the id of the thread's first message.
        replaces: the version whose counts it takes back, where it is the first to replace that one.
    """

    message: Kept
    thread: str
    replaces: Kept | None


class Corridors(Protocol):
    """The counts, and how far the messages have been gone through."""

    async def counted_up_to(self, contact_point: str, source: Source) -> int:
        """The place of the last message that was gone through; 0 where none was."""
        ...

    async def uncounted(self, contact_point: str, source: Source, *, after: int, limit: int) -> Sequence[Uncounted]:
        """The next messages behind a place, oldest first."""
        ...

    async def count(
        self, contact_point: str, source: Source, *, after: int, up_to: int, changes: Mapping[Cell, int]
    ) -> None:
        """Adds to the counts; messages behind a place and up to another count as gone through.

        Nothing happens where somebody else has gone on from `after` meanwhile.
        """
        ...

    async def quarters(self, contact_point: str) -> Sequence[str]:
        """Those of which there is something, newest first."""
        ...

    async def flows(self, contact_point: str, quarter: str, form: str) -> Sequence[Flow]:
        """The flows of a quarter for one form, or for whatever form; the largest first, then those that are not shown.

        Not shown is what is below `LEAST_SHOWN`, and as much beside it that nothing can be computed from what is shown.
        """
        ...
