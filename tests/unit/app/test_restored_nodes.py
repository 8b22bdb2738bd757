"""Restored nodes: a receiver gets back what it lost, a sender says what never comes, and nothing comes twice."""

from __future__ import annotations

from bridge_world import control
from peer_worlds import HOUR, MINUTE, Network, of_kind

from bridge.app.receiving.outcomes import Outcome


async def given_exchanged(world: Network, count: int) -> list[str]:
    sent = [await world.countries["rs"].submit("at.ncp") for _ in range(count)]
    await world.carry()
    return sent


async def test_a_restored_receiver_gets_everything_back_exactly_once(world: Network) -> None:
    # given a backup, and messages of both lanes that came after it
    before = await given_exchanged(world, 3)
    backup = await world.back_up("at.ncp")
    after = await given_exchanged(world, 4)
    after.append(await world.countries["rs"].submit("at.ncp", urgency="expected"))
    await world.carry()

    # when the database is gone and the backup takes its place
    austria = await world.restore("at.ncp", backup)
    assert await austria.received() == before
    await world.pass_time(15 * MINUTE)

    # then
    serbia = world.countries["rs"]
    assert sorted(await austria.received()) == sorted(before + after)
    assert await austria.missing() == []
    assert set(await serbia.states(before + after)) == {"delivered"}
    assert (await serbia.check("asked again")).ok
    assert await austria.node.audit("sequence.number_reused") == []


async def test_a_receiver_that_lost_everything_gets_back_what_was_ever_sent_to_it(world: Network) -> None:
    sent = await given_exchanged(world, 30)

    austria = await world.restore("at.ncp", world.migrated)
    await world.pass_time(15 * MINUTE)

    assert sorted(await austria.received()) == sorted(sent)
    assert await austria.missing() == []


async def test_a_restored_sender_begins_an_epoch_and_repeats_no_number(world: Network) -> None:
    # given a sender that forgets its last two messages, both delivered
    before = await given_exchanged(world, 2)
    backup = await world.back_up("rs.ncp")
    forgotten = await given_exchanged(world, 2)

    # when
    serbia = await world.restore("rs.ncp", backup)
    after = await given_exchanged(world, 2)
    await world.pass_time(30 * MINUTE)

    # then
    austria = world.countries["at"]
    assert sorted(await austria.received()) == sorted(before + forgotten + after)
    assert await austria.missing() == []
    assert await austria.node.audit("sequence.number_reused") == []
    assert await serbia.states(after) == ["delivered"] * 2


async def test_what_a_restored_sender_has_forgotten_is_void_and_named(world: Network) -> None:
    # given a message that was lost on its way, and then forgotten by its sender
    (first,) = await given_exchanged(world, 1)
    backup = await world.back_up("rs.ncp")
    lost = await world.countries["rs"].submit("at.ncp")
    number = await world.countries["rs"].number(lost)
    await world.carry(of_kind("route_alert"))
    (last,) = await given_exchanged(world, 1)

    # when its recipient asks for it
    serbia = await world.restore("rs.ncp", backup)
    await world.pass_time(30 * MINUTE)

    # then nothing is missing any more, and both know by name that it never comes
    austria = world.countries["at"]
    assert await austria.received() == [first, last]
    assert await austria.missing() == []
    void = await austria.check("void numbers")
    assert not void.ok
    assert f"rs.ncp to at.ncp urgent (epoch 1) {number} E_UNKNOWN_NUMBER" in void.detail
    (entry,) = await austria.node.audit("sequence.void")
    assert (entry.actor, entry.detail["numbers"]) == ("rs.ncp", str(number))
    asked = await serbia.check("asked again")
    assert asked.detail == f"at.ncp missed urgent {number} of rs.ncp (epoch 1): cannot be sent again E_UNKNOWN_NUMBER"

    # an alarm for a day, shown for a week, and never asked for again
    world.carried.clear()
    await world.pass_time(26 * HOUR, steps_of=2 * HOUR)
    void = await austria.check("void numbers")
    assert void.ok
    assert str(number) in void.detail
    assert "resend_request" not in world.carried_kinds()
    world.clock.advance(6 * 24 * HOUR)
    assert str(number) not in (await austria.check("void numbers")).detail


async def test_a_message_that_comes_after_its_number_was_void_is_taken_without_an_alarm(world: Network) -> None:
    # given a number that its sender has called void too early
    await given_exchanged(world, 1)
    serbia, austria = world.countries["rs"], world.countries["at"]
    late = await serbia.submit("at.ncp")
    await world.carry(of_kind("route_alert"))
    await world.pass_time(7 * MINUTE, of_kind("route_alert"))
    void = [{"lane": "urgent", "number": await serbia.number(late), "code": "E_UNKNOWN_NUMBER"}]
    none = {"first": 1, "last": 0}
    said = control(
        "heartbeat",
        {"epoch": 1, "urgent": none, "normal": none, "void": void},
        sender="rs.ncp",
        to="at.ncp",
        at=world.now(),
    )
    assert await austria.receiver.receive([said.delivery(to="at.ncp")]) == [Outcome.ACCEPTED]
    assert await austria.missing() == []

    # when the message comes after all
    world.clock.advance(10 * MINUTE)
    request = {"epoch": 1, "lane": "urgent", "numbers": [void[0]["number"]]}
    await serbia.receiver.receive([control("resend_request", request, at=world.now()).delivery(to="rs.ncp")])
    await world.carry()

    # then
    assert late in await austria.received()
    assert await austria.node.audit("sequence.number_reused") == []
