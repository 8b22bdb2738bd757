"""Peers and what they asked for again: found from what is stored for other reasons, kept as long as it matters."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from servers.new_epochs import new_epoch
from store_samples import NOW, later, outbox_row, outgoing, receipt, recipient, use

from bridge.adapters.system import RandomIds
from bridge.ports.store import Store
from bridge.ports.store.no_gap import AskedAgain, NumberRange, PeerSeen, Published
from bridge.ports.store.records import OutgoingMessage

DAY = timedelta(days=1)
KEY = NumberRange("at.ncp", "rs.ncp", 1, "urgent", 0, 0)
OWN = ("rs.ncp", "at.ncp")
ids = RandomIds()


def asked(number: int, **given: object) -> AskedAgain:
    made = AskedAgain("rs.ncp", "at.ncp", 1, "urgent", number, f"message-{number}", None, 1, NOW, NOW)
    return replace(made, **given)


async def send(store: Store, *to: str, **given: object) -> OutgoingMessage:
    """A message under the next numbers."""
    async with store.writing() as unit:
        sender, lane = str(given.get("sender", "rs.ncp")), str(given.get("lane", "urgent"))
        epoch, numbers = await unit.ledger.next_numbers(sender, to, lane=lane)
        recipients = tuple(recipient(one, epoch=epoch, number=numbers[one]) for one in to)
        made = replace(outgoing(), recipients=recipients, **given)
        await unit.ledger.add(made)
    return made


async def test_the_newest_time_at_which_a_peer_was_heard_stays(store: Store) -> None:
    for seconds in (5, 9, 3):
        async with store.writing() as unit:
            await unit.peers.hear("rs.ncp", {"at.ncp": later(seconds), "hu.ncp": later(1)})

    async with store.reading() as unit:
        seen = await unit.peers.seen(["rs.ncp"])
        assert seen == {
            ("rs.ncp", "at.ncp"): PeerSeen(later(9), None),
            ("rs.ncp", "hu.ncp"): PeerSeen(later(1), None),
        }
        assert await unit.peers.seen(["at.ncp"]) == {}


async def test_silence_counts_from_the_first_heartbeat_to_a_peer_that_was_never_heard(store: Store) -> None:
    async with store.writing() as unit:
        await unit.peers.hear("rs.ncp", {"at.ncp": later(1)})
        await unit.peers.note_heartbeats("rs.ncp", ["at.ncp", "hu.ncp"], later(10))
    async with store.writing() as unit:
        await unit.peers.note_heartbeats("rs.ncp", ["at.ncp", "hu.ncp"], later(20))

    async with store.reading() as unit:
        assert await unit.peers.seen(["rs.ncp"]) == {
            ("rs.ncp", "at.ncp"): PeerSeen(later(1), later(20)),
            ("rs.ncp", "hu.ncp"): PeerSeen(later(10), later(20)),
        }


async def test_an_exchange_is_known_by_the_newest_message_of_either_direction(store: Store) -> None:
    # given messages in both lanes to one peer, and from another
    await send(store, "at.ncp", sent=NOW)
    await send(store, "at.ncp", lane="normal", sent=NOW + DAY)
    await send(store, "at.ncp", sent=NOW - DAY)
    old, new = ids.new(NOW - 3 * DAY), ids.new(NOW - 2 * DAY)
    async with store.writing() as unit:
        received = [use(7, old), use(8, new), use(1, new, sender="xx.odd")]
        await unit.inbox.use_numbers(
            [replace(one, recipient="rs.ncp", sender=f"hu.{one.sender[:2]}") for one in received], NOW
        )

    async with store.reading() as unit:
        exchanged = await unit.peers.exchanged(["rs.ncp"], now=NOW)

    assert exchanged[OWN] == NOW + DAY
    assert abs(exchanged["rs.ncp", "hu.rs"] - (NOW - 2 * DAY)) < timedelta(seconds=1)
    assert set(exchanged) == {OWN, ("rs.ncp", "hu.rs"), ("rs.ncp", "hu.xx")}


async def test_void_numbers_and_strange_ids_are_no_exchange(store: Store) -> None:
    odd = "ffffffff-ffff-7000-8000-000000000000"  # a time beyond the calendar
    far, near = ids.new(NOW + timedelta(seconds=125)), ids.new(NOW + timedelta(seconds=115))
    async with store.writing() as unit:
        odd_ones = [use(1, "E_UNKNOWN_NUMBER"), use(1, odd, sender="hu.ncp"), use(1, far, sender="ba.ncp")]
        await unit.inbox.use_numbers([*odd_ones, use(1, near, sender="it.ncp")], NOW)

    async with store.reading() as unit:
        assert set(await unit.peers.exchanged(["at.ncp"], now=NOW)) == {("at.ncp", "it.ncp")}


async def test_counters_tell_the_numbers_that_were_used_in_an_epoch(store: Store) -> None:
    first = [await send(store, "at.ncp", "hu.ncp") for _ in range(3)]
    async with store.writing() as unit:
        epoch = await new_epoch(unit, NOW)
    again = await send(store, "at.ncp", lane="normal")

    async with store.reading() as unit:
        old = await unit.peers.counters("rs.ncp", ["at.ncp", "hu.ncp", "ba.ncp"], epoch=1)
        new = await unit.peers.counters("rs.ncp", ["at.ncp", "hu.ncp"])

    numbers = [one.recipients[0].number for one in first]
    assert old.used["at.ncp", "urgent"] == (numbers[0], numbers[2])
    assert set(old.used) == {("at.ncp", "urgent"), ("hu.ncp", "urgent")}
    assert (new.epoch, set(new.used)) == (epoch, {("at.ncp", "normal")})
    assert new.used["at.ncp", "normal"] == (again.recipients[0].number, again.recipients[0].number)


async def test_what_is_no_evidence_is_forgotten_once_it_is_settled(store: Store) -> None:
    # given heartbeats, sent and unsent, and an alert that was sent
    beats = [outbox_row(kind="heartbeat", is_kept=False, country=to) for to in ("at", "hu")]
    alert = outbox_row()
    async with store.writing() as unit:
        await unit.outbox.add([*beats, alert])
        assert await unit.peers.countries_with_waiting_heartbeats("rs.ncp") == {"at", "hu"}
        claimed = await unit.outbox.claim("publisher", token="t", now=NOW, lease_seconds=5, limit=9)
        assert [(row.wire_bytes, row.is_kept) for row in claimed] == [
            (row.wire_bytes, row.is_kept) for row in [*beats, alert]
        ]
        await unit.outbox.mark_sent([beats[0].id, alert.id], token="t", now=NOW)

    # when
    async with store.writing() as unit:
        await unit.peers.forget_heartbeats(made_before=NOW)
        assert await unit.peers.countries_with_waiting_heartbeats("rs.ncp") == {"hu"}
        await unit.peers.forget_heartbeats(made_before=later(1))

    # then what waits is still sent, and nothing else has gone
    async with store.writing() as unit:
        (left,) = await unit.outbox.claim("publisher", token="u", now=later(60), lease_seconds=5, limit=9)
        assert (left.id, left.wire_bytes) == (beats[1].id, beats[1].wire_bytes)
        assert await unit.peers.countries_with_waiting_heartbeats("hu.ncp") == set()


async def test_a_number_leads_to_what_was_sent_under_it(store: Store) -> None:
    sent = await send(store, "at.ncp", "hu.ncp")
    normal = await send(store, "at.ncp", lane="normal")
    number, other = sent.recipients[0].number or 0, normal.recipients[0].number or 0

    async with store.reading() as unit:
        (found,) = await unit.asked_again.find_sent(KEY, [number, other, 5])
        assert (found.number, found.message_id, found.wire_bytes) == (number, sent.id, sent.wire_bytes)
        for key in (replace(KEY, recipient="ba.ncp"), replace(KEY, sender="rs.border-police"), replace(KEY, epoch=2)):
            assert await unit.asked_again.find_sent(key, [number]) == []


async def test_what_waits_for_its_first_publish_is_known(store: Store) -> None:
    waiting, gone = outbox_row(), outbox_row(message_id="gone")
    async with store.writing() as unit:
        await unit.outbox.add([waiting, gone])
        await unit.outbox.claim("publisher", token="t", now=NOW, lease_seconds=5, limit=9)
        await unit.outbox.mark_sent([gone.id], token="t", now=NOW)

        both = [waiting.message_id, "gone"]
        assert await unit.asked_again.still_waiting(both, country="at") == {waiting.message_id}
        assert await unit.asked_again.still_waiting(both, country="hu") == set()


async def test_what_is_asked_for_again_counts_and_keeps_the_newest_answer(store: Store) -> None:
    async with store.writing() as unit:
        await unit.asked_again.note([asked(7), asked(8, code="E_UNKNOWN_NUMBER", message_id=None)])
        await unit.asked_again.note([asked(7, asked_at=later(9), answered_at=later(9))])

        listed = await unit.asked_again.list(["rs.ncp"], limit=9)
        assert [(one.number, one.times, one.code) for one in listed] == [(8, 1, "E_UNKNOWN_NUMBER"), (7, 2, None)]
        assert await unit.asked_again.noted(KEY, [7, 8, 9]) == {7: later(9), 8: NOW}
        assert await unit.asked_again.noted(replace(KEY, lane="normal"), [7, 8, 9]) == {}
        assert await unit.asked_again.count("rs.ncp", "at.ncp") == 2
        assert await unit.asked_again.list(["at.ncp"], limit=9) == []


async def test_a_receipt_settles_its_message_and_a_day_the_rest(store: Store) -> None:
    async with store.writing() as unit:
        await unit.asked_again.note([asked(7), asked(8), asked(8, recipient="hu.ncp"), asked(9, answered_at=later(60))])
        arrived = [("message-7", "at.ncp"), ("message-8", "hu.ncp"), ("other", "at.ncp")]
        await unit.asked_again.settle("rs.ncp", arrived, later(2))
        assert [one.number for one in await unit.asked_again.list(["rs.ncp"], limit=9)] == [8, 9]
        assert await unit.asked_again.count("rs.ncp", "at.ncp") == 2

        await unit.asked_again.forget(answered_before=later(1), settled_answered_before=later(1))
        assert [one.number for one in await unit.asked_again.list(["rs.ncp"], limit=9)] == [9]


async def test_what_is_settled_still_says_when_it_was_answered_until_it_is_forgotten(store: Store) -> None:
    async with store.writing() as unit:
        await unit.asked_again.note([asked(7), asked(8)])
        await unit.asked_again.settle("rs.ncp", [("message-7", "at.ncp")], later(2))
        await unit.asked_again.forget(answered_before=later(-9), settled_answered_before=NOW)
        assert await unit.asked_again.noted(KEY, [7, 8]) == {7: NOW, 8: NOW}

        await unit.asked_again.forget(answered_before=later(-9), settled_answered_before=later(1))
        assert await unit.asked_again.noted(KEY, [7, 8]) == {8: NOW}


async def test_what_is_asked_for_after_its_receipt_is_outstanding_again(store: Store) -> None:
    async with store.writing() as unit:
        await unit.asked_again.note([asked(7)])
        await unit.asked_again.settle("rs.ncp", [("message-7", "at.ncp")], later(2))
        await unit.asked_again.note([asked(7, answered_at=later(9))])

        (listed,) = await unit.asked_again.list(["rs.ncp"], limit=9)
        assert (listed.number, listed.times, listed.answered_at) == (7, 2, later(9))


async def test_what_was_published_and_has_no_receipt_is_found_by_when_it_was_published(store: Store) -> None:
    # given a message for two countries, published, of which one has answered
    sent = await send(store, "at.ncp", "hu.ncp")
    waiting = await send(store, "at.ncp")
    async with store.writing() as unit:
        await unit.ledger.mark_sent([(sent.id, "at"), (sent.id, "hu")], later(10))
        await unit.ledger.add_receipts([receipt(sent, "hu.ncp")])

        await unit.peers.hear("rs.ncp", {"at.ncp": later(11)})

    async with store.reading() as unit:
        (found,) = await unit.asked_again.unanswered(["rs.ncp"], after=Published(later(10)), before=later(11), limit=9)
        assert (found.recipient, found.sent_at, found.copy.wire_bytes) == ("at.ncp", later(10), sent.wire_bytes)
        assert found.copy.message_id != waiting.id
        for after, before in ((found.published, 20), (Published(later(11)), 20), (Published(NOW), 10)):
            assert await unit.asked_again.unanswered(["rs.ncp"], after=after, before=later(before), limit=9) == []
        assert await unit.asked_again.unanswered(["at.ncp"], after=Published(NOW), before=later(20), limit=9) == []


async def test_what_has_no_receipt_is_found_in_parts_and_only_for_who_was_heard_since(store: Store) -> None:
    # given messages that were published at once, to somebody who was heard since and to others who were not
    sent = [await send(store, to) for to in ("at.ncp", "hu.ncp", "ba.ncp") for _ in range(3)]
    async with store.writing() as unit:
        await unit.ledger.mark_sent([(one.id, one.recipients[0].id[:2]) for one in sent], later(10))
        await unit.peers.hear("rs.ncp", {"at.ncp": later(11), "hu.ncp": later(9)})

    # when they are read in parts
    found, after = [], Published(NOW)
    async with store.reading() as unit:
        while part := await unit.asked_again.unanswered(["rs.ncp"], after=after, before=later(60), limit=2):
            found += [one.copy.message_id for one in part]
            after = part[-1].published

    # then
    assert found == sorted(one.id for one in sent[:3])
