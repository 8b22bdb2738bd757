"""A message of this node's store as an alert again: one that arrived, or one of our own. Each look is logged first.

Of what only the wire has, the salt is never handed out: who has it can prove or guess what the body says. References
stay behind, too: an alert file names what it replaces by its id, and no digests.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, cast

from bridge.app.read_message import ReadMessages, reason_detail
from bridge.app.receiving.inbox_items import body_context
from bridge.app.sending.submit import alert_of
from bridge.core.errors import BadInputError, RefusedError
from bridge.core.messages import AlertFile
from bridge.core.times import parse_time
from bridge.core.vocabulary import ALERT_KINDS
from bridge.core.wire import strict_json
from bridge.core.wire.envelope import parse_envelope
from bridge.interchange.cap_write import Sent
from bridge.ports.store.records import AuditEntry, OutgoingMessage

_WIRE_ONLY: Final = frozenset({"salt", "thread", "references", "supersedes"})
_OF_THE_HEADER: Final = ("kind", "status", "urgency", "expires")
Members = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class ReadStored:
    """Reads alerts of one node's store to hand them to another system."""

    reading: ReadMessages

    async def read(
        self, message_id: str, *, contact_point: str, officer: str, sender: str | None = None, reason: str = ""
    ) -> tuple[AlertFile, Sent]:
        """The alert and its sending; the look and the handing out are in the log before they happen.

        Args:
            message_id: the message's id.
            contact_point: which received or sent it.
            officer: in whose name it is handed out.
            sender: who sent it, where an id alone does not say.
            reason: why, where the kind asks for one.

        Raises:
            BadInputError: `E_UNKNOWN_MESSAGE`; `E_SENDER`, several used this id; `E_NOT_AN_ALERT`; `E_REASON`; or
                what keeps it from being an alert file, as members of a newer version.
            RefusedError: `E_NO_BODY`, it was erased or never arrived.
        """
        own = await self._own(message_id, contact_point) if sender in (None, contact_point) else None
        if own is not None:
            await self._check_not_received_too(own, sender)
            _check_alert(own.kind)
            header, body = await self._read_own(own, officer, reason)
        else:
            item = await self.reading.item(message_id, contact_point=contact_point, sender=sender)
            _check_alert(item.kind)
            shown = await self.reading.show(
                message_id, contact_point=contact_point, officer=officer, sender=item.sender, reason=reason
            )
            header, body = cast("Members", shown["envelope"]), cast("Members", shown["body"])
        alert = alert_of(json.dumps(alert_file_members(header, body)).encode())
        entry = AuditEntry(
            self.reading.clock.now(), officer, "message.exported", contact_point, message_id, {"from": header["from"]}
        )
        async with self.reading.store.writing() as unit:
            await unit.audit.add([entry])
        addresses = tuple(to.id for to in own.recipients) if own is not None else ()
        return alert, Sent(header["from"], message_id, parse_time(header["sent"]), addresses)

    async def _own(self, message_id: str, contact_point: str) -> OutgoingMessage | None:
        async with self.reading.store.reading() as unit:
            message = await unit.ledger.get(message_id)
        return message if message is not None and message.sender == contact_point else None

    async def _check_not_received_too(self, own: OutgoingMessage, sender: str | None) -> None:
        async with self.reading.store.reading() as unit:
            others = await unit.inbox.get(own.id, contact_point=own.sender)
        if sender is None and others:
            names = " or ".join(sorted({own.sender, *(item.sender for item in others)}))
            raise BadInputError("E_SENDER", f"--from: several used the id {own.id}; expected {names}")

    async def _read_own(self, own: OutgoingMessage, officer: str, reason: str) -> tuple[Members, Members]:
        if own.body is None:
            raise RefusedError("E_NO_BODY", f"{own.kind} {own.id} of {own.sender}: its body has been erased")
        why = reason_detail(own.kind, reason, self.reading.reason_for)
        context = body_context(own.sender, own.sender, own.id)
        body = strict_json.parse_object(self.reading.vault.get(own.sender, own.body, context=context))
        entry = AuditEntry(
            self.reading.clock.now(), officer, "body.read", own.sender, own.id, {"from": own.sender, **why}
        )
        async with self.reading.store.writing() as unit:
            await unit.audit.add([entry])
        return strict_json.parse_object(parse_envelope(own.wire_bytes).payload_bytes), body


def alert_file_members(header: Members, body: Members) -> dict[str, Any]:
    """The alert file that says what this signed header and this body say.

    `thread` is there where it is not the message's own, `retain_until` stays in the body.
    """
    members: dict[str, Any] = {name: header[name] for name in _OF_THE_HEADER}
    if body["thread"] != header["id"]:
        members["thread"] = body["thread"]
    if "supersedes" in body:
        members["supersedes"] = body["supersedes"]["id"]
    members["body"] = {name: value for name, value in body.items() if name not in _WIRE_ONLY}
    return members


def _check_alert(kind: str) -> None:
    if kind not in ALERT_KINDS:
        raise BadInputError("E_NOT_AN_ALERT", f"--message: found {kind}, expected one of {', '.join(ALERT_KINDS)}")
