"""A long batch gives way between two messages, so that something urgent in the same process goes on."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from bridge_node import Node
from bridge_world import alert

from bridge.core.errors import UnavailableError

BATCH = 20


async def steps_beside(work: asyncio.Future[object]) -> int:
    """How often something else could run until the work was done, well or not."""
    steps = 0
    while not work.done():
        await asyncio.sleep(0)
        steps += 1
    return steps


class UnreachableStore:
    """A database that is away: what happens before it is needed is all that happens."""

    def writing(self) -> None:
        raise UnavailableError("E_DATABASE", "away")


async def test_others_run_between_any_two_messages_that_are_verified_and_opened(node: Node) -> None:
    batch = [alert().delivery(to="at.ncp") for _ in range(BATCH)]
    receiver = replace(node.receiver("at.ncp"), store=UnreachableStore())  # type: ignore[arg-type]  # away, see above
    receiving = asyncio.ensure_future(receiver.receive(batch))

    steps = await steps_beside(receiving)

    assert isinstance(receiving.exception(), UnavailableError)
    assert steps > 2 * BATCH


async def test_others_run_between_any_two_messages_that_are_routed(node: Node) -> None:
    batch = [alert().delivery(to="at") for _ in range(BATCH)]

    steps = await steps_beside(asyncio.ensure_future(node.router("at").route(batch)))

    assert len(node.publisher.published) == BATCH
    assert steps > BATCH
