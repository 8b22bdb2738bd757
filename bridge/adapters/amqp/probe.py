"""Tries one broker account for real: can it log in, and is what it needs there? Changes nothing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import aio_pika

from bridge.adapters.amqp.faults import broker_calls

DEADLINE_SECONDS: Final = 10.0


async def probe_broker(url: str, *, queues: Sequence[str] = (), exchange: str | None = None) -> str:
    """One sentence on what was found.

    Raises:
        UnavailableError: the broker cannot be reached, refuses the account, or lacks a queue or the exchange.
    """
    async with broker_calls(url, deadline_seconds=DEADLINE_SECONDS), await aio_pika.connect(url) as connection:
        channel = await connection.channel()
        declared = [(await channel.declare_queue(name, passive=True)).declaration_result for name in queues]
        if exchange is not None:
            await channel.get_exchange(exchange)
    waiting = sum(queue.message_count or 0 for queue in declared)
    parts = [f"{len(queues)} queues there, {waiting} messages waiting"] if queues else []
    if queues and not all(queue.consumer_count for queue in declared):
        parts.append("nobody consumes all of them: is `ncp-bridge run` up?")
    parts += [f"exchange {exchange} there"] if exchange else []
    return "logged in; " + "; ".join(parts)
