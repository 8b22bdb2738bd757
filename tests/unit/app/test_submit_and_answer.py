"""Submitting and answering: message, recipients, outbox rows and log become true together, and come back as states."""

from __future__ import annotations

import json

import pytest
from bridge_node import Node
from bridge_world import START, head, route_body

from bridge.app.sending.acknowledge import AcknowledgeMessages
from bridge.app.sending.submit import SubmitAlerts
from bridge.core.errors import BadInputError, RefusedError, UnavailableError
from bridge.core.messages import AlertFile, read_alert_file
from bridge.core.verification import Hints
from bridge.ports.broker import Delivery, Publication
from bridge.ports.store.records import InboxItem


def alert_file(kind: str = "route_alert", *, body: dict[str, object] | None = None, **members: object) -> AlertFile:
    document = {"kind": kind, "status": "actual", "urgency": "immediate", "body": body or route_body(), **members}
    read = read_alert_file(json.dumps(document).encode())
    assert isinstance(read, AlertFile), read
    return read


async def submit(node: Node, alert: AlertFile | None = None, *, sender: str = "rs.ncp") -> str:
    use_case = SubmitAlerts(node.sending())
    draft = await use_case.prepare(alert or alert_file(), sender=sender)
    return (await use_case.sending.send(draft, sender=sender)).id


def delivered(publication: Publication, to: str) -> Delivery:
    """A publication as the inbox of a contact point hands it out."""
    hints = Hints(publication.message_id, publication.kind, publication.sender)
    return Delivery(1, f"inbox.{to}", publication.wire_bytes, hints, redelivered=False)


async def carry(node: Node, to: str) -> None:
    """Relays what waits and lets `to` receive it."""
    node.publisher.published.clear()
    await node.relay().relay_once()
    batch = [delivered(one, to) for one in node.publisher.published if one.routing_key.split(".")[1] == to[:2]]
    await node.receiver(to).receive(batch)


async def received(node: Node, message_id: str) -> InboxItem:
    return await node.reader().item(message_id, contact_point="at.ncp")


async def test_what_was_submitted_is_in_ledger_outbox_and_log(node: Node) -> None:
    own = await submit(node)

    sent = await node.sent(own)
    assert {to.id: to.state for to in sent.recipients} == {"at.ncp": "pending", "at.border-police": "pending"}
    assert sent.thread == own
    assert sent.body is not None
    body = json.loads(node.vault.get("rs.ncp", sent.body, context=f"rs.ncp/rs.ncp/{own}"))
    assert body["legs"] == route_body()["legs"]
    (row,) = await node.new_rows()
    assert (row.country, row.routing_key) == ("at", "rs.at.urgent.route_alert")
    assert row.wire_bytes == sent.wire_bytes
    (entry,) = await node.audit("message.submitted")
    assert (entry.subject, entry.detail["to"]) == (own, "at.border-police,at.ncp")


async def test_preparing_writes_nothing(node: Node) -> None:
    await SubmitAlerts(node.sending()).prepare(alert_file(), sender="rs.ncp")

    assert await node.new_rows() == []
    assert await node.audit("message.submitted") == []


