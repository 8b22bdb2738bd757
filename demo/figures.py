"""Counts what happened from the countries' databases, never from what was intended.

Everything is read through the views that any operator can query: `v_recipients` (who was to receive), `v_inbox` (what
arrived), `v_receipts` (what was confirmed and verified at the origin), and the table `quarantine`.
"""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Final

ALERTS: Final = ("route_alert", "alert_update", "alert_cancel")
_OF_ALERTS: Final = f"kind IN ({', '.join(repr(kind) for kind in ALERTS)})"  # constants of ours, nobody's input

Pair = tuple[str, str]  # message id, contact point


@dataclass(frozen=True, slots=True)
class CountryFigures:
    """One country's line of the table."""

    country: str
    published: int
    received: int
    acknowledged: int
    refused: int


@dataclass(frozen=True, slots=True)
class Figures:
    """The whole network's figures; `lost` recipients got nothing, `duplicates` are inbox rows too many."""

    published: int
    recipients: int
    delivered: int
    receipts: int
    acknowledged: int
    refused: Mapping[str, int]
    duplicates: int
    by_country: tuple[CountryFigures, ...]

    @property
    def lost(self) -> int:
        """Recipients that a published alert has not reached."""
        return self.recipients - self.delivered


def count(databases: Mapping[str, Path]) -> Figures:
    """The figures of the databases, by country."""
    addressed: set[Pair] = set()
    arrived: Counter[Pair] = Counter()
    confirmed: set[Pair] = set()
    answered: set[Pair] = set()
    refused: Counter[str] = Counter()
    lines = []
    for country, database in sorted(databases.items()):
        ours = set(_pairs(database, "message_id, recipient FROM v_recipients"))
        inbox = Counter(_pairs(database, "message_id, contact_point FROM v_inbox", "state <> 'expired'"))
        codes = Counter(str(code) for (code,) in rows(database, "SELECT code FROM quarantine"))
        acknowledged = set(_pairs(database, "message_id, recipient FROM v_recipients", "acknowledged_at IS NOT NULL"))
        addressed |= ours
        arrived += inbox
        answered |= acknowledged
        refused += codes
        confirmed |= set(_pairs(database, "message_id, recipient FROM v_receipts", "state = 'delivered'"))
        lines.append(
            CountryFigures(
                country=country,
                published=len({message for message, _ in ours}),
                received=len(inbox),
                acknowledged=len(acknowledged),
                refused=codes.total(),
            )
        )
    reached = {pair: times for pair, times in arrived.items() if pair in addressed}
    return Figures(
        published=len({message for message, _ in addressed}),
        recipients=len(addressed),
        delivered=len(reached),
        receipts=len(confirmed & addressed),
        acknowledged=len(answered),
        refused=dict(sorted(refused.items())),
        duplicates=sum(reached.values()) - len(reached),
        by_country=tuple(lines),
    )


def _pairs(database: Path, selected: str, condition: str = "1 = 1") -> Iterator[Pair]:
    query = f"SELECT {selected} WHERE {_OF_ALERTS} AND {condition}"
    return ((str(message_id), str(contact_point)) for message_id, contact_point in rows(database, query))


def rows(database: Path, query: str, parameters: Iterable[object] = ()) -> Iterator[tuple[object, ...]]:
    """The rows of a query, read without a chance to write; none where there is no database yet."""
    if not database.exists():
        return
    with closing(sqlite3.connect(f"{database.absolute().as_uri()}?mode=ro", uri=True, timeout=5)) as connection:
        yield from connection.execute(query, tuple(parameters)).fetchall()
