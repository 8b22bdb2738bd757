"""The oracle: what was submitted has taken effect at every recipient, exactly once, and nothing else has.

It compares the load generators' files with the databases, and reads nothing else. An id in doubt counts as submitted
where its sender's ledger has it, and must be nowhere where it has not.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from chaos_databases import rows
from chaos_records import INTENTS, SUBMITTED, Record, read_records
from chaos_world import Country, World

Pair = tuple[str, str]  # message id, contact point

LOOK_SECONDS: Final = 0.5
SETTLE_SECONDS: Final = 1.0
TELL_SECONDS: Final = 10.0
# A lease of a relay that was killed lasts a minute, the longest back-off five.
PATIENCE_SECONDS: Final = 400.0
_PENDING: Final = "SELECT count(*) FROM v_recipients WHERE kind = 'route_alert' AND delivered_at IS NULL"
_LEDGER: Final = """
    SELECT r.message_id, r.recipient, r.state, m.payload_sha256
    FROM v_recipients r JOIN message m ON m.id = r.message_id WHERE m.kind = 'route_alert'
"""
# What expired on its way leaves a stub, which delivers nothing.
_INBOX: Final = """
    SELECT id, contact_point, sender, payload_sha256 FROM inbox WHERE kind = 'route_alert' AND state <> 'expired'
