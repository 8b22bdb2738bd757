"""Dropping from quarantine: bytes and entry are destroyed, who did so and what it was stays in the audit log."""

from __future__ import annotations

from bridge_node import Node
from bridge_world import alert, bent

from bridge.app.quarantine.drop import DropQuarantine
from bridge.app.quarantine.picking import Selection, pick
from bridge.ports.store.records import QuarantineTotal


async def test_what_is_dropped_is_gone_and_the_log_says_who_and_why(node: Node) -> None:
    await node.receiver("at.ncp").receive([bent(alert()).delivery(to="at.ncp") for _ in range(250)])
    items = await pick(node.store, Selection())
    told: list[int] = []

    done = await DropQuarantine(node.store, node.clock).drop(
        items, actor="Ana Anić", why="a test", progress=told.append
    )

    assert {(one.fate.value, one.code) for one in done} == {("dropped", "E_SIGNATURE")}
    assert ([one.id for one in done], told) == ([item.id for item in items], [100, 100, 50])
    async with node.store.reading() as unit:
        assert (await unit.refusals.list(), await unit.refusals.total()) == ([], QuarantineTotal(0, 0))
        entries = await unit.audit.list(action="quarantine.dropped", limit=1000)
    assert {entry.actor for entry in entries} == {"Ana Anić"}
    first, item = entries[-1], items[0]
    assert (first.subject, first.contact_point) == (item.id, "at.ncp")
    assert first.detail == {
        "code": "E_SIGNATURE",
        "step": "7",
        "sha256": item.sha256,
        "size": str(item.size),
        "seen": "1",
        "queue": "inbox.at.ncp.urgent",
        "why": "a test",
    }
    assert len(entries) == len(items)


async def test_what_somebody_else_dropped_first_is_said_and_not_logged_twice(node: Node) -> None:
    await node.receiver("at.ncp").receive([bent(alert()).delivery(to="at.ncp")])
    items = await pick(node.store, Selection())
    dropping = DropQuarantine(node.store, node.clock)

    await dropping.drop(items, actor="Ana", why=None, progress=lambda _: None)
    (again,) = await dropping.drop(items, actor="Ben", why=None, progress=lambda _: None)

    assert (again.fate.value, again.code) == ("impossible", "E_UNKNOWN_REFUSAL")
    assert len(await node.audit("quarantine.dropped")) == 1


async def test_the_same_bytes_that_come_again_are_quarantined_anew(node: Node) -> None:
    broken = bent(alert()).delivery(to="at.ncp")
    await node.receiver("at.ncp").receive([broken])
    items = await pick(node.store, Selection())
    await DropQuarantine(node.store, node.clock).drop(items, actor="Ana", why=None, progress=lambda _: None)

    await node.receiver("at.ncp").receive([broken])

    assert [(one.seen, one.has_bytes) for one in await node.quarantined()] == [(1, True)]
