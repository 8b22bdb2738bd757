"""What the desk's pages cost with a full ledger: `python -m benchmarks.desk [MESSAGES]`, 100,000 unless told otherwise.

Use case and template, without the web server: who asks is not measured. Everything waits in a folder of its own, and is
gone afterwards.
"""

from __future__ import annotations

import asyncio
import json
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median
from typing import Any, Final

from sqlalchemy import event

from bridge.adapters.store import SqlStore, open_store
from bridge.adapters.store.schema import migrate
from bridge.adapters.system import RandomIds, SystemClock
from bridge.adapters.vault import StorageVault
from bridge.app.desk.board import ReadBoard
from bridge.app.desk.open_message import OpenMessages
from bridge.app.desk.search import IndexWords, Query, SearchMessages
from bridge.app.receiving.inbox_items import body_context
from bridge.console.language import words_of
from bridge.console.showing import shown_body
from bridge.core.wire.envelope import TYP_SEALED, build_envelope, protected_header
from bridge.ports.store.desk import Group
from bridge.ports.store.records import InboxItem

EXAMPLES: Final = Path(__file__).parent.parent / "examples" / "alerts"
OWN: Final = "rs.ncp"
VAULT: Final = StorageVault({OWN: b"\x07" * 32})
BATCH: Final = 2000
ROUNDS: Final = 30
NEEDS_ACTION, IN_PROGRESS = 20, 15
MOST_INDEXED: Final = 5000  # the index costs the same for each message, and takes most of the time here
_HEADER: Final = protected_header(alg="ES256", kid="al.ncp#sig-2026a", typ=TYP_SEALED)


@dataclass
class Measured:
    """How often the database was asked, and how long it took, of one thing again and again."""

    store: SqlStore
    queries: int = 0
    times: list[float] = field(default_factory=list)
    work: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        event.listen(self.store._engine.sync_engine, "before_cursor_execute", self._count)  # noqa: SLF001 - to count

    def _count(self, *_: object) -> None:
        self.queries += 1

    async def line(self, name: str, do: Callable[[], Awaitable[object]]) -> str:
        """Median and 95th percentile, CPU, and the number of statements."""
        self.times.clear()
        self.work.clear()
        for _ in range(ROUNDS):
            self.queries, began, worked = 0, time.perf_counter(), time.process_time()
            await do()
            self.times.append(time.perf_counter() - began)
            self.work.append(time.process_time() - worked)
        worst = sorted(self.times)[ROUNDS * 95 // 100]
        figures = f"{_ms(median(self.times))} (median), {_ms(worst)} (p95), {_ms(median(self.work))} of CPU"
        return f"{name}: {figures}, {self.queries} statements"


async def measure(folder: Path, messages: int) -> None:
    """Fills a ledger and prints a line for each page."""
    await migrate(f"sqlite:///{folder / 'node.db'}")
    store = open_store(f"sqlite:///{folder / 'node.db'}")
    await _fill(store, messages)
    clock = SystemClock()
    board, opening = ReadBoard(store, VAULT, clock), OpenMessages(store, VAULT, clock)
    searching, words = SearchMessages(store, VAULT, clock), words_of("en")
    (one,) = (await board.show(OWN, officer="bench")).groups[Group.NEEDS_ACTION][:1]
    key = (one.item.sender, one.item.id)

    async def message() -> None:
        opened = await opening.open(OWN, key, officer="bench")
        shown_body(opened.message.kind, opened.body, words, own="RS")

    measured = Measured(store)
    print(await measured.line("inbox", lambda: board.show(OWN, officer="bench")))
    print(await measured.line("inbox, halfway", lambda: board.show(OWN, officer="bench", before=messages // 2)))
    print(await measured.line("how many wait", lambda: board.waiting(OWN)))
    print(await measured.line("message", message))
    if messages <= MOST_INDEXED:
        indexing, indexed, began = IndexWords((OWN,), store, VAULT), 0, time.process_time()
        while count := await indexing.index():
            indexed += count
        print(f"indexing: {_ms((time.process_time() - began) / indexed)} of CPU a message")
        for text in ("gradilistima", "srbija austrija"):
            query = Query(text=text)
            print(await measured.line(f"search: {text}", lambda: searching.find(OWN, query, officer="bench")))  # noqa: B023 - awaited in this round
    await store.close()


async def _fill(store: SqlStore, messages: int) -> None:
    bodies = [json.loads(path.read_bytes())["body"] for path in sorted(EXAMPLES.glob("[0-9]*.json"))]
    alerts = [body for body in bodies if "legs" in body]
    began, clock, ids = datetime.now(UTC) - timedelta(days=messages // 100), SystemClock(), RandomIds()
    for start in range(0, messages, BATCH):
        numbers = range(start, min(start + BATCH, messages))
        items = [_item(alerts, number, began + timedelta(minutes=14 * number), ids) for number in numbers]
        async with store.writing() as unit:
            await unit.inbox.add(items)
            for number, item in zip(numbers, items, strict=True):
                if number < messages - NEEDS_ACTION - IN_PROGRESS:
                    await unit.desk.close(OWN, (item.sender, item.id), "bench", clock.now())
                if number < messages - NEEDS_ACTION:
                    await unit.inbox.set_state(OWN, item.id, "acknowledged", sender=item.sender)


def _item(alerts: Sequence[dict[str, Any]], number: int, at: datetime, ids: RandomIds) -> InboxItem:
    own, sender = ids.new(at), "al.ncp"
    body = {"thread": own, **alerts[number % len(alerts)]}
    payload = {"id": own, "from": sender, "to": [OWN]}
    return InboxItem(
        contact_point=OWN,
        id=own,
        sender=sender,
        kind="route_alert",
        schema="urn:ncp-bridge:route_alert:1.0",
        status="actual",
        urgency="expected",
        lane="normal",
        thread=own,
        sent=at,
        expires=at + timedelta(days=7),
        received_at=at,
        acknowledge_by=at + timedelta(hours=12),
        state="new",
        payload_sha256=own,
        sealed_sha256=own,
        wire_bytes=build_envelope(json.dumps(payload).encode(), [(_HEADER, b"s" * 64)], "sealed"),
        body=VAULT.put(OWN, json.dumps(body).encode(), context=body_context(OWN, sender, own)),
    )


def _ms(seconds: float) -> str:
    return f"{seconds * 1000:.1f} ms"


if __name__ == "__main__":
    with tempfile.TemporaryDirectory(prefix="ncp-bridge-desk-") as name:
        asyncio.run(measure(Path(name), int(sys.argv[1]) if len(sys.argv) > 1 else 100_000))
