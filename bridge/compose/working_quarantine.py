"""The use cases over a node's quarantine, each with only what it needs.

Keys are loaded where contact points judge or sign; the broker is asked for where the router hands on.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import Final

from bridge.adapters.amqp.publisher import AmqpPublisher
from bridge.adapters.amqp.session import AmqpSession
from bridge.adapters.jose.signatures import is_signature
from bridge.app.quarantine.drop import DropQuarantine
from bridge.app.quarantine.give_back import ReturnQuarantine
from bridge.app.quarantine.picking import Done, Progress
from bridge.app.quarantine.replay import ReplayQuarantine
from bridge.compose.broker_login import login_of
from bridge.compose.judging import Judges
from bridge.compose.node import Node
from bridge.core.errors import BadInputError
from bridge.ports.store.records import Quarantined

CONNECT_SECONDS: Final = 10.0


def _untold(_: int) -> None:
    """For who shows no progress."""


@asynccontextmanager
async def replaying(node: Node, items: Sequence[Quarantined]) -> AsyncIterator[ReplayQuarantine]:
    """Replays these items against the newest membership list.

    Raises:
        UnavailableError: the keys or the list are not there; the broker, where the router refused one of the items;
            `E_CLOCK`, this machine's clock was set.
    """
    await node.check_clock()
    await node.trust.refresh()
    holders = {item.contact_point for item in items if item.has_bytes}
    judges = Judges(prefix=node.settings.prefix, store=node.store, trust=node.trust, clock=node.clock, ids=node.ids)
    hosted = [holder for holder in node.hosted if holder in holders]
    receivers = {holder: judges.contact_point(node.desks()[holder], node.reading.vault) for holder in hosted}
    async with AsyncExitStack() as stack:
        router = None
        if None in holders:
            login = partial(login_of, node.settings, node.trust, node.settings.broker.router)
            session = AmqpSession(login, name=f"{node.settings.prefix} quarantine", deadline_seconds=CONNECT_SECONDS)
            publisher = AmqpPublisher(await stack.enter_async_context(session))
            await session.until_publishable(seconds=CONNECT_SECONDS)
            router = judges.router(publisher)
        yield ReplayQuarantine(store=node.store, clock=node.clock, receivers=receivers, router=router)


async def returning(node: Node) -> ReturnQuarantine:
    """Returns to the senders, against the newest membership list; loads the keys.

    Raises:
        UnavailableError: the keys or the list are not there; `E_CLOCK`, this machine's clock was set.
    """
    await node.check_clock()
    await node.trust.refresh()
    return ReturnQuarantine(
        prefix=node.settings.prefix,
        desks=node.desks(),
        store=node.store,
        trust=node.trust,
        clock=node.clock,
        ids=node.ids,
        is_signature=is_signature,
    )


def dropping(node: Node) -> DropQuarantine:
    """Destroys; takes no keys."""
    return DropQuarantine(store=node.store, clock=node.clock)


@dataclass(frozen=True, slots=True)
class NodeQuarantine:
    """The three things that may be done, by whoever asks."""

    node: Node

    async def do(
        self, verb: str, items: Sequence[Quarantined], *, actor: str, why: str | None, progress: Progress = _untold
    ) -> Sequence[Done]:
        """Replays, returns or drops.

        Raises:
            BadInputError: `E_USAGE`, another verb.
            UnavailableError: see `replaying` and `returning`; what was done until then is done.
        """
        if verb == "replay":
            async with replaying(self.node, items) as replay:
                return await replay.replay(items, actor=actor, progress=progress)
        if verb == "return":
            return await (await returning(self.node)).give_back(items, actor=actor, progress=progress)
        if verb == "drop":
            return await dropping(self.node).drop(items, actor=actor, why=why, progress=progress)
        raise BadInputError("E_USAGE", f"found {verb}, expected replay, return or drop")
