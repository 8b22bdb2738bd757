"""The inbox: items with their exact bytes, states that never go back, cursors, what is known of each message."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from store_samples import BODY, NOW, digest, item, later, message_id, outgoing

from bridge.adapters.store import open_store
from bridge.core.errors import BadInputError
from bridge.ports.store import Store
from bridge.ports.store.records import InboxItem, Replay
from bridge.ports.vault import BodyAtRest


async def given(store: Store, *items: InboxItem) -> None:
    async with store.writing() as unit:
        await unit.inbox.add(items)


async def only(store: Store, one: InboxItem) -> InboxItem:
    async with store.reading() as unit:
        (found,) = await unit.inbox.get(one.id)
    return found


async def test_an_item_comes_back_as_it_was_added_byte_for_byte(store: Store) -> None:
    full = item(supersedes=message_id(), supersedes_from="rs.ncp", of=message_id(), of_from="hu.ncp")
    bare = item(acknowledge_by=None, body=None, state="expired")
    await given(store, full, bare)

    assert await only(store, full) == full
    assert await only(store, bare) == bare


async def test_several_contact_points_of_a_node_each_have_their_item_of_one_message(store: Store) -> None:
    own = message_id()
    first, second = item(id=own), item(id=own, contact_point="at.border-police", body=BodyAtRest(b"other", b"key"))
    await given(store, first, second)

    async with store.reading() as unit:
        assert await unit.inbox.get(own) == [first, second]
        assert await unit.inbox.get(own, contact_point="at.border-police") == [second]
        assert await unit.inbox.get(own, contact_point="at.other") == []
        assert await unit.inbox.get(message_id()) == []


async def test_two_senders_that_used_one_id_do_not_get_in_each_others_way(store: Store) -> None:
    own = message_id()
    first, second = item(id=own), item(id=own, sender="hu.ncp", wire_bytes=b"from Hungary")
    await given(store, first)
    await given(store, second)

    async with store.writing() as unit:
        await unit.inbox.set_state("at.ncp", own, "read", sender="hu.ncp")

    async with store.reading() as unit:
        assert await unit.inbox.get(own) == [first, replace(second, state="read")]


async def test_an_item_added_again_stays_as_it_is(store: Store) -> None:
    first = item()
    await given(store, first)
    async with store.writing() as unit:
        await unit.inbox.set_state("at.ncp", first.id, "acknowledged")

    await given(store, replace(first, received_at=later(99), wire_bytes=b"other", body=BodyAtRest(b"x", b"y")))

    assert await only(store, first) == replace(first, state="acknowledged")
    async with store.reading() as unit:
        assert len(await unit.inbox.list()) == 1


async def test_a_message_takes_the_place_of_the_stub_of_an_expired_one_and_never_the_reverse(store: Store) -> None:
    whole = item()
    stub = replace(whole, state="expired", body=None, acknowledge_by=None, thread=whole.id)
    await given(store, stub)
    await given(store, whole)
    assert await only(store, whole) == whole

    await given(store, stub)

    assert await only(store, whole) == whole


@pytest.mark.parametrize(
    ("before", "to", "after"),
    [
        ("new", "read", "read"),
        ("new", "acknowledged", "acknowledged"),
        ("read", "acknowledged", "acknowledged"),
        ("read", "read", "read"),
        ("acknowledged", "read", "acknowledged"),
        ("acknowledged", "acknowledged", "acknowledged"),
        ("expired", "read", "expired"),
        ("expired", "acknowledged", "expired"),
    ],
)
async def test_a_state_never_goes_back(store: Store, before: str, to: str, after: str) -> None:
    moved, other = item(state=before), item(state=before)
    await given(store, moved, other)

    async with store.writing() as unit:
        await unit.inbox.set_state("at.ncp", moved.id, to)
        await unit.inbox.set_state("at.border-police", other.id, to)

    assert (await only(store, moved)).state == after
    assert (await only(store, other)).state == before


async def test_the_list_is_oldest_first_by_arrival_without_bodies(store: Store) -> None:
    items = [item(received_at=later(seconds)) for seconds in (30, 10, 20)]
    for one in items:
        await given(store, one)

    async with store.reading() as unit:
        assert await unit.inbox.list() == [replace(one, body=None) for one in items]
        assert [one.id for one in await unit.inbox.list(limit=2)] == [items[0].id, items[1].id]


async def test_the_list_can_be_narrowed_to_a_contact_point_and_a_state(store: Store) -> None:
    ours, read, theirs = item(), item(state="read"), item(contact_point="at.border-police")
    await given(store, ours, read, theirs)

    async def ids(**narrowed: str) -> list[str]:
        async with store.reading() as unit:
            return [one.id for one in await unit.inbox.list(**narrowed)]

    assert await ids(contact_point="at.ncp") == [ours.id, read.id]
    assert await ids(state="new") == [ours.id, theirs.id]
    assert await ids(contact_point="at.ncp", state="read") == [read.id]
    assert await ids(contact_point="at.other") == []


async def test_following_the_cursor_meets_every_item_once_even_where_senders_share_an_id(store: Store) -> None:
    own = message_id()
    items = [
        item(),
        item(id=own),
        item(id=own, sender="hu.ncp"),
        item(id=own, contact_point="at.border-police"),
        item(),
    ]
    await given(store, *items)

    met: list[str] = []
    async with store.reading() as unit:
        while page := await unit.inbox.list(after=met[-1] if met else None, limit=2):
            met += [one.cursor for one in page]

    assert met == [one.cursor for one in items]


async def test_a_cursor_of_no_item_is_refused(store: Store) -> None:
    one = item()
    await given(store, one)

    for cursor in (f"at.ncp/{message_id()}/rs.ncp", f"at.ncp/{one.id}", f"at.ncp/{one.id}/hu.ncp", "", "///"):
        with pytest.raises(BadInputError, match="not <contact point>/<id>/<sender>"):
            async with store.reading() as unit:
                await unit.inbox.list(after=cursor)


async def test_the_newest_cursor_is_the_last_arrivals(store: Store) -> None:
    async with store.reading() as unit:
        assert await unit.inbox.newest(None) is None
    first, second = item(), item(contact_point="at.border-police")
    await given(store, first, second)

    async with store.reading() as unit:
        assert await unit.inbox.newest(None) == second.cursor
        assert await unit.inbox.newest("at.ncp") == first.cursor
        assert await unit.inbox.newest("at.other") is None
        assert await unit.inbox.list(after=second.cursor) == []


async def test_what_is_known_of_messages_is_answered_per_contact_point_and_sender(store: Store) -> None:
    own = message_id()
    known = {
        ("rs.ncp", own): Replay(digest("a"), "delivered", NOW),
        ("hu.ncp", own): Replay(digest("b"), "E_SEAL", NOW),
    }
    async with store.writing() as unit:
        await unit.inbox.begin_receiving("at.ncp")
        await unit.inbox.remember("at.ncp", known)
        await unit.inbox.remember("at.border-police", {("rs.ncp", own): Replay(digest("c"), "delivered", NOW)})
        await unit.inbox.remember("at.ncp", {})

    async with store.reading() as unit:
        asked = [("rs.ncp", own), ("de.ncp", own), ("rs.ncp", message_id())]
        assert await unit.inbox.replays("at.ncp", asked) == {("rs.ncp", own): Replay(digest("a"), "delivered", NOW)}
        assert await unit.inbox.replays("at.ncp", list(known)) == known
        assert await unit.inbox.replays("at.other", list(known)) == {}
        assert await unit.inbox.replays("at.ncp", []) == {}


async def test_what_is_remembered_replaces_what_was_known(store: Store) -> None:
    key = ("rs.ncp", message_id())
    newest = Replay(digest("a"), "delivered", later(70), conflict_answered_at=later(80))
    for replay in (Replay(digest("a"), "E_NO_KEY", NOW), newest):
        async with store.writing() as unit:
            await unit.inbox.remember("at.ncp", {key: replay})

    async with store.reading() as unit:
        assert await unit.inbox.replays("at.ncp", [key]) == {key: newest}


async def test_a_thread_belongs_to_the_senders_of_the_message_that_named_it_and_to_nobody_else(store: Store) -> None:
    named = item(received_at=later(50))
    early = item(thread=named.id, sender="hu.ncp", received_at=later(1))
    headless = message_id()
    twice = message_id()
    await given(store, early, named, item(thread=headless, sender="de.ncp"))
    await given(store, item(id=twice, sender="hu.ncp", received_at=later(9)), item(id=twice, received_at=later(3)))
    ours = outgoing(sender="at.ncp")
    async with store.writing() as unit:
        await unit.ledger.add(ours)
        await unit.ledger.add(outgoing(sender="at.ncp", thread=headless))

    async with store.reading() as unit:
        threads = [named.id, headless, twice, ours.id, message_id()]
        assert await unit.inbox.originators("at.ncp", threads) == {
            named.id: ["rs.ncp"],
            twice: ["hu.ncp", "rs.ncp"],
            ours.id: ["at.ncp"],
        }
        assert await unit.inbox.originators("at.border-police", threads) == {}


async def test_erasing_destroys_key_and_ciphertext_for_good_and_keeps_the_evidence(store: Store) -> None:
    own = message_id()
    erased, other = item(id=own), item(id=own, contact_point="at.border-police")
    await given(store, erased, other)

    async with store.writing() as unit:
        assert await unit.inbox.erase_bodies("at.ncp", [("rs.ncp", own), ("hu.ncp", own)]) == 1
    await given(store, erased)

    async with store.reading() as unit:
        assert await unit.inbox.get(own) == [replace(erased, body=None), other]
    assert other.body == BODY


async def test_an_erased_body_is_not_in_the_files_of_sqlite_any_more(migrated_file: Path, tmp_path: Path) -> None:
    path = tmp_path / "erased.db"
    shutil.copy(migrated_file, path)
    store = open_store(f"sqlite:///{path}")
    secret = BodyAtRest(b"the-one-data-key-that-opens-it", b"the-ciphertext" * 10)
    one = item(body=secret)
    await given(store, one)

    async with store.writing() as unit:
        await unit.inbox.erase_bodies("at.ncp", [("rs.ncp", one.id)])
    await store.close()  # the last connection moves the write-ahead log into the file

    left = bytes_in(tmp_path)
    assert one.wire_bytes in left
    assert secret.wrapped_key not in left
    assert secret.ciphertext not in left


def bytes_in(folder: Path) -> bytes:
    return b"".join(file.read_bytes() for file in folder.iterdir())
