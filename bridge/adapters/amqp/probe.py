"""Tries one broker account for real: can it log in, and is what it needs there? Changes nothing."""

from __future__ import annotations

import contextlib
import ssl
from collections.abc import Sequence
from typing import Final

import aio_pika
from pamqp.commands import Queue

from bridge.adapters.amqp.faults import broker_calls
from bridge.adapters.amqp.login import Login
from bridge.adapters.amqp.topology import MAX_LENGTH
from bridge.core.errors import UnavailableError

DEADLINE_SECONDS: Final = 10.0


async def probe_brokers(login: Login, *, queues: Sequence[str] = (), exchange: str | None = None) -> str:
    """Tries the nodes of one cluster in turn, as a session does; the first that answers speaks for all.

    Raises:
        UnavailableError: what the last of them said, when none answers.
    """
    *others, last = login.urls
    for url in others:
        with contextlib.suppress(UnavailableError):
            return await probe_broker(url, ssl_context=login.ssl_context, queues=queues, exchange=exchange)
    return await probe_broker(last, ssl_context=login.ssl_context, queues=queues, exchange=exchange)


async def probe_broker(
    url: str,
    *,
    ssl_context: ssl.SSLContext | None = None,
    queues: Sequence[str] = (),
    exchange: str | None = None,
    full_at: int = MAX_LENGTH,
) -> str:
    """One sentence on what was found.

    Args:
        url: the broker's, with the account.
        ssl_context: as in `Login`.
        queues: what the account reads.
        exchange: where it writes.
        full_at: messages from which on a queue takes no more. A lower limit set by a policy cannot be seen from here;
            whoever publishes into the queue sees it.

    Raises:
        UnavailableError: the broker cannot be reached, refuses the account, lacks a queue or the exchange, or a queue
            is full.
    """
    async with (
        broker_calls(url, deadline_seconds=DEADLINE_SECONDS),
        await aio_pika.connect(url, ssl_context=ssl_context) as connection,
    ):
        channel = await connection.channel()
        declared = [(await channel.declare_queue(name, passive=True)).declaration_result for name in queues]
        if exchange is not None:
            await channel.get_exchange(exchange)
    full = [
        f"{name} ({queue.message_count})"
        for name, queue in zip(queues, declared, strict=True)
        if _holds(queue, full_at)
    ]
    if full:
        detail = f"full, so that others keep what is for it: {', '.join(full)}; is `ncp-bridge run` up?"
        raise UnavailableError("E_BROKER_QUEUE_FULL", detail)
    waiting = sum(queue.message_count or 0 for queue in declared)
    parts = [f"{len(queues)} queues there, {waiting} messages waiting"] if queues else []
    if queues and not all(queue.consumer_count for queue in declared):
        parts.append("nobody consumes all of them: is `ncp-bridge run` up?")
    parts += [f"exchange {exchange} there"] if exchange else []
    return "logged in; " + "; ".join(parts)


def _holds(queue: Queue.DeclareOk, most: int) -> bool:
    return (queue.message_count or 0) >= most
