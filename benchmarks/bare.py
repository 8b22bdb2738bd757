"""What the bridge is compared with: aio-pika written straight from its documentation, no more.

`python -m benchmarks.bare PLAN ROLE...`. It moves the same bytes over the same queues: `publish` to the origin's
exchange, `move` from the country queue to the inbox queue, `consume`. Every publish is persistent, mandatory and
confirmed, at most `window` at once; every delivery is acknowledged by itself; prefetch 200. Nothing is verified or
stored. It says `ready`, waits for a line, says at the end when each message began or ended, and waits to be ended.
"""

from __future__ import annotations

import asyncio
import base64
import json
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final, TypedDict

import aio_pika
from aio_pika.abc import AbstractExchange, AbstractIncomingMessage

WINDOW: Final = 100
PREFETCH: Final = 200


class Plan(TypedDict):
    """What the parent process writes; the file is private, the URLs hold passwords.

    Attributes:
        urls: by role.
        exchanges, keys: where `publish` and `move` publish to.
        queues: what `move` and `consume` read.
        messages: row id, message id, wire bytes in base64.
        pause: seconds between two publishes; 0 for a burst.
    """

    urls: dict[str, str]
    exchanges: dict[str, str]
    keys: dict[str, str]
    queues: dict[str, str]
    messages: list[tuple[str, str, str]]
    pause: float


Times = dict[str, float]


async def publish(plan: Plan, go: asyncio.Event, ready: Callable[[], None]) -> Times:
    """Publishes all messages; answers when each was begun."""
    messages = [(row_id, message_id, base64.b64decode(text)) for row_id, message_id, text in plan["messages"]]
    began: Times = {}
    window = asyncio.Semaphore(WINDOW)
    async with _exchange(plan, "publish") as exchange, asyncio.TaskGroup() as group:
        ready()
        await go.wait()
        for row_id, message_id, body in messages:
            await window.acquire()
            began[message_id] = time.monotonic()
            publishing = exchange.publish(_message(body, row_id, message_id), plan["keys"]["publish"])
            group.create_task(_released(window, publishing))
            if plan["pause"]:
                await asyncio.sleep(plan["pause"])
    return began


async def move(plan: Plan, _: asyncio.Event, ready: Callable[[], None]) -> Times:
    """Moves all messages on to the inbox queue, acknowledging each once it was confirmed there."""
    window = asyncio.Semaphore(WINDOW)
    async with _exchange(plan, "move") as exchange:

        async def on_message(message: AbstractIncomingMessage) -> None:
            async with window:
                onward = _message(message.body, message.message_id or "", message.correlation_id or "")
                await exchange.publish(onward, plan["keys"]["move"])
            await message.ack()

        await _consume(plan, "move", on_message, ready)
    return {}


async def consume(plan: Plan, _: asyncio.Event, ready: Callable[[], None]) -> Times:
    """Acknowledges all messages; answers when each was there."""
    ended: Times = {}

    async def on_message(message: AbstractIncomingMessage) -> None:
        ended[message.correlation_id or ""] = time.monotonic()
        await message.ack()

    await _consume(plan, "consume", on_message, ready)
    return ended


async def _consume(
    plan: Plan, role: str, on_message: Callable[[AbstractIncomingMessage], Awaitable[None]], ready: Callable[[], None]
) -> None:
    """Until as many messages are settled as there are."""
    left = len(plan["messages"])
    finished = asyncio.Event()

    async def counted(message: AbstractIncomingMessage) -> None:
        nonlocal left
        await on_message(message)
        left -= 1
        if left == 0:
            finished.set()

    async with await aio_pika.connect(plan["urls"][role]) as connection:
        channel = await connection.channel()
        await channel.set_qos(prefetch_count=PREFETCH)
        queue = await channel.get_queue(plan["queues"][role], ensure=False)
        await queue.consume(counted)
        ready()
        await finished.wait()


@asynccontextmanager
async def _exchange(plan: Plan, role: str) -> AsyncIterator[AbstractExchange]:
    async with await aio_pika.connect(plan["urls"][role]) as connection:
        channel = await connection.channel(publisher_confirms=True, on_return_raises=True)
        yield await channel.get_exchange(plan["exchanges"][role], ensure=False)


async def _released(window: asyncio.Semaphore, publishing: Awaitable[object]) -> None:
    try:
        await publishing
    finally:
        window.release()


def _message(body: bytes, row_id: str, message_id: str) -> aio_pika.Message:
    return aio_pika.Message(
        body,
        content_type="application/jose+json",
        delivery_mode=aio_pika.DeliveryMode.PERSISTENT,
        message_id=row_id,
        correlation_id=message_id,
    )


async def run_roles(plan: Plan, roles: list[str]) -> dict[str, Times]:
    """Runs the roles side by side; `ready` once all are, and then begins at the parent's line."""
    go = asyncio.Event()
    waiting = set(roles)

    async def one(role: str) -> Times:
        def ready() -> None:
            waiting.discard(role)
            if not waiting:
                sys.stdout.write("ready\n")
                sys.stdout.flush()

        return await {"publish": publish, "move": move, "consume": consume}[role](plan, go, ready)

    async with asyncio.TaskGroup() as group:
        running = {role: group.create_task(one(role)) for role in roles}
        await asyncio.to_thread(sys.stdin.readline)
        go.set()
    return {role: task.result() for role, task in running.items()}


if __name__ == "__main__":
    _plan: Plan = json.loads(Path(sys.argv[1]).read_text("utf-8"))
    sys.stdout.write(json.dumps(asyncio.run(run_roles(_plan, sys.argv[2:]))) + "\n")
    sys.stdout.flush()
    sys.stdin.read()  # its CPU time is read while it is still there
