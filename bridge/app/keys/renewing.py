"""A message of ours under another key: the same payload, so the same digest; a duplicate where it had arrived.

Its payload is what the recipients' answers refer to, and what makes it one message; its signature is only the proof.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final

from bridge.app.receiving.answering import repeated_row
from bridge.app.sending.make_message import sign_payload
from bridge.app.sending.stopped import stop_code
from bridge.core.directory import Directory
from bridge.core.errors import VerificationError
from bridge.core.ids import prefix_of
from bridge.core.wire.envelope import parse_envelope
from bridge.ports.clock import Ids
from bridge.ports.keys import Signer
from bridge.ports.store import UnitOfWork
from bridge.ports.store.no_gap import SentCopy
from bridge.ports.store.records import AuditEntry, OutboxRow, OutgoingMessage, OutgoingRecipient

UNKNOWN: Final = "E_KEY_UNKNOWN"
REVOKED: Final = "E_KEY_REVOKED"
EXPIRED: Final = "E_KEY_EXPIRED"
# What a recipient answers, or would, where the signature is all that stands against a message.
KEY_CODES: Final = frozenset({UNKNOWN, REVOKED, EXPIRED})


def signature_obstacle(wire_bytes: bytes, directory: Directory, *, sent: datetime, at: datetime) -> str | None:
    """The code with which everybody who has this list refuses the message for its signing key (steps 6 and 12)."""
    try:
        kids = kids_of(wire_bytes)
    except VerificationError as error:
        return error.code
    for kid in kids:
        key = directory.signing_keys.get(kid)
        if key is None:
            return UNKNOWN
        if key.revoked_at is not None:
            return REVOKED
        if at >= key.verify_until or sent >= key.use_until:
            return EXPIRED
    return None


def signed_anew(wire_bytes: bytes, signer: Signer) -> bytes:
    """The same payload and sealed text under this signer.

    Raises:
        VerificationError: these bytes are no envelope.
    """
    envelope = parse_envelope(wire_bytes)
    return sign_payload(envelope.payload_bytes, envelope.sealed, signer)


async def renew(
    unit: UnitOfWork,
    messages: Sequence[OutgoingMessage],
    *,
    signer: Signer,
    directory: Directory,
    now: datetime,
    ids: Ids,
) -> Mapping[str, bytes]:
    """Has the ledger keep messages of ours under this signer from now on; answers their new wire bytes by id.

    Those that have not expired are published to every country where somebody has not got them, in the place of what
    waits. What had left before is not published again for whom the list has stopped since; what waited for such a
    recipient waits again, and is withdrawn by whoever relays it.
    """
    renewed = {message.id: signed_anew(message.wire_bytes, signer) for message in messages}
    await unit.signatures.replace(renewed)
    await unit.signatures.withdraw(list(renewed), now)
    rows: list[OutboxRow] = []
    entries = []
    for message in messages:
        again = _rows(message, renewed[message.id], directory, now, ids)
        rows += again
        before, to = ",".join(kids_of(message.wire_bytes)), ",".join(row.country for row in again)
        detail = {"kid": signer.kid, "before": before, "to": to}
        entries.append(AuditEntry(now, message.sender, "message.signed_again", message.sender, message.id, detail))
    if rows:
        await unit.outbox.add(rows)
    await unit.audit.add(entries)
    return renewed


def _rows(
    message: OutgoingMessage, wire_bytes: bytes, directory: Directory, now: datetime, ids: Ids
) -> list[OutboxRow]:
    copy = SentCopy(None, message.id, message.kind, message.sent, wire_bytes)
    awaited = [to.id for to in message.recipients if _is_awaited(to, directory) and now < message.expires]
    one_each = {prefix_of(identifier): identifier for identifier in awaited}
    rows = [
        repeated_row(copy, sender=message.sender, recipient=to, lane=message.lane, now=now, ids=ids)
        for _, to in sorted(one_each.items())
    ]
    return [replace(row, expires=message.expires) for row in rows]


def _is_awaited(to: OutgoingRecipient, directory: Directory) -> bool:
    has_left = to.state == "sent" or to.code in KEY_CODES
    return to.state == "pending" or (has_left and stop_code(directory, to.id) is None)


def kids_of(wire_bytes: bytes) -> list[str]:
    """The ids of the keys that signed; raises `VerificationError` where that is not to be read."""
    return [part.kid for part in parse_envelope(wire_bytes).signatures]
