"""Reading: every look at a body is logged before it is handed out, who and when."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from bridge_node import Node
from bridge_world import START, alert

from bridge.app.read_message import item_summary
from bridge.core.errors import BadInputError, RefusedError, UnavailableError
from bridge.core.wire import strict_json
from bridge.ports.store.records import AuditEntry


async def given_received(node: Node, *, at: str = "at.ncp", **given: object) -> str:
    sent = alert(to=["at.ncp", "at.border-police"], **given)  # type: ignore[arg-type]
    await node.receiver(at).receive([sent.delivery(to=at)])
    return sent.id


async def test_every_read_is_logged_with_officer_time_and_message(node: Node) -> None:
    own = await given_received(node)

    for officer in ("Ana Anić", "Ivo Ivić", "Ana Anić"):
        await node.reader().show(own, contact_point=None, officer=officer)
        node.clock.advance(10)

    entries = await node.audit("body.read")
    assert [(entry.actor, entry.subject, entry.contact_point, entry.at) for entry in reversed(entries)] == [
        ("Ana Anić", own, "at.ncp", START),
        ("Ivo Ivić", own, "at.ncp", START + timedelta(seconds=10)),
        ("Ana Anić", own, "at.ncp", START + timedelta(seconds=20)),
    ]
    assert all("Vans" not in str(entry) for entry in entries)


async def test_a_kind_that_asks_why_is_read_for_a_reason_only(node: Node) -> None:
    own = await given_received(node)
    reading = replace(node.reader(), reason_for=frozenset({"route_alert"}))

    with pytest.raises(BadInputError) as raised:
        await reading.show(own, contact_point=None, officer="Ana Anić", reason=" ")
    assert raised.value.code == "E_REASON"
    assert await node.audit("body.read") == []

    await reading.show(own, contact_point=None, officer="Ana Anić", reason="Case 12")
    assert [entry.detail for entry in await node.audit("body.read")] == [{"reason": "Case 12"}]


async def test_a_read_that_cannot_be_logged_shows_nothing(node: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    own = await given_received(node)

    async def fail(*_: object) -> None:
        raise UnavailableError("E_DATABASE", "the database failed")

    monkeypatch.setattr("bridge.adapters.store.audit.SqlAuditLog.add", fail)
    with pytest.raises(UnavailableError):
        await node.reader().show(own, contact_point=None, officer="Ana Anić")

    assert [item.state for item in await node.inbox()] == ["new"]


async def test_what_is_shown_is_what_was_signed_and_sealed(node: Node) -> None:
    sent = alert()
    await node.receiver("at.ncp").receive([sent.delivery(to="at.ncp")])

    shown = await node.reader().show(sent.id, contact_point=None, officer="Ana Anić")

    assert shown["id"] == sent.id
    assert shown["body"] == strict_json.parse(sent.made.plaintext_bytes)
    assert shown["signature"] == {
        "verified": True,
        "verified_at": "2026-11-23T18:40:01.234Z",
        "kids": ["rs.ncp#sig-1"],
        "payload_sha256": sent.made.payload_sha256,
    }
    assert shown["receipts"] == [{"kind": "receipt", "state": "delivered", "at": "2026-11-23T18:40:01.234Z"}]
    assert [item.state for item in await node.inbox()] == ["read"]


async def test_the_officers_answers_are_shown_however_often_it_was_read(node: Node) -> None:
    own = await given_received(node)
    detail = {"level": "accepted", "answer": "another id"}
    async with node.store.writing() as unit:
        await unit.audit.add([AuditEntry(START, "Ana Anić", "message.acknowledged", "at.ncp", own, detail)])
        await unit.audit.add([AuditEntry(START, "Ivo Ivić", "body.read", "at.ncp", own)] * 500)

    shown = await node.reader().show(own, contact_point=None, officer="Ana Anić")

    answer = {"kind": "acknowledgement", **detail, "officer": "Ana Anić", "at": "2026-11-23T18:40:01.234Z"}
    assert answer in shown["receipts"]  # type: ignore[operator]


async def test_an_expired_message_shows_no_body_and_whom_to_ask(node: Node) -> None:
    sent = alert(expires=START + timedelta(seconds=1))
    node.clock.advance(2)
    await node.receiver("at.ncp").receive([sent.delivery(to="at.ncp")])

    with pytest.raises(RefusedError, match=r"rs\.ncp sent route_alert .* ask the sender"):
        await node.reader().show(sent.id, contact_point=None, officer="Ana Anić")
    assert await node.audit("body.read") == []


async def test_an_erased_body_is_not_shown(node: Node) -> None:
    own = await given_received(node)
    async with node.store.writing() as unit:
        await unit.inbox.erase_bodies("at.ncp", [("rs.ncp", own)])

    with pytest.raises(RefusedError, match="has been erased"):
        await node.reader().show(own, contact_point=None, officer="Ana Anić")


async def test_one_id_at_several_contact_points_needs_the_contact_point(node: Node) -> None:
    sent = alert(to=["at.ncp", "at.border-police"])
    for own in sent.addressing.to:
        await node.receiver(own).receive([sent.delivery(to=own)])

    with pytest.raises(BadInputError, match=r"at\.border-police or at\.ncp"):
        await node.reader().item(sent.id, contact_point=None)
    await node.reader().show(sent.id, contact_point="at.ncp", officer="Ana Anić")

    assert {item.contact_point: item.state for item in await node.inbox()} == {
        "at.border-police": "new",
        "at.ncp": "read",
    }


async def test_a_second_sender_with_the_same_id_does_not_hide_the_first(node: Node) -> None:
    first = alert()
    second = alert(id=first.id, sender="hu.ncp")
    await node.receiver("at.ncp").receive([first.delivery(to="at.ncp"), second.delivery(to="at.ncp")])

    with pytest.raises(BadInputError, match=r"hu\.ncp or rs\.ncp"):
        await node.reader().item(first.id, contact_point="at.ncp")
    shown = await node.reader().show(first.id, contact_point=None, officer="Ana Anić", sender="rs.ncp")

    assert shown["body"] == strict_json.parse(first.made.plaintext_bytes)
    assert {item.sender: item.state for item in await node.inbox()} == {"rs.ncp": "read", "hu.ncp": "new"}


async def test_an_unknown_message_is_said_to_be_unknown(node: Node) -> None:
    with pytest.raises(BadInputError, match="no message"):
        await node.reader().item(alert().id, contact_point=None)


async def test_a_list_shows_nothing_of_the_body_and_logs_nothing(node: Node) -> None:
    own = await given_received(node)

    (item,) = await node.inbox()
    summary = item_summary(item)

    assert (summary["id"], summary["from"], summary["state"]) == (own, "rs.ncp", "new")
    assert "Vans" not in str(summary)
    assert await node.audit("body.read") == []


async def test_a_watcher_begins_behind_what_is_there(node: Node) -> None:
    assert await node.reader().newest_cursor(None) is None
    await given_received(node)
    cursor = await node.reader().newest_cursor("at.ncp")
    new = await given_received(node)

    async with node.store.reading() as unit:
        assert [item.id for item in await unit.inbox.list(after=cursor)] == [new]
