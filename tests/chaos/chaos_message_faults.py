"""Faults in what the broker carries: poison, and deliveries that come twice and in another order."""

from __future__ import annotations

import asyncio
import random
import signal
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Final

import aio_pika
from chaos_alerts import ROUTINE, alert_file
from chaos_plan import Fault
from chaos_records import SUBMITTED, read_records
from chaos_services import Service
from chaos_sockets import cut_connections
from chaos_world import World

from bridge.compose.node import load_desks, open_trust
from bridge.core import broker_names as names
from bridge.counterparts.forgeries import forged_by, workshop_of
from bridge.counterparts.making import Made
from bridge.settings import load_settings

GARBAGE: Final = 150
FORGED_COPIES: Final = 4
MOST_TAKEN: Final = 400
DEADLINE_SECONDS: Final = 20.0
NOTICE_SECONDS: Final = 0.5  # until the broker has seen a cut and has its deliveries back
RETENTION: Final = timedelta(days=90)


@dataclass
class Poison:
    """Forges with a member's stolen keys, and publishes as the administrator."""

    world: World
    _forged: dict[tuple[str, str], list[Made]] = field(default_factory=dict)

    async def flood(self, victim: str, *, thief: str, dice: int) -> None:
        """Garbage and forged envelopes into the queues of one country, all at once."""
        chance = random.Random(dice)  # noqa: S311 - to be repeated
        if (thief, victim) not in self._forged:
            self._forged[thief, victim] = await self._forge(thief, victim)
        forged = self._forged[thief, victim]
        async with await aio_pika.connect(self.world.broker.amqp_url(self.world.vhost)) as connection:
            channel = await connection.channel()
            alerts = await channel.get_exchange(names.ALERTS, ensure=False)
            publishes = [
                channel.default_exchange.publish(_garbage(chance), _some_queue(victim, chance))
                for _ in range(GARBAGE // 2)
            ]
            publishes += [
                alerts.publish(_garbage(chance), f"{thief}.{victim}.{chance.choice(names.LANES)}.route_alert")
                for _ in range(GARBAGE // 2)
            ]
            publishes += [
                alerts.publish(_as_message(forgery), forgery.routing_key)
                for forgery in forged
                for _ in range(FORGED_COPIES)
            ]
            async with asyncio.timeout(DEADLINE_SECONDS):
                await asyncio.gather(*publishes)

    async def _forge(self, thief: str, victim: str) -> list[Made]:
        settings = load_settings(self.world.countries[thief].config)
        desks, _ = load_desks(settings)
        trust = open_trust(settings)
        await trust.refresh()
        sender, at = f"{thief}.ncp", f"{victim}.ncp"
        other = next(one for one in self.world.countries if one not in {thief, victim})
        body = alert_file(thief, (victim,), urgency=ROUTINE).body_members(
            retain_until_default=trust.current().signed_at + RETENTION
        )
        known = next(
            record
            for record in read_records(self.world.records, SUBMITTED).values()
            if record.sender == sender and at in record.recipients
        )
        workshop = workshop_of(
            desks[sender],
            trust.current(),
            victim=at,
            other=f"{other}.ncp",
            body=body,
            known=(known.id, known.id),
        )
        return [forged.made for forged in forged_by(workshop)]


async def shuffle_and_double(world: World, services: Sequence[Service], fault: Fault) -> None:
    """Holds a country's services, takes what its queues have, and publishes it again: each twice, in any order."""
    chance = random.Random(fault.dice)  # noqa: S311 - to be repeated
    for service in services:
        service.signal(signal.SIGSTOP)
    try:
        await asyncio.sleep(fault.seconds)
        for service in services:
            if service.pid is not None:  # what it has been given already goes back to the queues
                cut_connections(service.pid, ports=world.ports)
        await asyncio.sleep(NOTICE_SECONDS)
        async with await aio_pika.connect(world.broker.amqp_url(world.vhost)) as connection:
            await _publish_again(connection, fault.target, chance)
    finally:
        for service in services:
            service.signal(signal.SIGCONT)


async def _publish_again(connection: aio_pika.abc.AbstractConnection, country: str, chance: random.Random) -> None:
    channel = await connection.channel(on_return_raises=True)
    for name in _queues(country):
        queue = await channel.get_queue(name, ensure=False)
        taken: list[aio_pika.abc.AbstractIncomingMessage] = []
        while len(taken) < MOST_TAKEN and (message := await queue.get(no_ack=False, fail=False)) is not None:
            taken.append(message)
        again = [message for message in taken for _ in range(2)]
        chance.shuffle(again)
        for message in again:
            exchange = await channel.get_exchange(message.exchange or "", ensure=False)
            copy = aio_pika.Message(message.body, **_properties(message))
            await exchange.publish(copy, message.routing_key or "", timeout=DEADLINE_SECONDS)
        for message in taken:
            await message.ack()


def _properties(message: aio_pika.abc.AbstractIncomingMessage) -> dict[str, Any]:
    return {
        "content_type": message.content_type,
        "delivery_mode": message.delivery_mode,
        "correlation_id": message.correlation_id,
        "message_id": message.message_id,
        "timestamp": message.timestamp,
        "type": message.type,
        "app_id": message.app_id,
        "headers": message.headers,  # a forged `CC` would be gone without them, and the message good
    }


def _queues(country: str) -> Sequence[str]:
    inbox = names.inbox_queues(f"{country}.ncp")
    return [*(names.country_queue(country, lane) for lane in names.LANES), *inbox]


def _some_queue(country: str, chance: random.Random) -> str:
    return chance.choice([*_queues(country), names.dead_queue(country)])


def _garbage(chance: random.Random) -> aio_pika.Message:
    return aio_pika.Message(chance.randbytes(chance.randrange(1, 4000)), headers={"noise": chance.randrange(100)})


def _as_message(forgery: Made) -> aio_pika.Message:
    return aio_pika.Message(
        forgery.wire_bytes,
        content_type="application/jose+json",
        delivery_mode=aio_pika.DeliveryMode.PERSISTENT,
        correlation_id=forgery.correlation_id or forgery.id,
        message_id=forgery.id,
        type=forgery.type or forgery.kind,
        app_id=forgery.app_id or forgery.sender,
        headers={name: list(values) for name, values in forgery.headers.items()},
    )
