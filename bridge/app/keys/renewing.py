"""A message of ours under another key: the same payload, so the same digest; a duplicate where it had arrived.

Its payload is what the recipients' answers refer to, and what makes it one message; its signature is only the proof.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Final

from bridge.app.receiving.answering import repeated_row
from bridge.app.sending.make_message import sign_payload
from bridge.core.directory import Directory
from bridge.core.errors import VerificationError
from bridge.core.ids import prefix_of
from bridge.core.wire.envelope import parse_envelope
from bridge.ports.clock import Ids
from bridge.ports.keys import Signer
from bridge.ports.store import UnitOfWork
from bridge.ports.store.no_gap import SentCopy
from bridge.ports.store.records import AuditEntry, OutgoingMessage, OutgoingRecipient

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


async def renew(unit: UnitOfWork, message: OutgoingMessage, *, signer: Signer, now: datetime, ids: Ids) -> bytes:
    """Has the ledger keep a message of ours under this signer from now on; answers its new wire bytes.

    Unless it has expired they are published to every country where somebody has not got it, in the place of what waits.
    """
    wire_bytes = signed_anew(message.wire_bytes, signer)
    await unit.signatures.replace(message.id, wire_bytes)
    await unit.signatures.withdraw([message.id], now)
    copy = SentCopy(None, message.id, message.kind, message.sent, wire_bytes)
    awaited = [to.id for to in message.recipients if _is_awaited(to) and now < message.expires]
    one_each = {prefix_of(identifier): identifier for identifier in awaited}
    rows = [
        repeated_row(copy, sender=message.sender, recipient=to, lane=message.lane, now=now, ids=ids)
        for _, to in sorted(one_each.items())
    ]
    if rows:
        await unit.outbox.add([replace(row, expires=message.expires) for row in rows])
    detail = {"kid": signer.kid, "before": ",".join(kids_of(message.wire_bytes)), "to": ",".join(sorted(one_each))}
    await unit.audit.add([AuditEntry(now, message.sender, "message.signed_again", message.sender, message.id, detail)])
    return wire_bytes


def _is_awaited(to: OutgoingRecipient) -> bool:
    return to.state in {"pending", "sent"} or to.code in KEY_CODES


def kids_of(wire_bytes: bytes) -> list[str]:
    """The ids of the keys that signed; raises `VerificationError` where that is not to be read."""
    return [part.kid for part in parse_envelope(wire_bytes).signatures]
