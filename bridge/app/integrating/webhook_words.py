"""Webhooks and deliveries as commands and the interface show them."""

from __future__ import annotations

from bridge.core.times import format_time
from bridge.ports.store.webhooks import DeliveryRecord, WebhookRecord


def webhook_told(record: WebhookRecord, waiting: int) -> dict[str, object]:
    """A webhook; its secret is not shown."""
    times = {"made_at": record.made_at, "failing_since": record.failing_since, "disabled_at": record.disabled_at}
    return {
        "id": record.id,
        "contact_point": record.contact_point,
        "url": record.url,
        "events": list(record.events),
        "made_by": record.made_by,
        **{name: format_time(at) if at else None for name, at in times.items()},
        "reason": record.reason,
        "waiting": waiting,
    }


def delivery_told(record: DeliveryRecord) -> dict[str, object]:
    """A delivery; `result` is delivered, waiting, or given_up."""
    times = {"at": record.at, "due_at": record.due_at, "last_at": record.last_at, "answered_at": record.answered_at}
    result = "waiting" if record.due_at else "given_up" if record.given_up_at else "delivered"
    return {
        "id": record.id,
        "event": record.event,
        "from": record.sender,
        "message_id": record.message_id,
        "recipient": record.recipient or None,
        "state": record.state or None,
        "result": result,
        "attempts": record.attempts,
        "last_status": record.last_status,
        "last_error": record.last_error,
        **{name: format_time(at) if at else None for name, at in times.items()},
    }
