"""What walks over inbox and ledger: some of a backlog at a time, while others write, and whoever else walks there."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass

import pytest
from sqlalchemy import select
from store_samples import item

from bridge.adapters.store import SqlStore
from bridge.adapters.store.tables import corridor_count, search_term
from bridge.adapters.vault import StorageVault
from bridge.app.desk import corridors, search, walking
from bridge.app.desk.corridors import CountCorridors
from bridge.app.desk.search import IndexWords
from bridge.app.receiving.inbox_items import body_context
from bridge.core.wire import strict_json
from bridge.ports.store import Store, UnitOfWork
from bridge.ports.store.records import InboxItem
from bridge.ports.store.search import Source
from bridge.ports.vault import BodyAtRest

OWN = "at.ncp"
VAULT = StorageVault({OWN: hashlib.sha256(b"at").digest()})
BODY = {"legs": [{"from": {"country": "RS"}, "to": {"country": "HU"}}], "exploitation": ["sexual"]}


def received() -> InboxItem:
    made = item(contact_point=OWN)
    context = body_context(OWN, made.sender, made.id)
    return item(id=made.id, thread=made.id, body=VAULT.put(OWN, strict_json.encode(BODY), context=context))


async def given(store: Store, count: int) -> None:
    async with store.writing() as unit:
        await unit.inbox.add([received() for _ in range(count)])


@dataclass
class WatchedStore:
    """Knows whether somebody writes."""

    store: Store
    is_written: bool = False

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[UnitOfWork]:
        async with self.store.writing() as unit:
            self.is_written = True
            yield unit
        self.is_written = False

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[UnitOfWork]:
        async with self.store.reading() as unit:
            yield unit


@dataclass
class WatchedVault:
    """Notes how often it was opened, and how often of those while somebody wrote."""

    store: WatchedStore
    opened: int = 0
    in_the_way: int = 0

    def get(self, contact_point: str, body: BodyAtRest, *, context: Mapping[str, str]) -> bytes:
        self.opened += 1
        self.in_the_way += self.store.is_written
        return VAULT.get(contact_point, body, context=context)

    def blind(self, contact_point: str, text: str) -> int:
        return VAULT.blind(contact_point, text)


async def test_a_backlog_is_gone_through_some_at_a_time(store: SqlStore, monkeypatch: pytest.MonkeyPatch) -> None:
    await given(store, 5)
    monkeypatch.setattr(walking, "MOST_BATCHES", 1)

    for walk, module in (
        (IndexWords((OWN,), store, VAULT).index, search),
        (CountCorridors((OWN,), store, VAULT).count, corridors),
    ):
        monkeypatch.setattr(module, "BATCH", 2)
        assert [await walk() for _ in range(3)] == [4, 1, 0]


async def test_a_backlog_of_one_holds_up_nobody_else() -> None:
    asked = []

    async def endless(contact_point: str, source: Source) -> int:
        asked.append((contact_point, source))
        return 2 if contact_point == OWN else 1

    assert await walking.walk((OWN, "at.police"), endless, batch=2) == 4 + 2 + 2 * walking.MOST_BATCHES
    assert asked[:4] == [(name, source) for name in (OWN, "at.police") for source in Source]


async def test_bodies_are_opened_while_nobody_waits_to_write(store: SqlStore) -> None:
    await given(store, 3)
    watched = WatchedStore(store)
    vault = WatchedVault(watched)

    await IndexWords((OWN,), watched, vault).index()
    await CountCorridors((OWN,), watched, vault).count()

    assert (vault.opened, vault.in_the_way) == (6, 0)


async def test_what_is_erased_while_it_is_gone_through_is_not_indexed(store: SqlStore) -> None:
    gone, stays = item(contact_point=OWN), item(contact_point=OWN)
    async with store.writing() as unit:
        await unit.inbox.add([gone, stays])
    async with store.reading() as unit:
        first, second = await unit.search.unread(OWN, Source.INBOX, limit=9)
    async with store.writing() as unit:
        await unit.inbox.erase_bodies(OWN, [(gone.sender, gone.id)])

    async with store.writing() as unit:
        await unit.search.add(OWN, Source.INBOX, {first.position: [1], second.position: [1]})

    async with store._engine.connect() as connection:
        assert (await connection.scalars(select(search_term.c.position))).all() == [second.position]


async def test_who_indexes_what_others_have_gone_beyond_turns_nothing_back(store: SqlStore) -> None:
    await given(store, 3)
    async with store.writing() as unit:
        first, *_, last = await unit.search.unread(OWN, Source.INBOX, limit=9)
        await unit.search.add(OWN, Source.INBOX, {last.position: []})
        await unit.search.add(OWN, Source.INBOX, {first.position: []})

        assert await unit.search.unread(OWN, Source.INBOX, limit=9) == []


async def test_what_two_go_through_at_once_is_counted_once(store: SqlStore) -> None:
    cell = ("2026Q4", "RS", "HU", "sexual")
    async with store.writing() as unit:
        for _ in range(2):
            await unit.corridors.count(OWN, Source.INBOX, after=0, up_to=7, changes={cell: 3})
        assert await unit.corridors.counted_up_to(OWN, Source.INBOX) == 7

    async with store._engine.connect() as connection:
        assert (await connection.scalars(select(corridor_count.c["count"]))).all() == [3]
