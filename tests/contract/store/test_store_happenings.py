"""The audit log followed, on both databases."""

from __future__ import annotations

from store_samples import NOW, item, outgoing, receipt

from bridge.adapters.store import SqlStore
from bridge.ports.store.happenings import Arrival
from bridge.ports.store.records import AuditEntry


def entry(action: str, subject: str = "some") -> AuditEntry:
    return AuditEntry(NOW, "M. Huber", action, "at.ncp", subject, {"from": "rs.ncp"})


async def test_followers_see_what_came_behind_their_place_and_no_reading(store: SqlStore) -> None:
    async with store.writing() as unit:
        before = await unit.happenings.newest()
        await unit.audit.add([entry("message.received", "a"), entry("body.read", "a"), entry("answer.due", "b")])

    async with store.reading() as unit:
        first, second = await unit.happenings.after(before)
        assert (first.action, first.actor, first.subject, first.detail) == (
            "message.received",
            "M. Huber",
            "a",
            {"from": "rs.ncp"},
        )
        assert second.action == "answer.due"
        assert await unit.happenings.newest() == second.position
        assert await unit.happenings.after(second.position) == []


async def test_a_follower_goes_on_where_it_was(store: SqlStore) -> None:
    async with store.writing() as unit:
        assert await unit.happenings.progress("notices") is None
        await unit.happenings.set_progress("notices", 7)
        await unit.happenings.set_progress("notices", 9)

    async with store.reading() as unit:
        assert await unit.happenings.progress("notices") == 9


async def test_what_an_arrival_is_about(store: SqlStore) -> None:
    update = item(supersedes="first", supersedes_from="rs.ncp")
    answer = item(of="ours", of_from="at.ncp", acknowledge_by=None)
    async with store.writing() as unit:
        await unit.inbox.add([update, answer, item(id=update.id, contact_point="at.police")])

    async with store.reading() as unit:
        one, two = await unit.happenings.arrivals([("at.ncp", update.id), ("at.ncp", answer.id)])
        newest = await unit.happenings.newest_arrival("at.ncp")
        assert await unit.happenings.count_arrivals("at.ncp", after=0) == 1
        assert await unit.happenings.count_arrivals("at.ncp", after=newest) == 0

    assert one == Arrival(
        one.position, "at.ncp", "rs.ncp", update.id, awaits_answer=True, replaces="first", answers=None
    )
    assert (two.awaits_answer, two.answers, two.position) == (False, "ours", newest)


async def test_what_became_of_the_newest_ones_sent(store: SqlStore) -> None:
    old, new = outgoing("at.ncp"), outgoing("at.ncp", "hu.ncp")
    async with store.writing() as unit:
        await unit.ledger.add(old)
        await unit.ledger.add(new)
    async with store.reading() as unit:
        before = await unit.happenings.sent_states("rs.ncp", newest=1)

    async with store.writing() as unit:
        await unit.ledger.add_receipts([receipt(new, "at.ncp")])

    async with store.reading() as unit:
        after = await unit.happenings.sent_states("rs.ncp", newest=1)
    assert set(before) == set(after) == {new.id}
    assert before != after
