"""Reading what arrived. Every look at a body is logged before the body is handed out: who, when, which message."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from bridge.app.receiving.inbox_items import body_context
from bridge.app.receiving.unchecked import ItemKey, checked_at, key_of
from bridge.app.sending.acknowledge import answers_from_here
from bridge.core.errors import BadInputError, RefusedError
from bridge.core.times import format_time
from bridge.core.wire import strict_json
from bridge.core.wire.envelope import parse_envelope
from bridge.ports.clock import Clock
from bridge.ports.store import Store, UnitOfWork
from bridge.ports.store.records import AuditEntry, InboxItem
from bridge.ports.vault import BodyVault

NO_MARKS: Final[Mapping[ItemKey, str]] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class ReadMessages:
    """Reads for the contact points of one node.

    Attributes:
        reason_for: the kinds for which the law asks why somebody looks.
    """

    store: Store
    vault: BodyVault
    clock: Clock
    reason_for: frozenset[str] = frozenset()

    async def item(self, message_id: str, *, contact_point: str | None, sender: str | None = None) -> InboxItem:
        """The one item that an id means on this node. Ids are unique per sender only.

        Raises:
            BadInputError: `E_UNKNOWN_MESSAGE`, `E_CONTACT_POINT` when several contact points received it, or
                `E_SENDER` when two senders used this id.
        """
        async with self.store.reading() as unit:
            found = await unit.inbox.get(message_id, contact_point=contact_point)
        items = [item for item in found if sender in (None, item.sender)]
        if not items:
            raise BadInputError(
                "E_UNKNOWN_MESSAGE", f"no message {message_id} in this inbox; inbox list shows what there is"
            )
        if len({item.contact_point for item in items}) > 1:
            names = " or ".join(sorted({item.contact_point for item in items}))
            raise BadInputError("E_CONTACT_POINT", f"--contact-point: several received this message; expected {names}")
        if len(items) > 1:
            names = " or ".join(sorted(item.sender for item in items))
            raise BadInputError("E_SENDER", f"--from: several used the id {message_id}; expected {names}")
        return items[0]

    async def show(
        self,
        message_id: str,
        *,
        contact_point: str | None,
        officer: str,
        sender: str | None = None,
        reason: str = "",
    ) -> Mapping[str, object]:
        """Envelope, body, signature state and answers of one message; logs the read and marks it read.

        Raises:
            BadInputError: see `item`, or `E_REASON`: there is none and the kind asks for one.
            RefusedError: `E_NO_BODY` for the stub of an expired message, or an erased body.
        """
        item = await self.item(message_id, contact_point=contact_point, sender=sender)
        if item.body is None:
            what = "expired before it arrived; ask the sender" if item.state == "expired" else "has been erased"
            raise RefusedError(
                "E_NO_BODY", f"{item.sender} sent {item.kind} {item.id} on {format_time(item.sent)}; it {what}"
            )
        why = reason_detail(item.kind, reason, self.reason_for)
        context = body_context(item.contact_point, item.sender, item.id)
        body_bytes = self.vault.get(item.contact_point, item.body, context=context)
        now = self.clock.now()
        async with self.store.writing() as unit:
            await unit.audit.add([AuditEntry(now, officer, "body.read", item.contact_point, item.id, why)])
            await unit.inbox.set_state(item.contact_point, item.id, "read", sender=item.sender)
            receipts = await _answers(unit, item)
            marks = await checked_at(unit, message_id=item.id)
        envelope = parse_envelope(item.wire_bytes)
        return {
            "id": item.id,
            "envelope": strict_json.parse(envelope.payload_bytes),
            "body": strict_json.parse(body_bytes),
            "signature": {
                "verified": True,
                "verified_at": format_time(item.received_at),
                "kids": [part.kid for part in envelope.signatures],
                "payload_sha256": item.payload_sha256,
            },
            "receipts": receipts,
            "membership_checked_at": marks.get(key_of(item)),
        }

    async def newest_cursor(self, contact_point: str | None) -> str | None:
        """Where a watcher begins that wants only what is to come."""
        async with self.store.reading() as unit:
            return await unit.inbox.newest(contact_point)


def reason_detail(kind: str, reason: str, reason_for: frozenset[str]) -> Mapping[str, str]:
    """What the log says of why a message is opened.

    Raises:
        BadInputError: `E_REASON`, there is none and the kind asks for one.
    """
    if kind in reason_for and not reason.strip():
        raise BadInputError("E_REASON", f"reason: a {kind} is opened for a reason", path="reason")
    return {"reason": reason.strip()} if reason.strip() else {}


async def _answers(unit: UnitOfWork, item: InboxItem) -> list[Mapping[str, object]]:
    """What we answered: the machine's receipt, and the officers' acknowledgements with their names."""
    key = (item.sender, item.id)
    known = await unit.inbox.replays(item.contact_point, [key])
    answers: list[Mapping[str, object]] = [
        {"kind": "receipt", "state": replay.outcome, "at": format_time(replay.answered_at)} for replay in known.values()
    ]
    given = await answers_from_here(unit, item)
    by_officers = (
        {"kind": "acknowledgement", "officer": one.actor, **one.detail, "at": format_time(one.at)} for one in given
    )
    return [*answers, *by_officers]


def item_summary(item: InboxItem, *, marks: Mapping[ItemKey, str] = NO_MARKS) -> Mapping[str, object]:
    """What a list shows of an item: nothing from the sealed body.

    `marks`: of messages that came while the membership list was older than seven days.
    """
    return {
        "id": item.id,
        "contact_point": item.contact_point,
        "from": item.sender,
        "kind": item.kind,
        "urgency": item.urgency,
        "status": item.status,
        "received_at": format_time(item.received_at),
        "state": item.state,
        "acknowledge_by": format_time(item.acknowledge_by) if item.acknowledge_by else None,
        "thread": item.thread,
        "supersedes": item.supersedes,
        "supersedes_from": item.supersedes_from,
        "of": item.of,
        "of_from": item.of_from,
        "membership_checked_at": marks.get(key_of(item)),
    }
