"""After a revocation what is on its way is signed anew by its owner, arrives once, and nothing old is believed."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from bridge_world import alert, receipt_for
from peer_worlds import MINUTE, Country, Network, control_of, extra_key, nothing, of_kind, with_keys

from bridge.app.keys.renewing import kids_of
from bridge.app.keys.sign_again import SignAgain
from bridge.app.keys.sign_waiting import SignWaiting
from bridge.app.receiving.answering import UNSIGNED
from bridge.core.directory import Directory
from bridge.core.errors import RefusedError
from bridge.core.wire.envelope import parse_envelope
from bridge.ports.broker import Delivery

OLD, NEW = "rs.ncp#sig-1", "rs.ncp#sig-2"


def sign_again(country: Country) -> SignAgain:
    return SignAgain(
        {country.own: country.receiver.desk}, country.store, country.trust, country.clock, country.node.ids
    )


def sign_waiting(country: Country) -> SignWaiting:
    chores = sign_again(country)
    return SignWaiting(chores.desks, country.store, country.trust, country.clock, chores.ids)


def revoked(directory: Directory, kid: str) -> Directory:
    key = directory.signing_keys[kid]
    return with_keys(directory, replace(key, revoked_at=directory.signed_at))


@pytest.mark.parametrize("when", ["it waits", "it is under way", "it has arrived"])
async def test_every_message_arrives_once_wherever_it_was_at_the_moment_of_revocation(
    world: Network, when: str
) -> None:
    # given a message under the key that is about to be revoked
    serbia, austria = world.countries["rs"], world.countries["at"]
    sent = await serbia.submit("at.ncp")
    before = await serbia.node.sent(sent)
    if when != "it waits":
        await world.carry(of_kind("route_alert") if when == "it is under way" else of_kind("receipt"))

    # when the list revokes the key, and has a new one
    world.clock.advance(MINUTE)
    with extra_key(serbia, NEW):
        world.trust.directory = revoked(world.trust.directory, OLD)
        assert await sign_again(serbia).look() == 1
        world.carried.clear()
        await world.carry()

        # then nothing leaves under the old key, and the message is there, under the new one where it was not before
        alerts = [one for one in world.carried if one.kind == "route_alert"]
        assert [kids_of(one.wire_bytes) for one in alerts] == [[NEW]]
        assert await austria.received() == [sent]
        assert await serbia.states([sent]) == ["delivered"]
        assert await austria.node.quarantined() == []
        after = await serbia.node.sent(sent)
        assert after.payload_sha256 == before.payload_sha256
        assert parse_envelope(after.wire_bytes).payload_bytes == parse_envelope(before.wire_bytes).payload_bytes

        # and it is done once
        assert await sign_again(serbia).look() == 0
        (entry,) = await serbia.node.audit("message.signed_again")
        assert (entry.subject, entry.detail) == (sent, {"kid": NEW, "before": OLD, "to": "at"})


async def test_what_was_delivered_and_what_has_expired_is_left_alone(world: Network) -> None:
    serbia = world.countries["rs"]
    await serbia.submit("at.ncp")
    await world.carry()
    await serbia.submit("at.ncp", lifetime=timedelta(minutes=1))
    await world.carry(of_kind("route_alert"))
    world.clock.advance(2 * MINUTE)

    with extra_key(serbia, NEW):
        world.trust.directory = revoked(world.trust.directory, OLD)
        assert await sign_again(serbia).look() == 0
        assert await serbia.waiting() == []


async def test_what_a_recipient_refused_for_its_key_is_signed_anew_and_what_it_refused_for_more_is_not(
    world: Network,
) -> None:
    # given messages that were rejected, one because our list was behind when it was signed
    serbia = world.countries["rs"]
    ids = [await serbia.submit("at.ncp") for _ in range(2)]
    await world.carry(of_kind("route_alert"))
    for own, code in zip(ids, ("E_KEY_EXPIRED", "E_NOT_AUTHORISED"), strict=True):
        message = await serbia.node.sent(own)
        of = {"payload_sha256": message.payload_sha256, "sealed_sha256": message.sealed_sha256}
        told = receipt_for(replace(alert(), addressing=replace(alert().addressing, id=own)), code=code, **of)
        await serbia.receiver.receive([told.delivery(to="rs.ncp")])
    assert await serbia.states(ids) == ["rejected", "rejected"]

    with extra_key(serbia, NEW):
        world.trust.directory = revoked(world.trust.directory, OLD)
        await sign_again(serbia).look()
        assert [row.message_id for row in await serbia.waiting()] == [ids[0]]


async def test_without_a_usable_key_nothing_is_sent_or_lost_and_what_is_owed_waits(world: Network) -> None:
    # given a contact point whose one key is revoked, a message of its own under way, and one that comes in
    serbia, austria = world.countries["rs"], world.countries["at"]
    own = await serbia.submit("at.ncp")
    await world.carry(of_kind("route_alert"))
    world.trust.directory = revoked(world.trust.directory, OLD)
    theirs = await austria.submit("rs.ncp")

    # when its node goes on
    chores, waiting = sign_again(serbia), sign_waiting(serbia)
    await world.pass_time(6 * MINUTE, nothing)
    assert (await chores.look(), await waiting.sign()) == (0, 0)

    # then submitting is refused by name, receiving goes on, and its answer waits
    with pytest.raises(RefusedError, match="sig-1 was revoked") as refused:
        await serbia.submit("at.ncp")
    assert refused.value.code == "E_NO_SIGNING_KEY"
    assert await serbia.received() == [theirs]
    assert await austria.states([theirs]) == ["sent"]
    async with serbia.store.reading() as unit:
        assert (await unit.outbox.backlog(UNSIGNED))[0] == 1
        (row,) = [one for one in await unit.outbox.waiting() if one.relay == UNSIGNED]
        assert row.last_error == "E_NO_SIGNING_KEY"

    # when there is a key, then everything goes out under it
    with extra_key(serbia, NEW):
        assert (await chores.look(), await waiting.sign()) == (1, 1)
        await world.carry()
        assert await austria.received() == [own]
        assert await austria.states([theirs]) == ["delivered"]
        assert await serbia.states([own]) == ["delivered"]
        assert await waiting.sign() == 0


async def test_a_receipt_that_has_not_left_is_signed_anew(world: Network) -> None:
    # given a receipt in Serbia's outbox, under the key that is revoked
    serbia, austria = world.countries["rs"], world.countries["at"]
    theirs = await austria.submit("rs.ncp")
    (message,) = await austria.waiting()
    await serbia.receiver.receive([alert_delivery(message.wire_bytes, theirs)])
    assert await serbia.waiting_kinds() == ["receipt"]

    with extra_key(serbia, NEW):
        world.trust.directory = revoked(world.trust.directory, OLD)
        assert await sign_again(serbia).look() == 1

        (row,) = await serbia.waiting()
        assert kids_of(row.wire_bytes) == [NEW]
        assert control_of(row)["state"] == "delivered"


async def test_what_was_sent_by_the_older_list_right_after_the_change_is_found_within_a_minute(world: Network) -> None:
    # given a running process that has seen the revocation
    serbia = world.countries["rs"]
    chores, before = sign_again(serbia), world.trust.directory
    with extra_key(serbia, NEW):
        after = world.trust.directory = revoked(world.trust.directory, OLD)
        assert await chores.look() == 0

        # when a command that has not seen it signs with the old key
        world.trust.directory = before
        sent = await serbia.submit("at.ncp")
        world.trust.directory = after
        world.clock.advance(MINUTE)

        # then
        assert await chores.look() == 1
        assert {row.message_id for row in await serbia.waiting()} == {sent}
        assert [kids_of(row.wire_bytes) for row in await serbia.waiting()] == [[NEW]]


async def test_many_messages_are_signed_anew_in_parts_and_a_crash_in_between_leaves_the_rest_for_the_next_start(
    world: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    # given
    serbia, austria = world.countries["rs"], world.countries["at"]
    ids = [await serbia.submit("at.ncp") for _ in range(7)]
    monkeypatch.setattr("bridge.app.keys.sign_again._AT_ONCE", 6)
    monkeypatch.setattr("bridge.app.keys.sign_again._AT_A_TIME", 3)
    with extra_key(serbia, NEW):
        world.trust.directory = revoked(world.trust.directory, OLD)

        # when the process dies in the third part
        calls = iter(range(100))

        async def dies() -> None:
            if next(calls) == 1:
                raise KeyboardInterrupt

        monkeypatch.setattr("bridge.app.keys.sign_again.let_others_run", dies)
        with pytest.raises(KeyboardInterrupt):
            await sign_again(serbia).look()
        async with serbia.store.reading() as unit:
            done = len(await unit.audit.list(action="message.signed_again"))
        assert done == 6

        # then the next start does what is left, and everything arrives
        assert await sign_again(serbia).look() == 1
        await world.carry()
        assert sorted(await austria.received()) == sorted(ids)
        assert await austria.node.quarantined() == []


def alert_delivery(wire_bytes: bytes, message_id: str) -> Delivery:
    sent = alert(to=["rs.ncp"], sender="at.ncp")
    made = replace(sent.made, wire_bytes=wire_bytes)
    return replace(sent, made=made, addressing=replace(sent.addressing, id=message_id)).delivery(to="rs.ncp")
