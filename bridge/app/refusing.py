"""Keeping what was refused or cannot be judged yet: raw bytes, code, step, time, origin queue."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from bridge.core.errors import VerificationError
from bridge.core.verification import HELD_CODES
from bridge.ports.broker import Delivery
from bridge.ports.clock import Ids
from bridge.ports.store import UnitOfWork
from bridge.ports.store.records import Refusal

HELD_QUOTA_BYTES: Final = 64 * 1024 * 1024


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


async def keep_refusals(unit: UnitOfWork, refusals: list[Refusal]) -> None:
    """Holds what may verify later, quarantines the rest; what no longer fits the quota is quarantined too."""
    held = [refusal for refusal in refusals if refusal.code in HELD_CODES]
    refused = [refusal for refusal in refusals if refusal.code not in HELD_CODES]
    if held:
        refused += await unit.refusals.hold(held, quota_bytes=HELD_QUOTA_BYTES)
    if refused:
        await unit.refusals.quarantine(refused)
