"""Hand-overs, on both databases: given once, taken once."""

from __future__ import annotations

from store_samples import BODY, NOW, later, message_id

from bridge.adapters.store import SqlStore
from bridge.ports.store.handovers import HandoverRecord


def handover(**given: str) -> HandoverRecord:
    made = {"contact_point": "at.ncp", "given_by": "huber", "given_to": None} | given
    items = (("needs_action", "some", "rs.ncp"), ("draft", "other", "huber"))
    return HandoverRecord(id=message_id(), given_at=NOW, items=items, note=BODY, **made)


async def test_one_is_taken_by_one_person(store: SqlStore) -> None:
    async with store.writing() as unit:
        await unit.handovers.add(given := handover())
        await unit.handovers.add(handover(contact_point="at.police"))
    async with store.reading() as unit:
        assert await unit.handovers.get(given.id) == given
        assert list(await unit.handovers.waiting("at.ncp")) == [given]

    async with store.writing() as unit:
        assert await unit.handovers.take(given.id, by="gruber", at=later(1))
        assert not await unit.handovers.take(given.id, by="mayer", at=later(2))

    async with store.reading() as unit:
        (taken,) = await unit.handovers.list("at.ncp")
        assert (taken.taken_by, taken.taken_at) == ("gruber", later(1))
        assert await unit.handovers.waiting("at.ncp") == []
        assert await unit.handovers.get("another") is None
