"""The sender's counters (wire-format: `seq`): one per sender, recipient, epoch and lane, begun at a random number."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from servers.new_epochs import new_epoch
from store_samples import NOW

from bridge.ports.store import Store

LARGEST = 2**53 - 1


async def take(store: Store, *recipients: str, sender: str = "rs.ncp", lane: str = "urgent") -> dict[str, int]:
    async with store.writing() as unit:
        _, numbers = await unit.ledger.next_numbers(sender, recipients, lane=lane)
    return dict(numbers)


async def test_numbers_towards_a_recipient_follow_each_other_without_a_gap(store: Store) -> None:
    taken = [await take(store, "at.ncp", "hu.ncp") for _ in range(4)]

    for recipient in ("at.ncp", "hu.ncp"):
        numbers = [numbers[recipient] for numbers in taken]
        assert numbers == list(range(numbers[0], numbers[0] + 4))


async def test_counters_start_at_different_places_and_leave_room(store: Store) -> None:
    starts = await take(store, *(f"at.desk-{number}" for number in range(60)))

    assert len(set(starts.values())) == 60
    assert all(0 < number < LARGEST // 2 for number in starts.values())


async def test_lanes_and_senders_count_for_themselves(store: Store) -> None:
    first = await take(store, "at.ncp")
    other_lane = await take(store, "at.ncp", lane="normal")
    other_sender = await take(store, "at.ncp", sender="rs.border-police")
    second = await take(store, "at.ncp")

    assert second["at.ncp"] == first["at.ncp"] + 1
    assert len({first["at.ncp"], other_lane["at.ncp"], other_sender["at.ncp"]}) == 3


async def test_the_epoch_is_the_nodes_first(store: Store) -> None:
    async with store.writing() as unit:
        epoch, _ = await unit.ledger.next_numbers("rs.ncp", ["at.ncp"], lane="urgent")

    assert epoch == 1


async def test_a_number_that_was_rolled_back_is_taken_again(store: Store) -> None:
    first = await take(store, "at.ncp")

    async def take_and_fail() -> None:
        async with store.writing() as unit:
            await unit.ledger.next_numbers("rs.ncp", ["at.ncp"], lane="urgent")
            raise KeyError

    with pytest.raises(KeyError):
        await take_and_fail()

    assert (await take(store, "at.ncp"))["at.ncp"] == first["at.ncp"] + 1


async def test_writers_at_once_never_take_the_same_number(store: Store, other_store: Store) -> None:
    senders = [take(own, "hu.ncp", "at.ncp") for own in (store, other_store) * 10]
    turned = [take(own, "at.ncp", "hu.ncp") for own in (store, other_store) * 10]

    taken = await asyncio.gather(*senders, *turned)

    for recipient in ("at.ncp", "hu.ncp"):
        numbers = sorted(numbers[recipient] for numbers in taken)
        assert numbers == list(range(numbers[0], numbers[0] + 40))


async def test_a_new_epoch_is_the_time_it_began_and_its_counters_begin_anew(store: Store) -> None:
    before = await take(store, "at.ncp")
    async with store.writing() as unit:
        epoch = await new_epoch(unit, NOW)

    async with store.writing() as unit:
        taken, numbers = await unit.ledger.next_numbers("rs.ncp", ["at.ncp"], lane="urgent")

    assert epoch == taken == int(NOW.timestamp())
    assert numbers["at.ncp"] not in range(before["at.ncp"], before["at.ncp"] + 1000)


async def test_epochs_only_grow_whatever_the_clock_says(store: Store) -> None:
    async with store.writing() as unit:
        epochs = [await new_epoch(unit, at) for at in (NOW, NOW, NOW - timedelta(days=400))]

    assert epochs == [epochs[0], epochs[0] + 1, epochs[0] + 2]
