"""A peer says which numbers it has used towards us, and which of them never come."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final

import structlog

from bridge.core.messages import HeartbeatControl
from bridge.core.number_ranges import as_ranges, in_words
from bridge.ports.store import UnitOfWork
from bridge.ports.store.no_gap import NumberRange, VoidNumber
from bridge.ports.store.records import AuditEntry

VOID_ENTRY: Final = "sequence.void"
IGNORED_ENTRY: Final = "sequence.ignored"  # too many epochs in which nothing ever came

_log = structlog.get_logger()


async def note_heartbeats(
    unit: UnitOfWork, beats: Sequence[tuple[str, HeartbeatControl]], *, contact_point: str, now: datetime
) -> None:
    """Opens gaps for what was used and never came; closes those that never close otherwise, with an audit entry each.

    Args:
        unit: the caller's transaction.
        beats: (sender, heartbeat), in order.
        contact_point: whom they were sent to.
        now: the clock.
    """
    ranges = [
        NumberRange(contact_point, sender, beat.epoch, lane, used.first, used.last)
        for sender, beat in beats
        for lane, used in (("urgent", beat.urgent), ("normal", beat.normal))
    ]
    ignored = await unit.gaps.note_used(ranges, now)
    if ignored:
        await _say_ignored(unit, {one.sender: one for one in ignored}, now)
    named = [
        VoidNumber(contact_point, sender, beat.epoch, void.lane, void.number, void.code)
        for sender, beat in beats
        for void in beat.void
    ]
    voided = await unit.gaps.void(named) if named else ()
    if voided:
        await unit.audit.add(_entries(voided, now))


async def _say_ignored(unit: UnitOfWork, ignored: Mapping[str, NumberRange], now: datetime) -> None:
    """Once for each sender: its next heartbeats say the same."""
    entries = []
    for sender, one in ignored.items():
        subject = f"{one.recipient} {sender} streams"
        if not await unit.audit.list(subject=subject, action=IGNORED_ENTRY, limit=1):
            detail = {"from": sender, "epoch": str(one.epoch), "lane": one.lane}
            _log.warning(IGNORED_ENTRY, contact_point=one.recipient, **detail)
            entries.append(AuditEntry(now, sender, IGNORED_ENTRY, one.recipient, subject, detail))
    if entries:
        await unit.audit.add(entries)


def _entries(voided: Sequence[VoidNumber], now: datetime) -> list[AuditEntry]:
    together: dict[tuple[str, str, int, str, str], list[int]] = defaultdict(list)
    for one in voided:
        together[one.recipient, one.sender, one.epoch, one.lane, one.code].append(one.number)
    entries = []
    for (recipient, sender, epoch, lane, code), numbers in together.items():
        named = in_words(as_ranges(numbers))
        detail = {"from": sender, "epoch": str(epoch), "lane": lane, "numbers": named, "code": code}
        _log.warning(VOID_ENTRY, contact_point=recipient, **detail)
        entries.append(AuditEntry(now, sender, VOID_ENTRY, recipient, recipient, detail))
    return entries
