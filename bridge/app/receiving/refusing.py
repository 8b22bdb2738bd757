"""Keeping what was refused or cannot be judged yet: raw bytes, code, step, time, origin queue.

Whoever may publish can fill these tables, so both have quotas. What may verify later has one for each code: the step of
`E_KEY_UNKNOWN` proves nothing about the sender, and must never push out what is only ahead of the clock or of the list.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from types import MappingProxyType
from typing import Final

from bridge.core.errors import VerificationError
from bridge.core.verification import HELD_CODES, Hints
from bridge.ports.broker import Delivery
from bridge.ports.clock import Ids
from bridge.ports.store import UnitOfWork
from bridge.ports.store.records import AuditEntry, Quarantined, Refusal

_MIB: Final = 1024 * 1024
HELD_QUOTAS_BYTES: Final[Mapping[str, int]] = MappingProxyType(
    {
        "E_KEY_UNKNOWN": 64 * _MIB,
        "E_FUTURE": 64 * _MIB,
        "E_TRUST_STALE": 256 * _MIB,  # cut off from the list, everything that arrives
    }
)
QUARANTINE_QUOTA_BYTES: Final = 1024 * _MIB


@dataclass(frozen=True, slots=True)
class Replayed:
    """A batch that comes out of quarantine, because somebody had it verified again.

    Attributes:
        ids: its entries in quarantine, one per delivery.
        holder: the contact point that refused it, `None` for the router.
        actor: who asked.
        at: when.
    """

    ids: Sequence[str]
    holder: str | None
    actor: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Kept:
    """What became of refusals, by their ids.

    Attributes:
        quarantined: now in quarantine, and not there before: what an audit log notes once.
        overflowed: could have been held, but the quota was exhausted; in quarantine as well.
    """

    quarantined: frozenset[str] = frozenset()
    overflowed: frozenset[str] = frozenset()


def refusal_of(
    delivery: Delivery, error: VerificationError, *, contact_point: str | None, at: datetime, ids: Ids
) -> Refusal:
    """The record of a delivery that did not verify."""
    hints = delivery.hints
    return Refusal(
        id=ids.new(at),
        code=error.code,
        step=error.step,
        detail=error.message,
        at=at,
        queue=delivery.queue,
        contact_point=contact_point,
        properties={
            "correlation_id": hints.correlation_id,
            "type": hints.type,
            "app_id": hints.app_id,
            "routing_key": hints.routing_key,
            "user_id": hints.user_id,
            "copied": "true" if hints.copied else None,
        },
        wire_bytes=delivery.wire_bytes,
    )


def delivery_of(kept: Refusal | Quarantined, wire_bytes: bytes) -> Delivery:
    """What was refused or held as it came, to be judged again from the first byte."""
    said = kept.properties
    return Delivery(
        tag=0,
        queue=kept.queue,
        wire_bytes=wire_bytes,
        hints=Hints(
            correlation_id=said.get("correlation_id"),
            type=said.get("type"),
            app_id=said.get("app_id"),
            routing_key=said.get("routing_key"),
            user_id=said.get("user_id"),
            copied=said.get("copied") is not None,
        ),
        redelivered=True,
    )


def is_held(error: VerificationError) -> bool:
    """Whether the verdict may still change with the membership list or the clock."""
    return error.code in HELD_CODES


def refused_entry(refusal: Refusal, *, contact_point: str, at: datetime) -> AuditEntry:
    """What a contact point's audit log says of a refusal."""
    detail = {"code": refusal.code, "step": str(refusal.step)}
    return AuditEntry(at, contact_point, "message.refused", contact_point, refusal.id, detail)


async def keep_refusals(
    unit: UnitOfWork,
    refusals: Sequence[Refusal | None],
    *,
    held: Sequence[str] = (),
    replayed: Replayed | None = None,
) -> Kept:
    """Holds what may verify later, quarantines the rest and what no longer fits a quota.

    Args:
        unit: the transaction.
        refusals: one per delivery of a batch, `None` for what was not refused.
        held: when the batch was held here before: the ids under which it is, one per delivery. What is still held stays
            there under its newest code, whatever else came of a delivery takes it out.
        replayed: when the batch comes out of quarantine. What is refused again stays there under its newest code.
    """
    if replayed is not None:
        return await _settle_replayed(unit, refusals, replayed)
    waiting = [refusal for refusal in refusals if refusal is not None and refusal.code in HELD_CODES]
    refused = [refusal for refusal in refusals if refusal is not None and refusal.code not in HELD_CODES]
    overflowed: Sequence[Refusal] = ()
    if held:
        pairs = list(zip(held, refusals, strict=True))
        staying = {own: one for own, one in pairs if one is not None and one.code in HELD_CODES}
        await unit.refusals.keep_holding([replace(refusal, id=own) for own, refusal in staying.items()])
        await unit.refusals.drop_held([own for own in held if own not in staying])
    elif waiting:
        overflowed = await unit.refusals.hold(waiting, quotas=HELD_QUOTAS_BYTES)
    quarantined = await quarantine(unit, [*refused, *overflowed])
    return Kept(frozenset(quarantined), frozenset(refusal.id for refusal in overflowed))


async def _settle_replayed(unit: UnitOfWork, refusals: Sequence[Refusal | None], replayed: Replayed) -> Kept:
    """What became of a replayed batch, in the transaction in which it is stored; each entry is audited."""
    pairs = list(zip(replayed.ids, refusals, strict=True))
    waiting = [refusal for refusal in refusals if refusal is not None and refusal.code in HELD_CODES]
    left = await unit.refusals.hold(waiting, quotas=HELD_QUOTAS_BYTES) if waiting else ()
    overflowed = frozenset(refusal.id for refusal in left)
    staying = {
        own: refusal
        for own, refusal in pairs
        if refusal is not None and (refusal.code not in HELD_CODES or refusal.id in overflowed)
    }
    await unit.refusals.refuse_again([replace(refusal, id=own) for own, refusal in staying.items()])
    await unit.refusals.take_out([own for own in replayed.ids if own not in staying])
    entries = []
    for own, refusal in pairs:
        detail = {"outcome": "refused" if own in staying else "accepted" if refusal is None else "held"}
        detail |= {} if refusal is None else {"code": refusal.code, "step": str(refusal.step)}
        entries.append(AuditEntry(replayed.at, replayed.actor, "quarantine.replayed", replayed.holder, own, detail))
    await unit.audit.add(entries)
    return Kept(overflowed=overflowed)


async def quarantine(unit: UnitOfWork, refusals: Sequence[Refusal]) -> Sequence[str]:
    """Puts refusals into quarantine; answers the ids of those that were not there before."""
    return await unit.refusals.quarantine(refusals, quota_bytes=QUARANTINE_QUOTA_BYTES) if refusals else []
