"""Missing numbers in `status`: an alarm once they are no longer just late, and cheap whatever a sender counts up to."""

from __future__ import annotations

from bridge_node import Node
from bridge_world import START, StillClock, alert, directory

from bridge.app.checks.check_node import Check
from bridge.app.checks.check_peers import check_peers
from bridge.ports.store.no_gap import NumberRange
from bridge.ports.store.records import SequenceUse

BILLION = 10**9
LARGEST = 2**53 - 1


async def sequence_check(node: Node) -> Check:
    checks = await check_peers(
        node.store, now=node.clock.now(), contact_points=["at.ncp"], directory=None, heartbeat_seconds=300
    )
    return {check.name: check for check in checks}["sequence"]


async def use(node: Node, *numbers: int, epochs: int = 1) -> None:
    uses = [
        SequenceUse("at.ncp", "rs.ncp", epoch, "urgent", number, f"{epoch}-{number}")
        for epoch in range(1, epochs + 1)
        for number in numbers
    ]
    async with node.store.writing() as unit:
        await unit.inbox.use_numbers(uses, START)


async def test_a_gap_is_an_alarm_after_ten_minutes_and_not_before(node: Node, clock: StillClock) -> None:
    await node.receiver("at.ncp").receive([alert(number=n).delivery(to="at.ncp") for n in (10, 12)])

    clock.advance(600)
    late = await sequence_check(node)
    clock.advance(1)
    missing = await sequence_check(node)

    assert late.ok
    assert not missing.ok
    assert missing.detail.startswith("1 numbers missing")


async def test_a_sender_that_jumps_by_billions_is_counted_not_listed(node: Node, clock: StillClock) -> None:
    await use(node, *(step * BILLION for step in range(1, 101)))
    clock.advance(601)

    assert (await sequence_check(node)).detail.startswith(f"{99 * (BILLION - 1)} numbers missing")


async def test_epochs_full_of_gaps_do_not_stop_status(node: Node, clock: StillClock) -> None:
    await use(node, 1, LARGEST, epochs=1100)  # together more than an integer of the database holds
    clock.advance(601)

    assert not (await sequence_check(node)).ok


async def test_the_list_of_missing_numbers_is_bounded_whatever_was_skipped(node: Node) -> None:
    await use(node, *(step * BILLION for step in range(1, 101)))

    async with node.store.reading() as unit:
        listed = await unit.inbox.gaps(older_than=START.replace(year=2027))

    assert len(listed) == 10_000
    assert listed[0] == ("at.ncp", "rs.ncp", 1, "urgent", BILLION + 1)


async def test_nobody_is_hidden_by_the_numbers_of_another(node: Node, clock: StillClock) -> None:
    await use(node, *range(1, 200, 2))
    async with node.store.writing() as unit:
        await unit.gaps.note_used([NumberRange("at.ncp", "hu.ncp", 1, "urgent", 5, 5)], START)
    clock.advance(601)

    check = await sequence_check(node)

    assert "hu.ncp to at.ncp urgent (epoch 1) 5" in check.detail
    assert "rs.ncp to at.ncp urgent (epoch 1) 2" in check.detail
    assert check.detail.endswith("and more")


async def test_what_a_sender_that_left_or_a_moved_contact_point_misses_is_no_alarm(
    node: Node, clock: StillClock
) -> None:
    # given numbers missing of a sender that is not on the list, and towards a contact point that is not ours
    ranges = [
        NumberRange("at.ncp", "xx.gone", 1, "urgent", 5, 6),
        NumberRange("at.border-police", "rs.ncp", 1, "urgent", 5, 5),
    ]
    async with node.store.writing() as unit:
        await unit.gaps.note_used(ranges, START)
    clock.advance(601)

    # when
    checks = await check_peers(
        node.store, now=clock.now(), contact_points=["at.ncp"], directory=directory(), heartbeat_seconds=300
    )
    check = {one.name: one for one in checks}["sequence"]

    # then they are shown
    assert check.ok
    assert check.detail.startswith("0 numbers missing")
    assert "1 of rs.ncp to at.border-police; 2 of xx.gone to at.ncp" in check.detail
