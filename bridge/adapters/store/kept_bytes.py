"""Bytes that several tables refer to: wire bytes, once under their digest, and bodies at rest."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Final, Protocol

from sqlalchemy import ColumnElement, RowMapping, and_, update

from bridge.adapters.store.forgotten_terms import forget_terms
from bridge.adapters.store.tables import body, wire
from bridge.adapters.store.transaction import Transaction
from bridge.ports.vault import BodyAtRest

BODY_COLUMNS: Final = (body.c.wrapped_key, body.c.ciphertext)


class _HasWireBytes(Protocol):
    @property
    def wire_bytes(self) -> bytes: ...


async def keep_wire(transaction: Transaction, rows: Sequence[_HasWireBytes]) -> list[bytes]:
    """Stores the rows' wire bytes unless they are known; answers each row's digest."""
    return await store_wire(transaction, [row.wire_bytes for row in rows])


async def store_wire(transaction: Transaction, wire_bytes: Sequence[bytes]) -> list[bytes]:
    """Stores wire bytes unless they are known; answers their digests."""
    digests = [hashlib.sha256(data).digest() for data in wire_bytes]
    # In one order for everybody: on PostgreSQL two transactions with the same messages would else wait for each other.
    known = dict(zip(digests, wire_bytes, strict=True))
    values = [{"sha256": digest, "wire_bytes": data} for digest, data in sorted(known.items())]
    await transaction.change_each(transaction.insert(wire).on_conflict_do_nothing(), values)
    return digests


async def keep_bodies(transaction: Transaction, bodies: Sequence[tuple[str, str, str, BodyAtRest]]) -> None:
    """Stores (contact point, message id, sender, body). A body known already, erased ones too, stays as it is."""
    values = [
        {
            "contact_point": contact_point,
            "message_id": message_id,
            "sender": sender,
            "wrapped_key": at_rest.wrapped_key,
            "ciphertext": at_rest.ciphertext,
        }
        for contact_point, message_id, sender, at_rest in bodies
    ]
    await transaction.change_each(transaction.insert(body).on_conflict_do_nothing(), values)


async def erase_bodies(transaction: Transaction, bodies: Sequence[tuple[str, str, str]]) -> int:
    """Destroys the data keys and ciphertexts of (contact point, message id, sender); answers how many there were."""
    erased = 0
    for contact_point, message_id, sender in bodies:
        this = and_(body.c.contact_point == contact_point, body.c.message_id == message_id, body.c.sender == sender)
        erasing = update(body).where(this, body.c.wrapped_key.is_not(None))
        erased += await transaction.change(erasing.values(wrapped_key=None, ciphertext=None))
        await forget_terms(transaction, contact_point, message_id, sender)
    return erased


def body_of(
    contact_point: ColumnElement[str], message_id: ColumnElement[str], sender: ColumnElement[str]
) -> ColumnElement[bool]:
    """The condition that joins `body` to a message."""
    return and_(body.c.contact_point == contact_point, body.c.message_id == message_id, body.c.sender == sender)


def read_body(row: RowMapping) -> BodyAtRest | None:
    """The body in a row with `BODY_COLUMNS`; `None` when there is none or it was erased."""
    wrapped_key, ciphertext = row["wrapped_key"], row["ciphertext"]
    return None if wrapped_key is None or ciphertext is None else BodyAtRest(wrapped_key, ciphertext)
