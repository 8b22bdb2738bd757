"""The use cases of whichever contact point a test is about, over one real store, and what a test reads back."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from bridge_world import START, STORAGE_KEYS, ListedTrust, ListPublisher, Sent, StillClock, desk

from bridge.adapters.jose.sealing import seal
from bridge.adapters.jose.signatures import is_signature
from bridge.adapters.store import SqlStore
from bridge.adapters.system import RandomIds
from bridge.adapters.vault import StorageVault
from bridge.app.read_message import ReadMessages
from bridge.app.receiving.authenticating import Authenticator
from bridge.app.receiving.receive_message import ReceiveMessages
from bridge.app.receiving.recheck_held import RecheckHeld
from bridge.app.receiving.route_message import RouteMessages
from bridge.app.sending.relay_outbox import RelayOutbox
from bridge.app.sending.send import SendMessages
from bridge.app.sending.withdraw_stopped import WithdrawStopped
from bridge.core.verification import Receiver
from bridge.core.wire import strict_json
from bridge.core.wire.envelope import parse_envelope
from bridge.ports.store.records import (
    AuditEntry,
    InboxItem,
    OutboxRow,
    OutgoingMessage,
    OutgoingRecipient,
    Quarantined,
    Refusal,
)


class Node:
    """The use cases of whichever contact point a test is about, over one store."""

    def __init__(self, store: SqlStore, trust: ListedTrust, clock: StillClock, publisher: ListPublisher) -> None:
        self.store, self.trust, self.clock, self.publisher = store, trust, clock, publisher
        self.vault = StorageVault(STORAGE_KEYS)
        self.ids = RandomIds()

    def receiver(self, contact_point: str) -> ReceiveMessages:
        return ReceiveMessages(
            desk=desk(contact_point),
            authenticator=self._authenticator(Receiver(contact_point[:2], contact_point)),
            store=self.store,
            trust=self.trust,
            vault=self.vault,
            clock=self.clock,
            ids=self.ids,
        )

    def router(self, prefix: str) -> RouteMessages:
        return RouteMessages(
            prefix=prefix,
            exchange=f"contact-points.{prefix}",
            authenticator=self._authenticator(Receiver(prefix)),
            publisher=self.publisher,
            store=self.store,
            trust=self.trust,
            clock=self.clock,
            ids=self.ids,
        )

    def rechecker(self, contact_point: str, *, every: float = 60, routes: bool = True) -> RecheckHeld:
        return RecheckHeld(
            store=self.store,
            clock=self.clock,
            receivers={contact_point: self.receiver(contact_point)},
            router=self.router(contact_point[:2]) if routes else None,
            every=timedelta(seconds=every),
        )

    def reader(self) -> ReadMessages:
        return ReadMessages(store=self.store, vault=self.vault, clock=self.clock)

    def _authenticator(self, receiver: Receiver) -> Authenticator:
        return Authenticator(trust=self.trust, clock=self.clock, receiver=receiver, is_signature=is_signature)

    def sending(self) -> SendMessages:
        return SendMessages(
            desks={member: desk(member) for member in self.trust.directory.contact_points},
            seal=seal,
            store=self.store,
            trust=self.trust,
            vault=self.vault,
            clock=self.clock,
            ids=self.ids,
        )

    def relay(self, name: str = "publisher", *, batch: int = 100) -> RelayOutbox:
        stopped = WithdrawStopped(self.store, self.trust, self.clock) if name == "publisher" else None
        return RelayOutbox(name, self.publisher, self.store, self.clock, batch, stopped=stopped)

    async def given_sent(self, *messages: Sent, reply_within_s: int | None = None) -> None:
        """The ledger as submitting leaves it."""
        async with self.store.writing() as unit:
            for sent in messages:
                own, made = sent.addressing, sent.made
                await unit.ledger.add(
                    OutgoingMessage(
                        id=own.id,
                        sender=own.sender,
                        kind=own.kind,
                        status=own.status,
                        urgency=own.urgency,
                        lane="urgent",
                        thread=own.id,
                        sent=own.sent,
                        expires=own.expires,
                        payload_sha256=made.payload_sha256,
                        sealed_sha256=made.sealed_sha256,
                        wire_bytes=made.wire_bytes,
                        body=None,
                        recipients=tuple(
                            OutgoingRecipient(
                                to, to[:2].upper(), (), "corridor", "a leg", reply_within_s=reply_within_s
                            )
                            for to in own.to
                        ),
                    )
                )

    async def inbox(self) -> list[InboxItem]:
        async with self.store.reading() as unit:
            return list(await unit.inbox.list())

    async def quarantined(self) -> list[Quarantined]:
        """With their raw bytes, newest first."""
        async with self.store.reading() as unit:
            found = [await unit.refusals.get(listed.id) for listed in await unit.refusals.list()]
        return [one for one in found if one is not None]

    async def held(self) -> int:
        async with self.store.reading() as unit:
            return (await unit.refusals.counts())[1]

    async def all_held(self) -> list[Refusal]:
        """What the contact points and the router hold; afterwards it is due, whenever it was tried last."""
        long_ago, ahead = START - timedelta(days=365), START + timedelta(days=365)
        async with self.store.writing() as unit:
            holders = (*self.trust.directory.contact_points, None)
            found = await unit.refusals.release_held(holders, limit=1000, not_tried_since=ahead, now=long_ago)
        return list(found)

    async def audit(self, action: str) -> list[AuditEntry]:
        async with self.store.reading() as unit:
            return list(await unit.audit.list(action=action))

    async def sent(self, message_id: str) -> OutgoingMessage:
        async with self.store.reading() as unit:
            found = await unit.ledger.get(message_id)
        assert found is not None
        return found

    async def new_rows(self, relay: str = "publisher") -> list[OutboxRow]:
        """What was put into the outbox since the last look."""
        now = self.clock.now()
        async with self.store.writing() as unit:
            rows: Sequence[OutboxRow] = await unit.outbox.claim(
                relay, token="test", now=now, lease_seconds=1, limit=1000
            )
            await unit.outbox.mark_sent([row.id for row in rows], token="test", now=now)
        return list(rows)

    async def new_receipts(self) -> list[tuple[str, str | None, str]]:
        """State, code and subject of the receipts since the last look, in order."""
        return [_verdict(row) for row in await self.new_rows()]


def _verdict(row: OutboxRow) -> tuple[str, str | None, str]:
    control = strict_json.parse_object(parse_envelope(row.wire_bytes).payload_bytes)["control"]
    assert isinstance(control, dict)
    code = control.get("code")
    return control["state"], code, control["of"]["id"]
