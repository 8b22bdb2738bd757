"""What was signed by us and may have to be signed anew, on both databases."""

from __future__ import annotations

from store_samples import NOW, later, outbox_row, outgoing, receipt

from bridge.adapters.store import SqlStore

CODES = ("E_KEY_EXPIRED",)


async def places(store: SqlStore, *, after: int = 0, limit: int = 10) -> list[tuple[int, str]]:
    async with store.reading() as unit:
        found = await unit.signatures.unfinished("rs.ncp", after=after, codes=CODES, now=NOW, limit=limit)
    return [(one.place, one.message_id) for one in found]


async def test_unfinished_is_what_somebody_has_not_got_and_has_not_refused_for_more_than_its_key(
    store: SqlStore,
) -> None:
    # given
    waiting, partly, whole = outgoing("at.ncp"), outgoing("at.ncp", "hu.ncp"), outgoing("at.ncp")
    refused, spent, expired = outgoing("at.ncp"), outgoing("at.ncp"), outgoing("at.ncp", expires=NOW)
    other = outgoing("at.ncp", sender="rs.border-police")
    async with store.writing() as unit:
        for message in (waiting, partly, whole, refused, spent, expired, other):
            await unit.ledger.add(message)
        await unit.ledger.add_receipts(
            [
                receipt(partly, "at.ncp"),
                receipt(whole, "at.ncp"),
                receipt(refused, "at.ncp", state="rejected", code="E_NOT_AUTHORISED"),
                receipt(spent, "at.ncp", state="rejected", code="E_KEY_EXPIRED"),
            ]
        )

    # then, in the order of sending, and in parts
    found = await places(store)
    assert [message_id for _, message_id in found] == [waiting.id, partly.id, spent.id]
    assert await places(store, limit=1) == found[:1]
    assert await places(store, after=found[0][0], limit=1) == found[1:2]


async def test_a_message_has_its_new_bytes_and_the_old_ones_stay(store: SqlStore) -> None:
    message = outgoing("at.ncp")
    row = outbox_row(message_id=message.id, wire_bytes=message.wire_bytes)
    async with store.writing() as unit:
        await unit.ledger.add(message)
        await unit.outbox.add([row])

    async with store.writing() as unit:
        await unit.signatures.replace({message.id: b"signed anew"})
        await unit.signatures.replace({message.id: b"signed anew"})

    async with store.writing() as unit:
        kept = await unit.ledger.get(message.id)
        (leased,) = await unit.outbox.claim("publisher", token="t", now=NOW, lease_seconds=1, limit=9)
    assert kept is not None
    assert kept.wire_bytes == b"signed anew"
    assert leased.wire_bytes == message.wire_bytes


async def test_what_was_withdrawn_is_published_by_nobody_not_even_by_who_has_leased_it(store: SqlStore) -> None:
    # given two rows of one message, one of another, and one that a router of this node hands on
    rows = [outbox_row(message_id="m1"), outbox_row(message_id="m1"), outbox_row(message_id="m2")]
    routed = outbox_row(message_id="m1", relay="subscriber")
    async with store.writing() as unit:
        await unit.outbox.add([*rows, routed])
        await unit.outbox.claim("publisher", token="relay", now=NOW, lease_seconds=1, limit=1)

    # when
    async with store.writing() as unit:
        await unit.signatures.withdraw(["m1"], NOW)

    # then
    async with store.writing() as unit:
        assert await unit.outbox.mark_sent([row.id for row in rows], token="relay", now=NOW) == 0
        left = await unit.outbox.claim("publisher", token="t", now=later(60), lease_seconds=1, limit=9)
        assert [row.id for row in left] == [rows[2].id]
        assert (await unit.outbox.backlog("subscriber"))[0] == 1


async def test_control_messages_that_have_not_left_are_found_with_their_bytes(store: SqlStore) -> None:
    # given
    receipts = [outbox_row(kind="receipt", wire_bytes=b"first"), outbox_row(kind="receipt", wire_bytes=b"second")]
    beat = outbox_row(kind="heartbeat", wire_bytes=b"own bytes", is_kept=False)
    others = [outbox_row(kind="route_alert"), outbox_row(kind="receipt", sender="rs.border-police")]
    async with store.writing() as unit:
        await unit.outbox.add([*receipts, beat, *others])

    # then
    async with store.reading() as unit:
        found = await unit.signatures.waiting_controls("rs.ncp", after=0, limit=9)
        assert [row for _, row in found] == [*receipts, beat]
        assert await unit.signatures.waiting_controls("rs.ncp", after=found[0][0], limit=1) == found[1:2]
