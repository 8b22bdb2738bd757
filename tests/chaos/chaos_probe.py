"""Measures how long the network takes to recover: by an immediate alert, from its submission to its row."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Final

from chaos_alerts import IMMEDIATE, Submitter
from chaos_databases import rows
from chaos_records import RecordFiles
from chaos_world import World

from bridge.compose.node import open_node
from bridge.core.errors import UnavailableError
from bridge.settings import load_settings

DEADLINE_SECONDS: Final = 180.0
LOOK_SECONDS: Final = 0.03
RETRY_SECONDS: Final = 0.1


class Prober:
    """Sends probes from every country; they are submitted like every other alert and judged by the same oracle."""

    def __init__(self, world: World, submitters: Mapping[str, Submitter]) -> None:
        self._world, self._submitters = world, submitters

    async def submit(self, origin: str, to: str) -> str:
        """Submits a probe as soon as the origin's database lets it."""
        while True:
            try:
                return await self._submitters[origin].submit([to], urgency=IMMEDIATE)
            except UnavailableError:
                await asyncio.sleep(RETRY_SECONDS)

    async def cross(self, origin: str, to: str) -> float | None:
        """The seconds until a probe has arrived; `None` when that takes too long."""
        begun = time.monotonic()
        try:
            async with asyncio.timeout(DEADLINE_SECONDS):
                probe = await self.submit(origin, to)
                while not await rows(self._world.countries[to], "SELECT 1 FROM inbox WHERE id = $1", probe):  # noqa: ASYNC110 - another process's doing
                    await asyncio.sleep(LOOK_SECONDS)
        except TimeoutError:
            return None
        return time.monotonic() - begun

    async def recover(self, country: str | None, other: str) -> float | None:
        """The longer of both directions between a country (any, for everybody's fault) and another one."""
        here = country or next(one for one in self._world.countries if one != other)
        times = await asyncio.gather(self.cross(here, other), self.cross(other, here))
        return None if None in times else max(seconds for seconds in times if seconds is not None)


@asynccontextmanager
async def probing(world: World) -> AsyncIterator[Prober]:
    """A prober; its nodes' databases are open while it is entered."""
    async with AsyncExitStack() as stack:
        submitters = {}
        for prefix, country in world.countries.items():
            node = await stack.enter_async_context(open_node(load_settings(country.config)))
            submitters[prefix] = await Submitter.of(node, RecordFiles(world.records, f"probe-{prefix}"))
        yield Prober(world, submitters)
