"""What the store promises of webhooks, on both databases."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest
from store_samples import BODY, NOW, item, later, outgoing, receipt

from bridge.adapters.store import SqlStore
from bridge.ports.store import UnitOfWork
from bridge.ports.store.webhooks import DeliveryRecord, RecipientNews, WebhookRecord

HOOK = WebhookRecord("wh_1", "rs.ncp", "https://hook.example/", ("message.state",), BODY, "admin", NOW, 0)
DELIVERY = DeliveryRecord(
    "evt_1", "wh_1", "message.state", "rs.ncp", "0193", "at.ncp", "sent", None, "route_alert", "actual", "priority",
    NOW, NOW, NOW,
)  # fmt: skip
UNTIL = later(30)


async def news(unit: UnitOfWork) -> list[tuple[str, str, str | None]]:
    return [(one.recipient, one.state, one.code) for one in await unit.webhooks.take_news(limit=100)]


async def test_a_webhook_is_kept_changed_and_removed_with_its_deliveries(store: SqlStore) -> None:
    other = replace(HOOK, id="wh_2", contact_point="at.ncp")
    async with store.writing() as unit:
        await unit.webhooks.add(HOOK)
        await unit.webhooks.add(other)
        await unit.webhooks.add_deliveries([DELIVERY, replace(DELIVERY, id="evt_2", webhook="wh_2")])
        assert await unit.webhooks.get("wh_1") == HOOK
        assert await unit.webhooks.list(["at.ncp"]) == [other]
        await unit.webhooks.move("wh_1", 7)
        await unit.webhooks.note_failing("wh_1", NOW)
        await unit.webhooks.disable("wh_1", NOW, reason="gone")
        assert await unit.webhooks.get("wh_1") == replace(
            HOOK, position=7, failing_since=NOW, disabled_at=NOW, reason="gone"
        )
        await unit.webhooks.enable("wh_1", position=9)
        await unit.webhooks.set_secrets("wh_1", replace(BODY, ciphertext=b"other"))
        changed = replace(HOOK, position=9, secrets=replace(BODY, ciphertext=b"other"))
        assert await unit.webhooks.get("wh_1") == changed
        await unit.webhooks.remove("wh_1")
        assert await unit.webhooks.list(["rs.ncp", "at.ncp"]) == [other]
        assert await unit.webhooks.deliveries("wh_1", limit=10) == []
        assert len(await unit.webhooks.deliveries("wh_2", limit=10)) == 1


async def test_an_event_is_one_row_for_each_webhook_however_often_it_is_added(store: SqlStore) -> None:
    async with store.writing() as unit:
        await unit.webhooks.add_deliveries([DELIVERY])
        await unit.webhooks.add_deliveries([DELIVERY, replace(DELIVERY, id="evt_9")])
        await unit.webhooks.add_deliveries([replace(DELIVERY, id="evt_2", state="delivered")])
    async with store.reading() as unit:
        assert [one.id for one in await unit.webhooks.deliveries("wh_1", limit=10)] == ["evt_2", "evt_1"]


async def test_what_became_of_one_senders_messages_is_dropped_and_nobody_elses(store: SqlStore) -> None:
    theirs, mine = outgoing("at.ncp", "hu.ncp"), outgoing("at.ncp", "hr.ncp")
    async with store.writing() as unit:
        await unit.webhooks.add(HOOK)
        await unit.ledger.add(theirs)
        await unit.ledger.add(mine)
        await unit.ledger.mark_sent([(theirs.id, "at"), (mine.id, "hr")], NOW)
        await unit.webhooks.drop_news("hu.ncp")
        assert await unit.webhooks.has_news()
        await unit.webhooks.drop_news("rs.ncp")
        assert not await unit.webhooks.has_news()


async def test_what_becomes_of_a_message_is_noted_where_its_sender_has_a_webhook(store: SqlStore) -> None:
    first, mine = outgoing("at.ncp", "hu.ncp"), outgoing("at.ncp", "hu.ncp", "hr.ncp")
    async with store.writing() as unit:
        await unit.ledger.add(first)
        await unit.ledger.mark_sent([(first.id, "at")], NOW)
        assert await news(unit) == []  # nobody to tell
        await unit.webhooks.add(replace(HOOK, contact_point="hu.ncp"))
        await unit.ledger.mark_sent([(first.id, "hu")], NOW)
        assert await news(unit) == []  # nobody of this sender's
        await unit.webhooks.add(replace(HOOK, id="wh_2"))
        await unit.ledger.add(mine)
        await unit.ledger.mark_uncertain([(mine.id, "at")])
        assert await news(unit) == []
        await unit.ledger.mark_sent([(mine.id, "at")], NOW)
        assert await unit.webhooks.take_news(limit=9) == [
            RecipientNews("rs.ncp", mine.id, "at.ncp", "sent", None, "route_alert", "actual", "immediate")
        ]
        assert await news(unit) == []  # it was taken
        await unit.ledger.add_receipts([receipt(mine, "at.ncp")] * 2)
        await unit.ledger.mark_expired([(mine.id, "hu")])
        await unit.ledger.mark_stopped([(mine.id, "hr.ncp", "E_SUSPENDED")])
        assert await news(unit) == [
            ("at.ncp", "delivered", None),
            ("hr.ncp", "expired", "E_SUSPENDED"),
            ("hu.ncp", "expired", "E_EXPIRED"),
        ]


async def test_news_of_what_never_was_is_none(store: SqlStore) -> None:
    message = outgoing("at.ncp")
    async with store.writing() as unit:
        await unit.webhooks.add(HOOK)
        await unit.ledger.add(message)

    async def interrupted() -> None:
        async with store.writing() as unit:
            await unit.ledger.mark_sent([(message.id, "at")], NOW)
            raise InterruptedError

    with pytest.raises(InterruptedError):
        await interrupted()
    async with store.writing() as unit:
        assert await news(unit) == []


async def test_what_arrived_is_followed_by_its_place(store: SqlStore) -> None:
    arrived = [item(), item(), item(contact_point="hu.ncp")]
    async with store.writing() as unit:
        await unit.inbox.add(arrived)
        found = await unit.webhooks.arrived("at.ncp", after=0, limit=10)
        assert [one.message_id for one in found] == [one.id for one in arrived[:2]]
        assert (found[0].kind, found[0].received_at) == (arrived[0].kind, arrived[0].received_at)
        assert await unit.webhooks.arrived("at.ncp", after=found[0].position, limit=10) == [found[1]]


async def test_one_posts_to_a_webhook_at_a_time(store: SqlStore, other_store: SqlStore) -> None:
    async with store.writing() as unit:
        await unit.webhooks.add(HOOK)
        await unit.webhooks.add_deliveries([DELIVERY])
        assert await unit.webhooks.ready(now=NOW) == [("wh_1", False)]

    async def take(which: SqlStore, token: str) -> bool:
        async with which.writing() as unit:
            return await unit.webhooks.lease("wh_1", token=token, now=NOW, until=UNTIL) is not None

    assert sorted(await asyncio.gather(take(store, "a"), take(other_store, "b"))) == [False, True]
    async with store.writing() as unit:
        assert await unit.webhooks.ready(now=NOW) == []
        assert await unit.webhooks.ready(now=later(31)) == [("wh_1", False)]  # whoever had it was killed
        assert await unit.webhooks.ready(now=NOW - timedelta(hours=1)) == []  # nothing is due yet
        assert await unit.webhooks.lease("wh_1", token="c", now=later(31), until=later(60)) == HOOK
        await unit.webhooks.release("wh_1", token="b", until=None)
        assert await unit.webhooks.lease("wh_1", token="d", now=later(32), until=later(60)) is None
        assert await unit.webhooks.lease("wh_1", token="c", now=later(32), until=later(60)) == HOOK
        await unit.webhooks.disable("wh_1", NOW, reason="gone")
        assert await unit.webhooks.lease("wh_1", token="c", now=later(33), until=later(60)) is None


async def test_a_lease_and_a_time_of_a_wrong_clock_bind_nobody(store: SqlStore) -> None:
    async with store.writing() as unit:
        await unit.webhooks.add(HOOK)
        await unit.webhooks.add_deliveries([replace(DELIVERY, due_at=NOW + timedelta(days=300))])
        await unit.webhooks.lease("wh_1", token="a", now=NOW, until=NOW + timedelta(days=300))
        assert await unit.webhooks.ready(now=NOW) == [("wh_1", False)]


async def test_what_is_tried_is_marked_and_what_was_removed_meanwhile_is_not(store: SqlStore) -> None:
    second = replace(DELIVERY, id="evt_2", message_id="0194", due_at=later(1))
    async with store.writing() as unit:
        await unit.webhooks.add(HOOK)
        await unit.webhooks.add_deliveries([second, DELIVERY])
        due = await unit.webhooks.next_due("wh_1", now=later(2))
        assert due == DELIVERY
        await unit.webhooks.mark_failed("evt_1", status=500, error="answered 500", at=NOW, due_at=later(9))
        assert await unit.webhooks.next_due("wh_1", now=later(2)) == second
        await unit.webhooks.mark_taken("evt_2", status=204, at=NOW)
        assert await unit.webhooks.next_due("wh_1", now=later(2)) is None
        assert await unit.webhooks.waiting("wh_1") == 1
        await unit.webhooks.mark_failed("evt_2", status=500, error="late", at=NOW, due_at=None)  # it was taken
        taken, failed = sorted(await unit.webhooks.deliveries("wh_1", limit=9), key=lambda one: one.id, reverse=True)
        assert taken == replace(second, due_at=None, attempts=1, last_status=204, last_at=NOW, answered_at=NOW)
        assert (failed.attempts, failed.last_error, failed.due_at) == (1, "answered 500", later(9))
        await unit.webhooks.mark_failed("evt_1", status=None, error="away", at=later(9), due_at=None)
        assert await unit.webhooks.given_up_since("wh_1", NOW)
        assert not await unit.webhooks.given_up_since("wh_1", later(10))
        await unit.webhooks.remove("wh_1")
        await unit.webhooks.mark_taken("evt_1", status=204, at=NOW)
        assert await unit.webhooks.deliveries("wh_1", limit=9) == []


async def test_one_or_all_since_a_time_are_made_due_again_and_old_ones_are_forgotten(store: SqlStore) -> None:
    settled = replace(DELIVERY, due_at=None, attempts=3, answered_at=NOW)
    async with store.writing() as unit:
        later_one = replace(settled, id="evt_2", message_id="2", made_at=later(60))
        await unit.webhooks.add_deliveries([settled, later_one])
        assert await unit.webhooks.replay("wh_1", delivery_id=None, since=later(1), now=later(70)) == 1
        due = await unit.webhooks.next_due("wh_1", now=later(70))
        assert due == replace(later_one, due_at=later(70), attempts=0, answered_at=None)
        assert await unit.webhooks.replay("wh_1", delivery_id="evt_1", since=None, now=later(70)) == 1
        assert await unit.webhooks.replay("wh_9", delivery_id="evt_1", since=None, now=later(70)) == 0
        assert await unit.webhooks.forget(before=later(999)) == 0  # what waits stays
        await unit.webhooks.mark_taken("evt_1", status=200, at=NOW)
        assert await unit.webhooks.forget(before=later(1)) == 1
