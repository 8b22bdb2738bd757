"""Whom our contact points exchange messages with, when they were heard, and which numbers we tell them.

A pair is a contact point of ours and its peer. Everything here is found from what is stored for other reasons, through
the newest number of each stream, so that it costs a look-up for each stream and not one for each message.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import case, delete, func, or_, select

from bridge.adapters.store.sequence import VOID_PREFIX
from bridge.adapters.store.tables import (
    message,
    node_state,
    outbox,
    peer,
    recipient,
    sequence_counter,
    sequence_number,
    sequence_stream,
    unsent,
)
from bridge.adapters.store.transaction import Transaction
from bridge.core.ids import time_of
from bridge.core.vocabulary import HEARTBEAT
from bridge.ports.store.no_gap import Counters, Pair, PeerSeen

AHEAD: Final = timedelta(seconds=120)  # wire-format: how far clocks may differ


class SqlPeers:
    """Implements `bridge.ports.store.no_gap.Peers`."""

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    async def hear(self, contact_point: str, heard: Mapping[str, datetime]) -> None:
        """Notes the newest signed time of each peer; an older one changes nothing."""
        insert = self._transaction.insert(peer)
        is_newer = or_(peer.c.heard_at.is_(None), peer.c.heard_at < insert.excluded.heard_at)
        newest = insert.on_conflict_do_update(
            index_elements=[peer.c.contact_point, peer.c.peer],
            set_={
                "heard_at": case((is_newer, insert.excluded.heard_at), else_=peer.c.heard_at),
                "first_heard_at": func.coalesce(peer.c.first_heard_at, insert.excluded.first_heard_at),
            },
            where=or_(is_newer, peer.c.first_heard_at.is_(None)),
        )
        rows = [
            {"contact_point": contact_point, "peer": one, "heard_at": at, "first_heard_at": at}
            for one, at in sorted(heard.items())
        ]
        await self._transaction.change_each(newest, rows)

    async def seen(self, contact_points: Collection[str]) -> Mapping[Pair, PeerSeen]:
        """What is known of every peer that was heard or written to."""
        rows = await self._transaction.rows(select(peer).where(peer.c.contact_point.in_(contact_points)))
        return {
            (row["contact_point"], row["peer"]): PeerSeen(
                row["heard_at"], row["heartbeat_at"], row["first_heard_at"] is not None
            )
            for row in rows
        }

    async def exchanged(self, contact_points: Collection[str], *, now: datetime) -> Mapping[Pair, datetime]:
        """When each pair last exchanged a sealed message, in either direction, by the newest number of each stream.

        A received message whose id names a time in the future, beyond what clocks may differ, is no evidence.
        """
        newest: dict[Pair, datetime] = {}
        received = [(pair, at) for pair, at in await self._received(contact_points) if at <= now + AHEAD]
        for pair, at in [*await self._sent(contact_points), *received]:
            newest[pair] = max(at, newest.get(pair, at))
        return newest

    async def counters(self, sender: str, recipients: Collection[str], *, epoch: int | None = None) -> Counters:
        """The numbers that a sender has used in an epoch, the present one when `None`."""
        if epoch is None:
            epoch = (await self._transaction.rows(select(node_state.c.epoch)))[0]["epoch"]
        counter = sequence_counter.c
        last = counter.next_number - 1
        query = select(
            counter.recipient,
            counter.lane,
            func.coalesce(counter.first_number, last).label("first"),
            last.label("last"),
        ).where(counter.sender == sender, counter.epoch == epoch, counter.recipient.in_(recipients))
        rows = await self._transaction.rows(query)
        return Counters(epoch, {(row["recipient"], row["lane"]): (row["first"], row["last"]) for row in rows})

    async def countries_with_waiting_heartbeats(self, sender: str) -> Collection[str]:
        """Towards which countries a heartbeat of this sender is still to be published."""
        query = select(outbox.c.country).distinct().where(outbox.c.own_bytes.is_not(None), unsent)
        waiting = query.where(outbox.c.kind == HEARTBEAT, outbox.c.sender == sender, outbox.c.relay == "publisher")
        return {row["country"] for row in await self._transaction.rows(waiting)}

    async def note_heartbeats(self, contact_point: str, peers: Sequence[str], at: datetime) -> None:
        """Notes our heartbeats; a peer that was never heard counts as heard now: from here on its silence counts."""
        insert = self._transaction.insert(peer)
        noted = insert.on_conflict_do_update(
            index_elements=[peer.c.contact_point, peer.c.peer],
            set_={
                "heartbeat_at": insert.excluded.heartbeat_at,
                "heard_at": func.coalesce(peer.c.heard_at, insert.excluded.heard_at),
            },
        )
        rows = [
            {"contact_point": contact_point, "peer": one, "heard_at": at, "heartbeat_at": at} for one in sorted(peers)
        ]
        await self._transaction.change_each(noted, rows)

    async def forget_heartbeats(self, *, made_before: datetime) -> None:
        """Drops what was made before a moment, is settled, and is no evidence."""
        forgotten = delete(outbox).where(outbox.c.own_bytes.is_not(None), outbox.c.created_at < made_before)
        await self._transaction.change(forgotten.where(outbox.c.sent_at.is_not(None)))

    async def take_turn(self) -> None:
        """Waits until no other process decides about heartbeats and alarms, and keeps that to the end."""
        await self._transaction.take_turn("peers")

    async def _sent(self, contact_points: Collection[str]) -> list[tuple[Pair, datetime]]:
        counter = sequence_counter.c
        query = (
            select(counter.sender, counter.recipient, message.c.sent)
            .join(recipient, recipient.c.recipient == counter.recipient)
            .join(message, message.c.id == recipient.c.message_id)
            .where(recipient.c.epoch == counter.epoch, recipient.c.number == counter.next_number - 1)
            .where(message.c.sender == counter.sender, message.c.lane == counter.lane)
            .where(counter.sender.in_(contact_points))
        )
        rows = await self._transaction.rows(query)
        return [((row["sender"], row["recipient"]), row["sent"]) for row in rows]

    async def _received(self, contact_points: Collection[str]) -> list[tuple[Pair, datetime]]:
        """The time is the one in the message's id, which verification holds within two minutes of `sent`."""
        number, stream = sequence_number.c, sequence_stream.c
        newest = (
            select(number.message_id)
            .where(number.stream_id == stream.id, number.message_id.not_like(f"{VOID_PREFIX}%"))
            .order_by(number.number.desc())
            .limit(1)
            .scalar_subquery()
        )
        query = select(stream.recipient, stream.sender, newest.label("message_id"))
        rows = await self._transaction.rows(query.where(stream.recipient.in_(contact_points)))
        times = [((row["recipient"], row["sender"]), _time(row["message_id"])) for row in rows]
        return [(pair, at) for pair, at in times if at is not None]


def _time(message_id: str | None) -> datetime | None:
    """`None` where no message is known, and for the id of a refused one that names a time beyond the calendar."""
    try:
        return None if message_id is None else time_of(message_id)
    except ValueError:
        return None
