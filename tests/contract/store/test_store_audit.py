"""The audit log: only ever added to, in order."""

from __future__ import annotations

from dataclasses import replace

import pytest
from store_samples import NOW, entry, later, message_id

from bridge.ports.store import AuditLog, Store


async def test_entries_come_back_newest_first_in_the_order_they_were_written_whatever_their_times(store: Store) -> None:
    entries = [entry(message_id(), at=later(seconds)) for seconds in (20, 10, 30)]
    async with store.writing() as unit:
        await unit.audit.add(entries[:2])
        await unit.audit.add([])
    async with store.writing() as unit:
        await unit.audit.add(entries[2:])

    async with store.reading() as unit:
        assert await unit.audit.list() == entries[::-1]
        assert await unit.audit.list(limit=2) == entries[:0:-1]


async def test_entries_can_be_narrowed_to_a_subject_and_an_action(store: Store) -> None:
    own = message_id()
    read, answered = entry(own), entry(own, action="message.acknowledged", detail={"level": "accepted", "note": "ž"})
    bare = replace(read, subject=None, contact_point=None, detail={})
    async with store.writing() as unit:
        await unit.audit.add([read, answered, bare, entry(message_id())])

    async with store.reading() as unit:
        assert await unit.audit.list(subject=own) == [answered, read]
        assert await unit.audit.list(subject=own, action="body.read") == [read]
        assert await unit.audit.list(action="message.acknowledged") == [answered]
        assert bare in await unit.audit.list()
        assert await unit.audit.list(subject=message_id()) == []


async def test_the_same_entry_twice_is_two_entries(store: Store) -> None:
    one = entry(message_id(), at=NOW)
    async with store.writing() as unit:
        await unit.audit.add([one, one])

    async with store.reading() as unit:
        assert await unit.audit.list() == [one, one]


@pytest.mark.parametrize("word", ["update", "delete", "remove", "set", "replace", "drop"])
def test_the_log_offers_no_way_to_change_what_was_written(word: str) -> None:
    assert not any(name.startswith(word) for name in dir(AuditLog))
