"""The sender's counters: one per (sender, recipient, epoch, lane), starting at a random number (wire-format: `seq`)."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final

from sqlalchemy import and_, select, update

from bridge.adapters.store.tables import node_state, sequence_counter
from bridge.adapters.store.transaction import Transaction, in_parts

# Room for every number that will ever be taken below 2^53, the largest that the wire carries.
_STARTS_BELOW: Final = 2**48


async def take_numbers(
    transaction: Transaction, sender: str, recipients: Sequence[str], *, lane: str
) -> tuple[int, Mapping[str, int]]:
    """Takes the next number towards each recipient; answers (epoch, recipient -> number)."""
    epoch: int = (await transaction.rows(select(node_state.c.epoch)))[0]["epoch"]
    counter = sequence_counter.c
    ordered = sorted(set(recipients))  # one order of locking for everybody
    key = {"sender": sender, "epoch": epoch, "lane": lane}
    fresh = [key | {"recipient": recipient} | _start() for recipient in ordered]
    await transaction.change_each(transaction.insert(sequence_counter).on_conflict_do_nothing(), fresh)
    numbers: dict[str, int] = {}
    for part in in_parts(ordered):
        those = and_(
            counter.sender == sender, counter.epoch == epoch, counter.lane == lane, counter.recipient.in_(part)
        )
        locked = select(counter.recipient, counter.next_number).where(those)
        for row in await transaction.rows(locked.order_by(counter.recipient).with_for_update()):
            numbers[row["recipient"]] = row["next_number"]
        await transaction.change(update(sequence_counter).where(those).values(next_number=counter.next_number + 1))
    return epoch, numbers


async def begin_epoch(transaction: Transaction, now: datetime) -> int:
    """Begins a new epoch and answers it: the Unix time, which no forgotten epoch has reached, and above the old one."""
    state = node_state.c
    old: int = (await transaction.rows(select(state.epoch).with_for_update()))[0]["epoch"]
    epoch = max(old + 1, int(now.timestamp()))
    await transaction.change(update(node_state).values(epoch=epoch, restored_at=now))
    return epoch


def _start() -> dict[str, int]:
    first = 1 + secrets.randbelow(_STARTS_BELOW)
    return {"first_number": first, "next_number": first}
