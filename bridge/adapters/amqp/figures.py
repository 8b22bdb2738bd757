"""What the broker says of queues: over its management API where an account may look there, else by asking each queue.

The management API's figures are those of its last round, five seconds old at most. Asked over AMQP a queue says what is
ready and who consumes, at once, and neither what is in work nor how fast.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence
from urllib.parse import quote

import aio_pika

from bridge.adapters.amqp.faults import broker_calls
from bridge.adapters.amqp.login import Login
from bridge.adapters.amqp.management import Management
from bridge.adapters.amqp.probe import DEADLINE_SECONDS
from bridge.core.errors import UnavailableError
from bridge.ports.broker import QueueFigures

_COLUMNS = (
    "name",
    "messages_ready",
    "messages_unacknowledged",
    "consumers",
    "message_stats.publish_details.rate",
    "message_stats.deliver_get_details.rate",
)


async def figures_of_monitoring(url: str, vhost: str, queues: Sequence[str]) -> Sequence[QueueFigures]:
    """The figures of these queues in their order, by an account of the broker's tag `monitoring`.

    The account needs to be let into the virtual host, with patterns that match nothing: it then sees figures, and
    neither reads, writes nor declares anything.

    Raises:
        BadInputError, UnavailableError: as `Management` does.
    """
    management = Management.at(url)
    path = f"/api/queues/{quote(vhost, safe='')}?columns={','.join(_COLUMNS)}"
    _, answer = await asyncio.to_thread(management.request, "GET", path)
    there = {entry["name"]: entry for entry in json.loads(answer)}
    return [_figures(name, there.get(name)) for name in queues]


async def figures_by_asking(login: Login, queues: Sequence[str]) -> Sequence[QueueFigures]:
    """The figures that the queues themselves tell an account which reads them.

    Raises:
        UnavailableError: the broker cannot be reached, refuses the account, or a queue is not there.
    """
    *others, last = login.urls
    for url in others:
        try:
            return await _ask(url, login, queues)
        except UnavailableError:
            continue
    return await _ask(last, login, queues)


async def _ask(url: str, login: Login, queues: Sequence[str]) -> Sequence[QueueFigures]:
    async with (
        broker_calls(url, deadline_seconds=DEADLINE_SECONDS),
        await aio_pika.connect(url, ssl_context=login.ssl_context) as connection,
    ):
        channel = await connection.channel()
        declared = [(await channel.declare_queue(name, passive=True)).declaration_result for name in queues]
    return [
        QueueFigures(name, ready=told.message_count, consumers=told.consumer_count)
        for name, told in zip(queues, declared, strict=True)
    ]


def _figures(name: str, entry: Mapping[str, object] | None) -> QueueFigures:
    if entry is None:
        return QueueFigures(name)
    stats = entry.get("message_stats")
    rates = stats if isinstance(stats, dict) else {}
    return QueueFigures(
        name,
        ready=_whole(entry.get("messages_ready")),
        consumers=_whole(entry.get("consumers")),
        unacknowledged=_whole(entry.get("messages_unacknowledged")),
        in_per_second=_rate(rates.get("publish_details")),
        out_per_second=_rate(rates.get("deliver_get_details")),
    )


def _whole(value: object) -> int | None:
    return value if isinstance(value, int) else None


def _rate(details: object) -> float | None:
    rate = details.get("rate") if isinstance(details, dict) else None
    return float(rate) if isinstance(rate, int | float) else None
