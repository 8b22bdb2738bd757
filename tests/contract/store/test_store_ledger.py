"""The ledger: what we sent, who was to receive it, and what came back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest
from store_samples import BODY, NOW, later, message_id, outgoing, receipt, recipient

from bridge.core.errors import UnavailableError
from bridge.ports.store import Store
from bridge.ports.store.records import OutgoingMessage, OutgoingRecipient, ReceiptRow


async def given(store: Store, *messages: OutgoingMessage) -> None:
    async with store.writing() as unit:
        for message in messages:
            await unit.ledger.add(message)


async def state_of(store: Store, message: OutgoingMessage, contact_point: str) -> OutgoingRecipient:
    async with store.reading() as unit:
        found = await unit.ledger.get(message.id)
    assert found is not None
    return next(to for to in found.recipients if to.id == contact_point)


async def receive(store: Store, *receipts: ReceiptRow) -> None:
    async with store.writing() as unit:
        await unit.ledger.add_receipts(receipts)


async def test_a_message_comes_back_as_it_was_added_byte_for_byte(store: Store) -> None:
    message = outgoing(
        recipients=(
            recipient("hu.ncp", rule="transit", reason="leg 2 ends in HU"),
            recipient("at.ncp", roles=()),
            recipient("eu.europol", country="", roles=("organisation",)),
        ),
        supersedes=message_id(),
    )
    await given(store, message)

    async with store.reading() as unit:
        assert await unit.ledger.get(message.id) == message


async def test_a_message_without_a_body_at_rest_is_kept_as_well(store: Store) -> None:
    message = outgoing(body=None)
    await given(store, message)

    async with store.reading() as unit:
        assert await unit.ledger.get(message.id) == message


async def test_what_was_never_sent_is_not_found(store: Store) -> None:
    async with store.reading() as unit:
        assert await unit.ledger.get(message_id()) is None


async def test_an_id_cannot_be_used_for_a_second_message(store: Store) -> None:
    first = outgoing()
    await given(store, first)

    with pytest.raises(UnavailableError) as raised:
        await given(store, outgoing(id=first.id, wire_bytes=b"another"))

    assert raised.value.code == "E_DATABASE"
    async with store.reading() as unit:
        assert await unit.ledger.get(first.id) == first


async def test_the_list_is_newest_first_without_bodies_and_can_be_narrowed_to_a_sender(store: Store) -> None:
    messages = [outgoing(sender=sender) for sender in ("rs.ncp", "rs.border-police", "rs.ncp")]
    await given(store, *messages)
    bare = [replace(message, body=None, wire_bytes=b"") for message in messages]

    async with store.reading() as unit:
        assert await unit.ledger.list() == bare[::-1]
        assert await unit.ledger.list(limit=2) == bare[:0:-1]
        assert await unit.ledger.list(sender="rs.ncp") == [bare[2], bare[0]]
        assert await unit.ledger.list(sender="at.ncp") == []


async def test_everybody_who_received_anything_of_a_thread_is_known(store: Store) -> None:
    thread = message_id()
    await given(
        store,
        outgoing("hu.ncp", "at.ncp", thread=thread),
        outgoing("de.ncp", "at.ncp", thread=thread),
        outgoing("fr.ncp", thread=thread, sender="rs.border-police"),
        outgoing("ro.ncp"),
    )

    async with store.reading() as unit:
        assert await unit.ledger.recipients_of_thread(thread, sender="rs.ncp") == ["at.ncp", "de.ncp", "hu.ncp"]
        assert await unit.ledger.recipients_of_thread(message_id(), sender="rs.ncp") == []


async def test_a_confirmed_publish_moves_the_recipients_of_that_country_only(store: Store) -> None:
    message = outgoing("at.ncp", "at.border-police", "hu.ncp")
    await given(store, message)

    async with store.writing() as unit:
        await unit.ledger.mark_sent([(message.id, "at")], later(2))

    states = {to: await state_of(store, message, to) for to in ("at.ncp", "at.border-police", "hu.ncp")}
    assert {to: (found.state, found.sent_at) for to, found in states.items()} == {
        "at.ncp": ("sent", later(2)),
        "at.border-police": ("sent", later(2)),
        "hu.ncp": ("pending", None),
    }


async def test_a_publish_confirmed_twice_keeps_its_first_time(store: Store) -> None:
    message = outgoing("at.ncp")
    await given(store, message)

    for seconds in (2, 9):
        async with store.writing() as unit:
            await unit.ledger.mark_sent([(message.id, "at"), (message.id, "at"), (message_id(), "at")], later(seconds))

    assert (await state_of(store, message, "at.ncp")).sent_at == later(2)


async def test_a_receipt_that_came_before_the_confirmation_is_not_undone_by_it(store: Store) -> None:
    message = outgoing("at.ncp")
    await given(store, message)
    await receive(store, receipt(message, "at.ncp"))

    async with store.writing() as unit:
        await unit.ledger.mark_sent([(message.id, "at")], later(9))

    found = await state_of(store, message, "at.ncp")
    assert (found.state, found.delivered_at, found.sent_at) == ("delivered", later(5), later(9))


async def test_digests_are_answered_for_what_was_really_sent_to_whom_by_whom(store: Store) -> None:
    message, other = outgoing("at.ncp", "hu.ncp"), outgoing("at.ncp", sender="rs.border-police")
    await given(store, message, other)
    asked = [(message.id, "at.ncp"), (message.id, "de.ncp"), (other.id, "at.ncp"), (message_id(), "at.ncp")]

    async with store.reading() as unit:
        assert await unit.ledger.digests_sent(asked, sender="rs.ncp") == {
            (message.id, "at.ncp"): (message.payload_sha256, message.sealed_sha256)
        }
        assert await unit.ledger.digests_sent([], sender="rs.ncp") == {}


@pytest.mark.parametrize(
    ("states", "state", "code"),
    [
        (["delivered"], "delivered", None),
        (["rejected"], "rejected", "E_1"),
        (["rejected", "delivered"], "delivered", None),
        (["delivered", "rejected"], "delivered", None),
        (["rejected", "rejected"], "rejected", "E_1"),
        (["delivered", "delivered"], "delivered", None),
        (["rejected", "delivered", "rejected"], "delivered", None),
    ],
)
@pytest.mark.parametrize("at_once", [True, False])
async def test_delivered_replaces_rejected_and_never_the_reverse(
    store: Store, states: Sequence[str], state: str, code: str | None, *, at_once: bool
) -> None:
    message = outgoing("at.ncp", "hu.ncp")
    await given(store, message)
    receipts = [
        receipt(message, "at.ncp", state=each, code=f"E_{number}" if each == "rejected" else None)
        for number, each in enumerate(states, start=1)
    ]

    for part in [receipts] if at_once else [[each] for each in receipts]:
        await receive(store, *part)

    found = await state_of(store, message, "at.ncp")
    assert (found.state, found.code) == (state, code)
    assert (found.delivered_at is None) == (state != "delivered")
    assert (await state_of(store, message, "hu.ncp")).state == "pending"


async def test_a_repeated_receipt_changes_nothing(store: Store) -> None:
    message = outgoing("at.ncp")
    await given(store, message)
    first = receipt(message, "at.ncp")
    await receive(store, first)
    before = await state_of(store, message, "at.ncp")

    await receive(store, first, replace(first, receipt_id=message_id(), received_at=later(99), wire_bytes=b"again"))

    assert await state_of(store, message, "at.ncp") == before


async def test_a_receipt_for_something_never_sent_is_a_fault_and_leaves_nothing(store: Store) -> None:
    message = outgoing("at.ncp")
    await given(store, message)

    with pytest.raises(UnavailableError):
        await receive(store, receipt(message, "at.ncp"), receipt(message, "de.ncp"))

    assert (await state_of(store, message, "at.ncp")).state == "pending"


async def test_an_answer_keeps_the_first_time_and_the_last_level(store: Store) -> None:
    message = outgoing("at.ncp", "hu.ncp")
    await given(store, message)

    for level, seconds in (("read", 10), ("accepted", 20)):
        async with store.writing() as unit:
            await unit.ledger.mark_acknowledged(message.id, "at.ncp", level=level, at=later(seconds))

    found = await state_of(store, message, "at.ncp")
    assert (found.level, found.acknowledged_at) == ("accepted", later(10))
    assert (await state_of(store, message, "hu.ncp")).level is None


async def test_an_answer_of_somebody_who_was_not_asked_changes_nothing(store: Store) -> None:
    message = outgoing("at.ncp")
    await given(store, message)

    async with store.writing() as unit:
        await unit.ledger.mark_acknowledged(message.id, "de.ncp", level="accepted", at=NOW)

    async with store.reading() as unit:
        assert await unit.ledger.get(message.id) == message


async def test_erasing_destroys_key_and_ciphertext_and_keeps_the_evidence(store: Store) -> None:
    erased, kept = outgoing(), outgoing()
    await given(store, erased, kept)

    async with store.writing() as unit:
        assert await unit.ledger.erase_bodies([erased.id, message_id()]) == 1
        assert await unit.ledger.erase_bodies([erased.id]) == 0

    async with store.reading() as unit:
        assert await unit.ledger.get(erased.id) == replace(erased, body=None)
        assert await unit.ledger.get(kept.id) == kept
    assert kept.body == BODY


async def test_each_recipient_keeps_the_epoch_and_number_that_were_signed_for_it(store: Store) -> None:
    sent = outgoing(
        recipients=(recipient("at.ncp", epoch=3, number=877), recipient("hu.ncp", epoch=3, number=2**53 - 1))
    )
    async with store.writing() as unit:
        await unit.ledger.add(sent)
        found = await unit.ledger.get(sent.id)

    assert found is not None
    assert [(to.id, to.epoch, to.number) for to in found.recipients] == [("at.ncp", 3, 877), ("hu.ncp", 3, 2**53 - 1)]