async def test_a_submission_that_fails_at_its_last_write_leaves_nothing_and_uses_no_number(
    node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(*_: object) -> None:
        raise UnavailableError("E_DATABASE", "the database failed")

    first = await node.sent(await submit(node))
    with monkeypatch.context() as patched:
        patched.setattr("bridge.adapters.store.audit.SqlAuditLog.add", fail)
        with pytest.raises(UnavailableError):
            await submit(node)
    second = await node.sent(await submit(node))

    async with node.store.reading() as unit:
        assert [one.id for one in await unit.ledger.list()] == [second.id, first.id]
    await node.relay().relay_once()
    await node.receiver("at.ncp").receive([delivered(one, "at.ncp") for one in node.publisher.published])
    async with node.store.reading() as unit:
        assert await unit.inbox.gaps(older_than=START.replace(year=2027)) == []


async def test_an_alert_is_delivered_and_acknowledged_and_the_sender_sees_both(node: Node) -> None:
    own = await submit(node)
    await carry(node, "at.ncp")
    await carry(node, "rs.ncp")
    states = {to.id: to.state for to in (await node.sent(own)).recipients}
    assert states == {"at.ncp": "delivered", "at.border-police": "sent"}

    node.clock.advance(60)
    answering = AcknowledgeMessages(node.sending())
    answer = await answering.acknowledge(await received(node, own), level="accepted", officer="Ana Anić", note="On it")
    await carry(node, "rs.ncp")
    await carry(node, "at.ncp")

    found = next(to for to in (await node.sent(own)).recipients if to.id == "at.ncp")
    assert (found.level, found.acknowledged_at) == ("accepted", node.clock.now())
    assert (await received(node, own)).state == "acknowledged"
    assert [to.state for to in (await node.sent(answer.id)).recipients] == ["delivered"]
    (entry,) = await node.audit("message.acknowledged")
    assert (entry.actor, entry.subject, entry.detail["answer"]) == ("Ana Anić", own, answer.id)


async def test_an_answer_that_cannot_be_stored_leaves_the_message_unanswered(
    node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = await submit(node)
    await carry(node, "at.ncp")
    item = await received(node, own)
    await node.new_rows()

    async def fail(*_: object, **__: object) -> None:
        raise UnavailableError("E_DATABASE", "the database failed")

    monkeypatch.setattr("bridge.adapters.store.inbox.SqlInbox.set_state", fail)
    with pytest.raises(UnavailableError):
        await AcknowledgeMessages(node.sending()).acknowledge(item, level="accepted", officer="Ana Anić")

    assert (await received(node, own)).state == "new"
    assert await node.new_rows() == []


async def test_an_answer_with_a_wrong_level_changes_nothing(node: Node) -> None:
    own = await submit(node)
    await carry(node, "at.ncp")

    with pytest.raises(BadInputError, match="level"):
        await AcknowledgeMessages(node.sending()).acknowledge(
            await received(node, own), level="perhaps", officer="Ana Anić"
        )

    assert (await received(node, own)).state == "new"


async def test_an_update_goes_to_everybody_who_has_the_thread_and_is_accepted_there(node: Node) -> None:
    own = await submit(node)
    leg = {"from": {"country": "RS"}, "to": {"country": "HU"}, "confirmed": False}
    body = {**route_body(), "legs": [leg], "change_summary": "They turned to Hungary"}
    update = await submit(node, alert_file("alert_update", body=body, supersedes=own))
    cancel = await submit(node, alert_file("alert_cancel", body={**head(), "reason": "disrupted"}, supersedes=update))

    await carry(node, "at.ncp")

    assert {to.id for to in (await node.sent(update)).recipients} == {"at.ncp", "at.border-police", "hu.ncp"}
    assert {to.id for to in (await node.sent(cancel)).recipients} == {"at.ncp", "at.border-police", "hu.ncp"}
    assert [(item.id, item.thread, item.supersedes) for item in await node.inbox()] == [
        (own, own, None),
        (update, own, own),
        (cancel, own, update),
    ]


async def test_of_two_that_replace_one_version_only_the_first_is_sent(node: Node) -> None:
    own = await submit(node)
    update = alert_file("alert_update", body={**route_body(), "change_summary": "To Graz"}, supersedes=own)
    await submit(node, update)

    for late in (update, alert_file("alert_cancel", body={**head(), "reason": "disrupted"}, supersedes=own)):
        with pytest.raises(RefusedError) as raised:
            await submit(node, late)
        assert raised.value.code == "E_SUPERSEDED"

    assert len(await node.new_rows()) == 2, "the alert and its update"


async def test_only_the_originator_updates(node: Node) -> None:
    own = await submit(node)
    body = {**route_body(), "change_summary": "Not ours"}

    with pytest.raises(RefusedError) as raised:
        await submit(node, alert_file("alert_update", body=body, supersedes=own), sender="hu.ncp")

    assert raised.value.code == "E_NOT_ORIGINATOR"


@pytest.mark.parametrize("kind", ["alert_update", "alert_cancel"])
async def test_an_exercise_takes_the_place_of_no_real_alert(node: Node, kind: str) -> None:
    own = await submit(node)
    bodies = {
        "alert_update": {**route_body(), "change_summary": "A drill"},
        "alert_cancel": {**head(), "reason": "disrupted"},
    }

    with pytest.raises(RefusedError) as raised:
        await submit(node, alert_file(kind, body=bodies[kind], status="exercise", supersedes=own))

    assert (raised.value.code, raised.value.path) == ("E_OTHER_STATUS", "$.status")
