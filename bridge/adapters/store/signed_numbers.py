"""Fills in the numbers of sent messages that the ledger lacks, from the payloads that were signed.

A program of revision 0001 writes none: neither before the migration nor beside newer programs after it. Who misses such
a message asks for it by its number, and would be told that it is void.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from typing import Final

from sqlalchemy import Connection, text

_MESSAGES_AT_ONCE: Final = 50  # of a megabyte each at most
_UNNUMBERED: Final = text(
    """
    SELECT m.id, w.wire_bytes FROM message m JOIN wire w ON w.sha256 = m.wire_sha256
    WHERE m.id IN (SELECT DISTINCT message_id FROM recipient
                   WHERE number IS NULL AND message_id > :after ORDER BY message_id LIMIT :most)
    ORDER BY m.id
    """
)
_NUMBERING: Final = text(
    "UPDATE recipient SET epoch = :epoch, number = :number WHERE message_id = :message_id AND recipient = :recipient"
)
_FIRST_NUMBERS: Final = text(
    """
    UPDATE sequence_counter SET first_number = coalesce(
        (SELECT min(r.number) FROM recipient r JOIN message m ON m.id = r.message_id
         WHERE m.sender = sequence_counter.sender AND m.lane = sequence_counter.lane
           AND r.recipient = sequence_counter.recipient AND r.epoch = sequence_counter.epoch),
        next_number)
    WHERE first_number IS NULL
    """
)


def fill_in_numbers(connection: Connection) -> None:
    """Every recipient's epoch and number, where it has none."""
    for messages in _unnumbered(connection):
        numbers = [
            {"epoch": epoch, "number": number, "message_id": message_id, "recipient": recipient}
            for message_id, (epoch, by_recipient) in messages
            for recipient, number in by_recipient.items()
        ]
        if numbers:
            connection.execute(_NUMBERING, numbers)


def fill_in_first_numbers(connection: Connection) -> None:
    """The first number that was used in each stream, where the counter does not know it."""
    connection.execute(_FIRST_NUMBERS)


def _unnumbered(connection: Connection) -> Iterator[list[tuple[str, tuple[int, dict[str, int]]]]]:
    """Message ids with the epoch and the numbers by recipient of their payloads, in parts."""
    after = ""
    while rows := connection.execute(_UNNUMBERED, {"after": after, "most": _MESSAGES_AT_ONCE}).all():
        yield [(row.id, _sequence(bytes(row.wire_bytes))) for row in rows]
        after = rows[-1].id


def _sequence(wire_bytes: bytes) -> tuple[int, dict[str, int]]:
    """Bytes that cannot be read number nothing: they must not keep a node from starting."""
    try:
        payload = json.loads(wire_bytes)["payload"]
        sequence = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))["seq"]
        return sequence["epoch"], dict(sequence["n"])
    except (ValueError, LookupError, TypeError):
        return 0, {}
