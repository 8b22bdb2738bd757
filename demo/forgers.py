"""Injects the forgeries into the broker with the stolen account of one member's relay."""

from __future__ import annotations

from typing import Final

import aio_pika

from bridge.app.sending.submit import DEFAULT_RETENTION, alert_of
from bridge.compose.broker_login import login_of
from bridge.compose.node import Node, load_desks
from bridge.core.broker_names import ingress_exchange
from bridge.counterparts.forgeries import Forged, forged_by, workshop_of
from demo.officers import SAMPLES, Sent, samples

DEADLINE_SECONDS: Final = 20.0


def forge(thief: Node, *, victim: str, other: str, sent: Sent) -> list[Forged]:
    """What a thief of this node's keys and relay account makes; `sent` is an alert that the victim has from it."""
    first = next(sample for sample in samples() if sample.supersedes is None)
    alert = alert_of((SAMPLES / first.file).read_bytes())
    body = alert.body_members(retain_until_default=thief.clock.now() + DEFAULT_RETENTION, supersedes=None)
    desks, _ = load_desks(thief.settings)
    sender = sent.sample.sender
    workshop = workshop_of(
        desks[sender],
        thief.trust.current(),
        victim=victim,
        other=other,
        body=body,
        known=(sent.submitted.id, sent.submitted.thread),
    )
    return forged_by(workshop)


async def inject(thief: Node, forgeries: list[Forged]) -> None:
    """Publishes the forgeries as the thief's relay would."""
    settings = thief.settings
    login = login_of(settings, thief.trust, settings.broker.relay)
    async with await aio_pika.connect(
        login.urls[0], ssl_context=login.ssl_context, timeout=DEADLINE_SECONDS
    ) as connection:
        channel = await connection.channel()
        exchange = await channel.get_exchange(ingress_exchange(settings.prefix), ensure=False)
        for forged in forgeries:
            made = forged.made
            message = aio_pika.Message(
                made.wire_bytes,
                content_type="application/jose+json",
                delivery_mode=aio_pika.DeliveryMode.PERSISTENT,
                correlation_id=made.correlation_id or made.id,
                message_id=made.id,
                type=made.type or made.kind,
                app_id=made.app_id or made.sender,
                headers={name: list(values) for name, values in made.headers.items()},
            )
            await exchange.publish(message, made.routing_key, timeout=DEADLINE_SECONDS)