"""
_EFFECTS: Final = "SELECT subject, contact_point FROM audit WHERE action = 'message.received'"
_ASKED: Final = "SELECT count(*) FROM asked_again"
_GAPS: Final = "SELECT count(*) FROM sequence_gap"
_RECEIPTS: Final = "SELECT message_id, recipient, payload_sha256 FROM receipt WHERE state = 'delivered'"


@dataclass
class Books:
    """What the databases of all countries say, put together."""

    ledger: dict[Pair, tuple[str, str, str]] = field(default_factory=dict)  # state, digest, country
    inbox: dict[Pair, list[tuple[str, str]]] = field(default_factory=dict)  # sender, digest
    effects: Counter[Pair] = field(default_factory=Counter)
    receipts: dict[Pair, str] = field(default_factory=dict)  # digest
    asked_again: int = 0
    gaps: int = 0


@dataclass(frozen=True)
class Verdict:
    """The oracle's findings; every list holds a sentence for each case.

    Attributes:
        messages: submitted, those in doubt that were stored included.
        pairs: of a message and one of its recipients.
        lost: not in the recipient's inbox, or not with the digest that was sent.
        twice: more than one row, or more than one effect.
        unexpected: in an inbox, submitted by nobody.
        asked_again: numbers that recipients missed and asked for, which the second line of defence is for.
        gaps: ranges of numbers that are still missing somewhere.
        unproven: arrived, but the sender's ledger or receipt does not say so.
    """

    messages: int
    pairs: int
    in_doubt: int
    in_doubt_stored: int
    lost: tuple[str, ...]
    twice: tuple[str, ...]
    unexpected: tuple[str, ...]
    unproven: tuple[str, ...]
    asked_again: int = 0
    gaps: int = 0

    @property
    def holds(self) -> bool:
        """The one assertion."""
        return not (self.lost or self.twice or self.unexpected or self.unproven)

    @property
    def findings(self) -> tuple[str, ...]:
        """All of them, each with what is known."""
        return self.lost + self.twice + self.unexpected + self.unproven


async def judge(world: World) -> Verdict:
    """Compares the files with the databases as they are now."""
    submitted = dict(read_records(world.records, SUBMITTED))
    intents = read_records(world.records, INTENTS)
    books = Books()
    for country in world.countries.values():
        await _read(country, books)
    doubtful = {key: record for key, record in intents.items() if key not in submitted}
    known = {message_id for message_id, _ in books.ledger}
    stored = {key: record for key, record in doubtful.items() if key in known}
    return compare(submitted | stored, books, in_doubt=len(doubtful), in_doubt_stored=len(stored))


def compare(records: Mapping[str, Record], books: Books, *, in_doubt: int = 0, in_doubt_stored: int = 0) -> Verdict:
    """The verdict on these records."""
    lost, twice, unproven = [], [], []
    wanted = {(record.id, recipient): record for record in records.values() for recipient in record.recipients}
    for pair, record in wanted.items():
        state, digest, _ = books.ledger.get(pair, ("not in the ledger", "", ""))
        right = [row for row in books.inbox.get(pair, ()) if row == (record.sender, record.digest or digest)]
        if not right:
            lost.append(f"lost: {_tell(pair, record, books)}")
        elif len(books.inbox[pair]) > 1 or books.effects[pair] != 1:
            twice.append(f"twice: {_tell(pair, record, books)}")
        elif state not in _ARRIVED or digest != (record.digest or digest) or books.receipts.get(pair) != digest:
            unproven.append(f"unproven: {_tell(pair, record, books)}")
    stray = [f"{pair[0]} in the inbox of {pair[1]}: {rows}" for pair, rows in books.inbox.items() if pair not in wanted]
    stray += [f"{pair[0]} to {pair[1]} in a ledger: {row}" for pair, row in books.ledger.items() if pair not in wanted]
    return Verdict(
        messages=len(records),
        pairs=len(wanted),
        in_doubt=in_doubt,
        in_doubt_stored=in_doubt_stored,
        lost=tuple(lost),
        twice=tuple(twice),
        unexpected=tuple(f"unexpected: {what}" for what in stray),
        unproven=tuple(unproven),
        asked_again=books.asked_again,
        gaps=books.gaps,
    )


async def wait_until_quiet(world: World, note: Callable[[str], None], *, patience: float = PATIENCE_SECONDS) -> bool:
    """Waits until every ledger says delivered; gives up when nothing has moved for `patience` seconds."""
    least, moved, told = None, time.monotonic(), 0.0
    while True:
        pending = await count_pending(world)
        waiting = sum(pending.values())
        if waiting == 0:
            await asyncio.sleep(SETTLE_SECONDS)
            return True
        if least is None or waiting < least:
            least, moved = waiting, time.monotonic()
        if time.monotonic() - moved > patience:
            return False
        if time.monotonic() - told > TELL_SECONDS:
            told = time.monotonic()
            note(f"waiting for {waiting} deliveries: " + ", ".join(f"{one} {count}" for one, count in pending.items()))
        await asyncio.sleep(LOOK_SECONDS)


async def count_pending(world: World) -> dict[str, int]:
    """Pairs of message and recipient whose delivery the sender has no proof of yet, by the sender's country."""
    found = {}
    for prefix, country in world.countries.items():
        found[prefix] = (await rows(country, _PENDING))[0][0]
    return found


_ARRIVED: Final = frozenset({"delivered", "acknowledged"})


async def _read(country: Country, books: Books) -> None:
    for message_id, recipient, state, digest in await rows(country, _LEDGER):
        books.ledger[message_id, recipient] = (state, digest, country.prefix)
    for message_id, contact_point, sender, digest in await rows(country, _INBOX):
        books.inbox.setdefault((message_id, contact_point), []).append((sender, digest))
    books.effects.update((subject, point) for subject, point in await rows(country, _EFFECTS))
    for message_id, recipient, digest in await rows(country, _RECEIPTS):
        books.receipts[message_id, recipient] = digest
    books.asked_again += (await rows(country, _ASKED))[0][0]
    books.gaps += (await rows(country, _GAPS))[0][0]


def _tell(pair: Pair, record: Record, books: Books) -> str:
    state, digest, _ = books.ledger.get(pair, ("not in the ledger", "", ""))
    arrived = books.inbox.get(pair, [])
    return (
        f"{pair[0]} from {record.sender} to {pair[1]}: digest {record.digest or digest}, ledger {state}, "
        f"inbox {arrived or 'nothing'}, effects {books.effects[pair]}, receipt {books.receipts.get(pair, 'none')}"
    )
