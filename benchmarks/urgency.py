"""How long an immediate alert takes while thousands of routine ones wait, for each place where they can wait.

Both countries run as they do by default, each in one process. The routine alerts are brought to the place first, then
everything runs and drains; meanwhile immediate alerts are submitted one after the other, and each is timed from handing
it over until its row is committed in the recipient's inbox.
"""

from __future__ import annotations

import asyncio
import json
import sqlite3
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median
from typing import Final
from urllib.parse import quote

from benchmarks.cases import SENDER
from benchmarks.countries import (
    RECIPIENT,
    Countries,
    begin_anew,
    empty_queues,
    prepare_draft,
    reading_arrivals,
    release,
    where_alerts_are,
)
from benchmarks.processes import running, until_exist
from bridge.adapters.amqp.management import Management
from bridge.adapters.amqp.topology import country_topology
from bridge.compose.node import open_node
from bridge.compose.running import SUBSCRIBER
from bridge.core import broker_names as names
from bridge.core.errors import UnavailableError
from broker.access import Access

OUTBOX: Final = "the sender's outbox"
COUNTRY_QUEUE: Final = "the country's queue"
ROUTER_OUTBOX: Final = "the router's outbox"
INBOX_QUEUE: Final = "the contact point's queue"
PLACES: Final = (OUTBOX, COUNTRY_QUEUE, ROUTER_OUTBOX, INBOX_QUEUE)
BOUND_SECONDS: Final = 2.0  # what the product promises
PAUSE_SECONDS: Final = 0.4
ARRIVAL_SECONDS: Final = 60.0
FILL_SECONDS: Final = 180.0
LOOK_SECONDS: Final = 0.002
ROOM_OF_A_FULL_INBOX: Final = 100
ORIGIN: Final = "origin"
DESTINATION: Final = "destination"
LANE: Final = "normal"


@dataclass(frozen=True, slots=True)
class UrgencyFigure:
    """Immediate alerts that passed a backlog.

    Attributes:
        place: where the routine alerts waited at the beginning.
        backlog: how many there were.
        seconds: of each immediate alert.
        left: how many routine ones had not arrived when the last immediate one had.
    """

    place: str
    backlog: int
    seconds: tuple[float, ...]
    left: int

    @property
    def median_ms(self) -> float:
        """The median."""
        return median(self.seconds) * 1e3

    @property
    def worst_ms(self) -> float:
        """The slowest."""
        return max(self.seconds) * 1e3


