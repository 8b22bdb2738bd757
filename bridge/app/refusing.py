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
from bridge.core.verification import HELD_CODES
from bridge.ports.broker import Delivery
from bridge.ports.clock import Ids
from bridge.ports.store import UnitOfWork
from bridge.ports.store.records import AuditEntry, Refusal

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


def is_held(error: VerificationError) -> bool:
    """Whether the verdict may still change with the membership list or the clock."""
    return error.code in HELD_CODES


def refused_entry(refusal: Refusal, *, contact_point: str, at: datetime) -> AuditEntry:
    """What a contact point's audit log says of a refusal."""
    detail = {"code": refusal.code, "step": str(refusal.step)}
    return AuditEntry(at, contact_point, "message.refused", contact_point, refusal.id, detail)


async def keep_refusals(unit: UnitOfWork, refusals: Sequence[Refusal | None], *, held: Sequence[str] = ()) -> Kept:
    """Holds what may verify later, quarantines the rest and what no longer fits a quota.

    Args:
        unit: the transaction.
        refusals: one per delivery of a batch, `None` for what was not refused.
        held: when the batch was held here before: the ids under which it is, one per delivery. What is still held stays
            there under its newest code, whatever else came of a delivery takes it out.
    """
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


async def quarantine(unit: UnitOfWork, refusals: Sequence[Refusal]) -> Sequence[str]:
    """Puts refusals into quarantine; answers the ids of those that were not there before."""
    return await unit.refusals.quarantine(refusals, quota_bytes=QUARANTINE_QUOTA_BYTES) if refusals else []
