"""Injects the forgeries into the broker with the stolen account of one member's relay."""

from __future__ import annotations

from typing import Final

import aio_pika

from bridge.app.sending.submit import DEFAULT_RETENTION, alert_of
from bridge.compose.broker_login import login_of
from bridge.compose.node import Node, load_desks
from bridge.core.broker_names import ingress_exchange
from demo.forgeries import Forgery, Workshop
from demo.officers import SAMPLES, Sent, samples

DEADLINE_SECONDS: Final = 20.0


def forge(thief: Node, *, victim: str, other: str, sent: Sent) -> list[Forgery]:
    """What a thief of this node's keys and relay account makes; `sent` is an alert that the victim has from it."""
    first = next(sample for sample in samples() if sample.supersedes is None)
    alert = alert_of((SAMPLES / first.file).read_bytes())
    body = alert.body_members(retain_until_default=thief.clock.now() + DEFAULT_RETENTION, supersedes=None)
    desks, _ = load_desks(thief.settings)
    sender = sent.sample.sender
    workshop = Workshop(desk=desks[sender], directory=thief.trust.current(), victim=victim, other=other, body=body)
    return workshop.forgeries(known=(sent.submitted.id, sender, sent.submitted.thread))


async def inject(thief: Node, forgeries: list[Forgery]) -> None:
    """Publishes the forgeries as the thief's relay would."""
    settings = thief.settings
    login = login_of(settings, thief.trust, settings.broker.relay)
    async with await aio_pika.connect(
        login.urls[0], ssl_context=login.ssl_context, timeout=DEADLINE_SECONDS
    ) as connection:
        channel = await connection.channel()
        exchange = await channel.get_exchange(ingress_exchange(settings.prefix), ensure=False)
        for forgery in forgeries:
            message = aio_pika.Message(
                forgery.wire_bytes,
                content_type="application/jose+json",
                delivery_mode=aio_pika.DeliveryMode.PERSISTENT,
                correlation_id=forgery.correlation_id,
                message_id=forgery.correlation_id,
                type=forgery.kind,
                app_id=forgery.sender,
                headers={name: list(values) for name, values in forgery.headers.items()},
            )
            await exchange.publish(message, forgery.routing_key, timeout=DEADLINE_SECONDS)
