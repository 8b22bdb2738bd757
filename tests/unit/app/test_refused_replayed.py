"""Replaying the quarantine: judged from the first byte by today's list and clock, by whoever refused it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta

import pytest
from bridge_node import Node
from bridge_world import START, alert, bent, directory, receipt_for

from bridge.app.quarantine import picking
from bridge.app.quarantine.picking import Done, Fate, Selection, pick
from bridge.app.quarantine.replay import ReplayQuarantine
from bridge.app.receiving import refusing
from bridge.app.receiving.receive_message import ReceiveMessages
from bridge.core.errors import BadInputError, UnavailableError, VerificationError
from bridge.ports.broker import Delivery, PublishOutcome
from bridge.ports.store import UnitOfWork
from bridge.ports.store.records import QuarantineTotal

MINUTE = 60


def replayer(node: Node, *contact_points: str, routes: bool = False) -> ReplayQuarantine:
    return ReplayQuarantine(
        store=node.store,
        clock=node.clock,
        receivers={contact_point: node.receiver(contact_point) for contact_point in contact_points},
        router=node.router("at") if routes else None,
    )


async def replay_all(node: Node, *ids: str, routes: bool = False, told: list[int] | None = None) -> Sequence[Done]:
    items = await pick(node.store, Selection(ids=ids or None))
    note = (told if told is not None else []).append
    return await replayer(node, "at.ncp", routes=routes).replay(items, actor="Ana Anić", progress=note)


async def fates(node: Node, *ids: str, routes: bool = False) -> list[tuple[str, str | None]]:
    return [(one.fate.value, one.code) for one in await replay_all(node, *ids, routes=routes)]


async def total(node: Node) -> QuarantineTotal:
    async with node.store.reading() as unit:
        return await unit.refusals.total()


async def given_unauthorised(node: Node, count: int = 1) -> list[str]:
    """Refused, because the list does not let its sender send at all; answered with the code."""
    sent = [alert(sender="hu.ncp") for _ in range(count)]
    allowed = node.trust.directory
    silenced = replace(allowed.contact_points["hu.ncp"], sends=frozenset())
    node.trust.directory = directory(contact_points={**allowed.contact_points, "hu.ncp": silenced})
    await node.receiver("at.ncp").receive([one.delivery(to="at.ncp") for one in sent])
    node.trust.directory = allowed
    return [one.id for one in sent]


async def test_what_the_list_allows_by_now_is_accepted_and_leaves_the_quarantine(node: Node) -> None:
    (sent,) = await given_unauthorised(node)
    assert await node.new_receipts() == [("rejected", "E_NOT_AUTHORISED", sent)]
    (refusal,) = await node.quarantined()

    assert await fates(node) == [("accepted", None)]

    assert await node.quarantined() == []
    assert await total(node) == QuarantineTotal(0, 0)
    assert [item.id for item in await node.inbox()] == [sent]
    assert await node.new_receipts() == [("delivered", None, sent)]
    (entry,) = await node.audit("quarantine.replayed")
    assert (entry.actor, entry.contact_point, entry.subject) == ("Ana Anić", "at.ncp", refusal.id)
    assert entry.detail == {"outcome": "accepted"}
    assert len(await node.audit("message.received")) == 1


async def test_what_is_refused_again_stays_and_is_counted(node: Node) -> None:
    broken = bent(alert())
    await node.receiver("at.ncp").receive([broken.delivery(to="at.ncp")])
    (before,) = await node.quarantined()

    for _ in range(2):
        assert await fates(node) == [("refused", "E_SIGNATURE")]

    (after,) = await node.quarantined()
    assert (after.id, after.replays, after.seen, after.wire_bytes) == (before.id, 2, 1, broken.made.wire_bytes)
    assert await node.new_receipts() == []
    assert await total(node) == QuarantineTotal(before.size, 0)
    assert len(await node.audit("message.refused")) == 1
    entries = await node.audit("quarantine.replayed")
    assert [dict(entry.detail) for entry in entries] == [{"outcome": "refused", "code": "E_SIGNATURE", "step": "7"}] * 2


async def test_a_message_that_expired_meanwhile_leaves_a_stub_and_is_answered_so(node: Node) -> None:
    (sent,) = await given_unauthorised(node)
    await node.new_receipts()

    node.clock.advance(8 * 24 * 3600)
    assert await fates(node) == [("refused", "E_EXPIRED")]

    assert [(item.id, item.state) for item in await node.inbox()] == [(sent, "expired")]
    assert await node.new_receipts() == [("rejected", "E_EXPIRED", sent)]
    assert [(one.code, one.step, one.replays) for one in await node.quarantined()] == [("E_EXPIRED", 12, 1)]


async def test_what_the_newest_verdict_holds_moves_to_held(node: Node) -> None:
    (sent,) = await given_unauthorised(node)
    node.trust.directory = directory(without=["hu.ncp"])

    assert await fates(node) == [("held", None)]

    assert (await node.quarantined(), await node.held()) == ([], 1)
    node.trust.directory = directory(version=8)
    node.clock.advance(2 * MINUTE)
    await node.rechecker("at.ncp").recheck()
    assert [item.id for item in await node.inbox()] == [sent]


async def test_what_no_longer_fits_into_held_stays_under_its_newest_code(
    node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    await given_unauthorised(node)
    node.trust.directory = directory(without=["hu.ncp"])
    monkeypatch.setattr(refusing, "HELD_QUOTAS_BYTES", {"E_KEY_UNKNOWN": 10})

    assert await fates(node) == [("refused", "E_KEY_UNKNOWN")]

    assert ([one.code for one in await node.quarantined()], await node.held()) == (["E_KEY_UNKNOWN"], 0)


async def test_what_arrived_by_another_way_meanwhile_leaves_as_a_duplicate(node: Node) -> None:
    sent = alert()
    await node.receiver("at.ncp").receive([sent.delivery(to="at.ncp", app_id="hu.ncp")])
    async with node.store.writing() as unit:  # as if the properties had been whole
        (refused,) = await unit.refusals.take_out([one.id for one in await unit.refusals.pick()])
    whole = refusing.refusal_of(
        sent.delivery(to="at.ncp"), _error(refused.step, refused.code), contact_point="at.ncp", at=START, ids=node.ids
    )
    async with node.store.writing() as unit:
        await refusing.quarantine(unit, [whole])
    await node.receiver("at.ncp").receive([sent.delivery(to="at.ncp")])

    assert await fates(node) == [("duplicate", None)]

    assert await node.quarantined() == []
    assert len(await node.inbox()) == 1


async def test_an_early_receipt_replaces_rejected_when_it_is_replayed(node: Node) -> None:
    """A receipt that came before the ledger knew of its message: after a restore, say."""
    sent = alert(sender="at.ncp", to=["rs.ncp"])
    await node.receiver("at.ncp").receive([receipt_for(sent, by="rs.ncp").delivery(to="at.ncp")])
    assert [one.code for one in await node.quarantined()] == ["E_RECEIPT"]
    assert await fates(node) == [("refused", "E_RECEIPT")]

    await node.given_sent(sent)
    assert await fates(node) == [("accepted", None)]

    assert [one.state for one in (await node.sent(sent.id)).recipients] == ["delivered"]
    assert await node.quarantined() == []


async def test_what_came_beyond_the_quota_cannot_be_replayed_and_the_others_are(
    node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(refusing, "QUARANTINE_QUOTA_BYTES", 0)
    await given_unauthorised(node)
    monkeypatch.undo()
    await given_unauthorised(node)
    before = await total(node)
    told: list[int] = []

    done = await replay_all(node, told=told)

    assert [(one.fate, one.code) for one in done] == [(Fate.IMPOSSIBLE, "E_NO_BYTES"), (Fate.ACCEPTED, None)]
    assert sum(told) == 2
    assert (before.without_bytes, await total(node)) == (1, QuarantineTotal(0, 1))


async def test_what_a_contact_point_of_elsewhere_refused_is_not_judged_here(node: Node) -> None:
    await node.receiver("at.border-police").receive([bent(alert()).delivery(to="at.border-police")])
    await node.router("at").route([bent(alert()).delivery()])

    assert await fates(node) == [("impossible", "E_CONTACT_POINT")] * 2
    assert {one.replays for one in await node.quarantined()} == {0}


async def test_what_the_router_refused_goes_on_through_the_router(node: Node) -> None:
    node.trust.directory = directory(without=["rs.ncp"])
    sent = alert()
    refusal = refusing.refusal_of(
        sent.delivery(), _error(6, "E_KEY_UNKNOWN"), contact_point=None, at=START, ids=node.ids
    )
    async with node.store.writing() as unit:
        await refusing.quarantine(unit, [refusal])
    node.trust.directory = directory(version=8)

    assert await fates(node, routes=True) == [("handed_on", None)]

    assert [one.routing_key for one in node.publisher.published] == ["at.ncp.urgent"]
    assert (await node.quarantined(), await node.inbox()) == ([], [])
    assert [entry.contact_point for entry in await node.audit("quarantine.replayed")] == [None]


async def test_what_the_router_cannot_place_waits_in_its_outbox(node: Node) -> None:
    sent = alert()
    refusal = refusing.refusal_of(
        sent.delivery(), _error(6, "E_KEY_UNKNOWN"), contact_point=None, at=START, ids=node.ids
    )
    async with node.store.writing() as unit:
        await refusing.quarantine(unit, [refusal])
    node.publisher.outcomes = {"at.ncp.urgent": PublishOutcome.REFUSED}

    assert await fates(node, routes=True) == [("handed_on", None)]

    assert [row.message_id for row in await node.new_rows("subscriber")] == [sent.id]
    assert await node.quarantined() == []


async def test_without_a_broker_what_the_router_refused_stays_and_the_rest_is_done(node: Node) -> None:
    (sent,) = await given_unauthorised(node)
    await node.router("at").route([bent(alert()).delivery()])
    routed = alert()
    async with node.store.writing() as unit:
        error = _error(6, "E_KEY_UNKNOWN")
        await refusing.quarantine(
            unit, [refusing.refusal_of(routed.delivery(), error, contact_point=None, at=START, ids=node.ids)]
        )
    node.publisher.is_away = True

    with pytest.raises(UnavailableError):
        await replay_all(node, routes=True)

    assert [item.id for item in await node.inbox()] == [sent]
    assert [(one.code, one.replays) for one in await node.quarantined()] == [("E_KEY_UNKNOWN", 0), ("E_SIGNATURE", 0)]


async def test_a_crash_before_the_commit_leaves_everything_as_it_was(
    node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent = await given_unauthorised(node, count=3)
    await node.new_receipts()
    before = await node.quarantined()

    writing = node.store.writing

    @asynccontextmanager
    async def dying() -> AsyncIterator[UnitOfWork]:
        async with writing() as unit:
            yield unit
            raise UnavailableError("E_DATABASE", "gone at the worst moment")

    with monkeypatch.context() as patched:
        patched.setattr(node.store, "writing", dying)
        with pytest.raises(UnavailableError):
            await replay_all(node)

    assert (await node.quarantined(), await node.inbox(), await node.new_receipts()) == (before, [], [])
    assert await fates(node) == [("accepted", None)] * 3
    assert sorted(item.id for item in await node.inbox()) == sorted(sent)
    assert sorted(await node.new_receipts()) == sorted(("delivered", None, own) for own in sent)


async def test_replaying_twice_at_once_stores_once(node: Node) -> None:
    sent = await given_unauthorised(node, count=3)
    await node.new_receipts()
    items = await pick(node.store, Selection())
    own = replayer(node, "at.ncp")

    first = await own.replay(items, actor="Ana", progress=lambda _: None)
    second = await own.replay(items, actor="Ben", progress=lambda _: None)

    assert [one.fate for one in first] == [Fate.ACCEPTED] * 3
    assert [(one.fate, one.code) for one in second] == [(Fate.IMPOSSIBLE, "E_UNKNOWN_REFUSAL")] * 3
    assert len(await node.inbox()) == len(await node.new_receipts()) == len(sent)


async def test_a_fault_over_one_message_keeps_no_other_in_quarantine(
    node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent = await given_unauthorised(node, count=3)
    (poison, *_) = reversed(await node.quarantined())
    receive = ReceiveMessages.receive

    async def faulty(self: ReceiveMessages, batch: Sequence[Delivery], *, replayed: refusing.Replayed) -> object:
        if any(delivery.wire_bytes == poison.wire_bytes for delivery in batch):
            raise ZeroDivisionError
        return await receive(self, batch, replayed=replayed)

    monkeypatch.setattr(ReceiveMessages, "receive", faulty)

    done = await replay_all(node)

    assert [(one.id, one.code) for one in done if one.fate is Fate.IMPOSSIBLE] == [(poison.id, "E_INTERNAL")]
    assert [item.id for item in await node.inbox()] == sent[1:]


async def test_many_are_replayed_in_batches_in_the_order_in_which_they_came(
    node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(picking, "BATCH", 4)
    sent = await given_unauthorised(node, count=10)
    told: list[int] = []

    done = await replay_all(node, told=told)

    assert {one.fate for one in done} == {Fate.ACCEPTED}
    assert [item.id for item in await node.inbox()] == sent
    assert told == [0, 4, 4, 2]


async def test_an_id_that_is_not_there_stops_everything(node: Node) -> None:
    await given_unauthorised(node)
    (there,) = await node.quarantined()

    with pytest.raises(BadInputError, match="no-such-id") as caught:
        await replay_all(node, there.id, "no-such-id")

    assert caught.value.code == "E_UNKNOWN_REFUSAL"
    assert [one.replays for one in await node.quarantined()] == [0]


async def test_time_that_has_come_is_judged_by_todays_clock(node: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(refusing, "HELD_QUOTAS_BYTES", {})
    sent = alert(at=START + timedelta(minutes=5))
    await node.receiver("at.ncp").receive([sent.delivery(to="at.ncp")])
    assert await fates(node) == [("refused", "E_FUTURE")]

    node.clock.advance(5 * MINUTE)
    assert await fates(node) == [("accepted", None)]

    assert await node.new_receipts() == [("delivered", None, sent.id)]


def _error(step: int, code: str) -> VerificationError:
    return VerificationError(step, code, "as it was then")