@dataclass(frozen=True, slots=True)
class Urgency:
    """Measures on two countries whose origin has `backlog` finished routine alerts kept (`make_alerts`)."""

    countries: Countries
    backlog: int
    log: Path
    broker: Access

    async def measure(self, place: str, *, alerts: int) -> UrgencyFigure:
        """Fills the place, starts everything, and sends so many immediate alerts through.

        Raises:
            UnavailableError: the routine alerts do not come to the place, or an immediate one does not arrive.
        """
        await asyncio.to_thread(empty_queues, self.broker, vhost=self._vhost)
        begin_anew(self.countries, with_alerts=True)
        async with self._running(ORIGIN):
            if place != OUTBOX:
                release(self.countries)
                await self._fill(place)
            async with self._running(DESTINATION):
                if place == OUTBOX:
                    release(self.countries)
                seconds, left = await self._pass(alerts)
        return UrgencyFigure(place, self.backlog, tuple(seconds), left)

    async def _fill(self, place: str) -> None:
        if place == COUNTRY_QUEUE:
            await self._until(place, lambda: self._depth(names.country_queue(self._prefix, LANE)))
            return
        if place == ROUTER_OUTBOX:
            self._limit_inbox()
        async with self._running(DESTINATION, SUBSCRIBER):
            if place == INBOX_QUEUE:
                await self._until(place, lambda: self._depth(names.inbox_queue(RECIPIENT, LANE)))
            else:
                inbox = names.inbox_queue(RECIPIENT, LANE)
                await self._until(place, lambda: self._stuck() + self._depth(inbox))
        if place == ROUTER_OUTBOX:
            self._management.request("DELETE", self._policy)

    async def _until(self, place: str, count: Callable[[], int]) -> None:
        deadline = time.monotonic() + FILL_SECONDS
        while (found := await asyncio.to_thread(count)) < self.backlog:
            if time.monotonic() > deadline:
                detail = f"{found} of {self.backlog} alerts in {place}; {where_alerts_are(self.countries)}"
                raise UnavailableError("E_BENCHMARK", detail)
            await asyncio.sleep(0.1)

    async def _pass(self, alerts: int) -> tuple[Sequence[float], int]:
        """Seconds of each immediate alert, and how many routine ones are still on their way afterwards."""
        seconds = []
        async with open_node(self.countries.settings()[0]) as node:
            submitting, draft = await prepare_draft(node)
            urgent = replace(draft, urgency="immediate")
            with reading_arrivals(self.countries) as destination:
                for _ in range(alerts):
                    begun = time.monotonic()
                    submitted = await submitting.sending.send(urgent, sender=SENDER)
                    await self._until_arrived(destination, submitted.id)
                    seconds.append(time.monotonic() - begun)
                    await asyncio.sleep(PAUSE_SECONDS)
                query = "SELECT count(*) FROM inbox WHERE lane = ?"
                (routine,) = destination.execute(query, (LANE,)).fetchone()
        return seconds, self.backlog - int(routine)

    async def _until_arrived(self, destination: sqlite3.Connection, message_id: str) -> None:
        deadline = time.monotonic() + ARRIVAL_SECONDS
        while not destination.execute("SELECT 1 FROM inbox WHERE id = ?", (message_id,)).fetchone():
            if time.monotonic() > deadline:
                raise UnavailableError("E_BENCHMARK", f"an immediate alert is not there after {ARRIVAL_SECONDS:.0f} s")
            await asyncio.sleep(LOOK_SECONDS)

    @asynccontextmanager
    async def _running(self, side: str, *roles: str) -> AsyncIterator[None]:
        config = self.countries.origin if side == ORIGIN else self.countries.destination
        file = self.countries.premade.with_name(f"{side}.ready")
        file.unlink(missing_ok=True)
        command = ["-m", "bridge", "run", *roles, "--config", str(config), "--ready-file", str(file)]
        async with running([command], log=self.log) as processes:
            await until_exist([file], processes, log=self.log)
            yield

    def _depth(self, queue: str) -> int:
        path = f"/api/queues/{quote(self._vhost, safe='')}?disable_stats=true&enable_queue_totals=true"
        depths: Mapping[str, int] = {
            entry["name"]: entry.get("messages", 0) for entry in json.loads(self._management.request("GET", path)[1])
        }
        return depths[queue]

    def _stuck(self) -> int:
        """How many rows the destination's router could not place."""
        with closing(sqlite3.connect(f"file:{self.countries.destination.parent / 'node.db'}?mode=ro", uri=True)) as db:
            query = "SELECT count(*) FROM outbox WHERE relay = ? AND sent_at IS NULL"
            return int(db.execute(query, (SUBSCRIBER,)).fetchone()[0])

    def _limit_inbox(self) -> None:
        """Lets the recipient's queue hold few messages; everything else of its policy stays."""
        accounts = dict.fromkeys((f"{self._prefix}-relay", f"{self._prefix}-router", names.inbox_account(RECIPIENT)))
        policy = country_topology(
            self._prefix, [RECIPIENT], passwords=accounts, max_length=ROOM_OF_A_FULL_INBOX
        ).policies[0]
        limited = {"pattern": r"^inbox\..+\.normal$", "definition": dict(policy.settings), "priority": 10}
        self._management.request("PUT", self._policy, limited | {"apply-to": "queues"})

    @property
    def _policy(self) -> str:
        return f"/api/policies/{quote(self._vhost, safe='')}/a-full-inbox"

    @property
    def _management(self) -> Management:
        return Management.at(self.broker.management_url)

    @property
    def _vhost(self) -> str:
        return self.countries.settings()[0].broker.vhost

    @property
    def _prefix(self) -> str:
        return self.countries.settings()[1].prefix
