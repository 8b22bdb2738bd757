"""What national systems are told by webhook, and in which words: what an envelope says, never a word of a message."""

from __future__ import annotations

import hashlib
import json
from base64 import b32encode
from datetime import datetime
from enum import StrEnum
from typing import Final

from bridge.core.times import format_time
from bridge.core.vocabulary import ACKNOWLEDGEMENT
from bridge.ports.store.webhooks import ArrivedItem, DeliveryRecord, RecipientNews, WebhookRecord

_ID_CHARACTERS: Final = 32  # of base32: 160 bits


class Event(StrEnum):
    """What a webhook may be told."""

    RECEIVED = "message.received"
    ACKNOWLEDGED = "message.acknowledged"
    STATE = "message.state"
    TEST = "webhook.test"


CHOSEN: Final = (Event.RECEIVED, Event.ACKNOWLEDGED, Event.STATE)  # a test needs no choosing


def of_arrival(webhook: WebhookRecord, item: ArrivedItem, now: datetime) -> DeliveryRecord | None:
    """The delivery for what arrived: an answer of a person, or another message; `None`: not chosen."""
    event = Event.ACKNOWLEDGED if item.kind == ACKNOWLEDGEMENT else Event.RECEIVED
    if event not in webhook.events:
        return None
    return DeliveryRecord(
        id=_id(webhook.id, event, item.sender, item.message_id, "", ""),
        webhook=webhook.id,
        event=event,
        sender=item.sender,
        message_id=item.message_id,
        recipient="",
        state="",
        code=None,
        kind=item.kind,
        status=item.status,
        urgency=item.urgency,
        at=item.received_at,
        made_at=now,
        due_at=now,
    )


def of_news(webhook: WebhookRecord, news: RecipientNews, now: datetime) -> DeliveryRecord | None:
    """The delivery for what became of a message of ours at one recipient; `None`: not chosen, or not its sender's."""
    if Event.STATE not in webhook.events or webhook.contact_point != news.sender:
        return None
    return DeliveryRecord(
        id=_id(webhook.id, Event.STATE, news.sender, news.message_id, news.recipient, news.state),
        webhook=webhook.id,
        event=Event.STATE,
        sender=news.sender,
        message_id=news.message_id,
        recipient=news.recipient,
        state=news.state,
        code=news.code,
        kind=news.kind,
        status=news.status,
        urgency=news.urgency,
        at=now,
        made_at=now,
        due_at=now,
    )


def of_test(webhook: WebhookRecord, number: str, now: datetime) -> DeliveryRecord:
    """The delivery of a test."""
    return DeliveryRecord(
        id=_id(webhook.id, Event.TEST, webhook.contact_point, number, "", ""),
        webhook=webhook.id,
        event=Event.TEST,
        sender=webhook.contact_point,
        message_id=number,
        recipient="",
        state="",
        code=None,
        kind=None,
        status=None,
        urgency=None,
        at=now,
        made_at=now,
        due_at=now,
    )


def payload_of(delivery: DeliveryRecord, contact_point: str) -> bytes:
    """What is posted: the same bytes in every attempt."""
    data = {"contact_point": contact_point}
    if delivery.event != Event.TEST:
        data |= {"id": delivery.message_id, "from": delivery.sender}
    told = {
        "kind": delivery.kind,
        "status": delivery.status,
        "urgency": delivery.urgency,
        "recipient": delivery.recipient,
        "state": delivery.state,
        "code": delivery.code,
    }
    data |= {name: value for name, value in told.items() if value}
    return json.dumps({"type": delivery.event, "timestamp": format_time(delivery.at), "data": data}).encode()


def _id(*parts: str) -> str:
    """The same for the same event at the same webhook, whoever makes it: a receiver tells repetitions by it."""
    digest = hashlib.sha256("\n".join(parts).encode()).digest()
    return f"evt_{b32encode(digest).decode().lower()[:_ID_CHARACTERS]}"
