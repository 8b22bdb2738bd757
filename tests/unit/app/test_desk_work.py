"""Two officers at one message: one transaction decides, and whoever comes second learns what happened."""

from __future__ import annotations

import asyncio

import pytest
from bridge_node import Node
from bridge_world import Sent, alert, cancel_body

from bridge.app.desk.board import ReadBoard
from bridge.app.desk.work import WorkOnItems
from bridge.app.sending.acknowledge import AcknowledgeMessages, Seen
from bridge.core.errors import BadInputError, RefusedError
from bridge.ports.store.desk import Group, ItemId
from bridge.ports.store.records import InboxItem

NOTHING_SEEN = Seen(answer="", replaced_by="")


async def received(node: Node, *messages: Sent) -> InboxItem:
    """They arrive at `at.ncp`; answers with the first."""
    await node.receiver("at.ncp").receive([one.delivery(to="at.ncp") for one in messages])
    return await node.reader().item(messages[0].id, contact_point="at.ncp")


def key(item: InboxItem) -> ItemId:
    return item.sender, item.id


async def answer(node: Node, item: InboxItem, login: str, seen: Seen = NOTHING_SEEN, level: str = "accepted") -> str:
    acknowledging = AcknowledgeMessages(node.sending())
    name = login.title()
    return (await acknowledging.acknowledge(item, level=level, officer=name, login=login, seen=seen)).id


async def test_of_two_who_answer_at_once_the_second_learns_who_was_first(node: Node) -> None:
    item = await received(node, alert())

    outcomes = await asyncio.gather(*(answer(node, item, login) for login in ("ana", "ben")), return_exceptions=True)

    (refused,) = [one for one in outcomes if isinstance(one, RefusedError)]
    (entry,) = await node.audit("message.acknowledged")
    assert refused.code == "E_ANSWERED_MEANWHILE"
    assert entry.actor.title() in refused.message
    assert entry.detail["officer"] == entry.actor.title()
    assert [row.kind for row in await node.new_rows() if row.kind == "acknowledgement"] == ["acknowledgement"]


async def test_who_saw_the_first_answer_may_give_another(node: Node) -> None:
    item = await received(node, alert())
    first = await answer(node, item, "ana", level="read")

    await answer(node, item, "ben", Seen(answer=first, replaced_by=""))

    assert [entry.actor for entry in await node.audit("message.acknowledged")] == ["ben", "ana"]


async def test_an_alert_that_was_cancelled_meanwhile_is_not_answered_unseen(node: Node) -> None:
    first = alert()
    item = await received(node, first)
    cancel = alert(kind="alert_cancel", body=cancel_body(first), thread=first.id)
    await received(node, cancel)

    with pytest.raises(RefusedError) as refused:
        await answer(node, item, "ana")
    assert refused.value.code == "E_REPLACED_MEANWHILE"
    assert cancel.id in refused.value.message

    await answer(node, item, "ana", Seen(answer="", replaced_by=cancel.id))


async def test_who_answers_first_has_it_in_hand_unless_somebody_has(node: Node) -> None:
    item, other = await received(node, alert()), await received(node, alert())
    working = WorkOnItems(node.store, node.clock)
    await working.take("at.ncp", key(other), officer="ben")

    await answer(node, item, "ana")
    await answer(node, other, "ana")

    async with node.store.reading() as unit:
        page = await unit.desk.list("at.ncp", Group.IN_PROGRESS, limit=9)
    assert {one.id: one.taken_by for one in page} == {item.id: "ana", other.id: "ben"}


async def test_only_who_has_an_item_gives_it_back(node: Node) -> None:
    item = await received(node, alert())
    working = WorkOnItems(node.store, node.clock)
    await working.take("at.ncp", key(item), officer="ana")

    with pytest.raises(RefusedError, match="ana has"):
        await working.give_back("at.ncp", key(item), officer="ben")
    with pytest.raises(RefusedError, match="by now"):
        await working.take("at.ncp", key(item), officer="ben")

    await working.take("at.ncp", key(item), officer="ben", instead_of="ana")
    await working.give_back("at.ncp", key(item), officer="ben")
    assert [entry.actor for entry in await node.audit("message.taken")] == ["ben", "ana"]


async def test_what_is_not_there_or_not_closed_is_refused(node: Node) -> None:
    item = await received(node, alert())
    working = WorkOnItems(node.store, node.clock)

    with pytest.raises(RefusedError, match="not closed"):
        await working.reopen("at.ncp", key(item), officer="ana")
    with pytest.raises(BadInputError, match="no message"):
        await working.take("at.ncp", ("rs.ncp", "unknown"), officer="ana")


async def test_the_board_counts_without_opening_and_logs_each_look(node: Node) -> None:
    item = await received(node, alert())
    board = ReadBoard(node.store, node.vault, node.clock)

    assert await board.waiting("at.ncp") == 1
    assert await node.audit("inbox.read") == []
    shown = await board.show("at.ncp", officer="ana")

    (entry,) = shown.groups[Group.NEEDS_ACTION]
    assert entry.heading is not None
    assert (entry.item.id, entry.heading.title) == (item.id, "Vans at Horgoš")
    assert [one.detail["messages"] for one in await node.audit("inbox.read")] == [item.id]


async def test_a_heading_is_named_again_for_another_officer_and_after_a_quarter_of_an_hour(node: Node) -> None:
    first = await received(node, alert())
    board = ReadBoard(node.store, node.vault, node.clock)
    await board.show("at.ncp", officer="ana")
    await board.show("at.ncp", officer="ana")
    second = await received(node, alert())
    await board.show("at.ncp", officer="ana")
    node.clock.advance(900)
    await board.show("at.ncp", officer="ana")
    await board.show("at.ncp", officer="ben")

    both = {first.id, second.id}
    named = [(one.actor, set(one.detail["messages"].split())) for one in reversed(await node.audit("inbox.read"))]
    assert named == [("ana", {first.id}), ("ana", {second.id}), ("ana", both), ("ben", both)]
