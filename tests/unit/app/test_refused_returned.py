"""Returning from quarantine: a signed report to a sender that the bytes prove, and to nobody else."""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType

import pytest
from bridge_node import Node
from bridge_world import START, Sent, alert, bent, control, desk, directory, receipt_for, signed_as

from bridge.adapters.jose.signatures import is_signature
from bridge.app.quarantine.give_back import ReturnQuarantine
from bridge.app.quarantine.picking import Done, Selection, pick
from bridge.app.receiving import refusing
from bridge.core.errors import VerificationError
from bridge.core.wire.envelope import TYP_CONTROL, parse_envelope
from bridge.core.wire.payload import read_payload
from bridge.core.wire.strict_json import parse_object
from bridge.ports.store.records import Quarantined


async def give_back(node: Node, *ids: str, hosted: tuple[str, ...] = ("at.ncp",)) -> list[Done]:
    returning = ReturnQuarantine(
        prefix="at",
        desks={contact_point: desk(contact_point) for contact_point in hosted},
        store=node.store,
        trust=node.trust,
        clock=node.clock,
        ids=node.ids,
        is_signature=is_signature,
    )
    items = await pick(node.store, Selection(ids=ids or None))
    return list(await returning.give_back(items, actor="Ana Anić", progress=lambda _: None))


async def refusal_to_return(node: Node) -> str:
    """Why the one thing in quarantine cannot be returned: the code, and nothing has changed."""
    (one,) = await give_back(node)
    assert one.fate.value == "impossible"
    assert one.detail
    assert (await node.new_rows(), await node.audit("quarantine.returned")) == ([], [])
    assert [item.returned_at for item in await node.quarantined()] == [None]
    return str(one.code)


async def given_refused(node: Node, sent: Sent, *, step: int, code: str, by: str | None = "at.ncp") -> Quarantined:
    """In quarantine as if it had been refused so."""
    error = VerificationError(step, code, "as it was then")
    refusal = refusing.refusal_of(sent.delivery(to=by), error, contact_point=by, at=START, ids=node.ids)
    async with node.store.writing() as unit:
        await refusing.quarantine(unit, [refusal])
    return (await node.quarantined())[0]


async def given_unauthorised(node: Node) -> Sent:
    """An alert that the list did not let its sender send: refused and answered by the contact point itself."""
    sent = alert(sender="hu.ncp")
    allowed = node.trust.directory
    silenced = replace(allowed.contact_points["hu.ncp"], sends=frozenset())
    node.trust.directory = directory(contact_points=MappingProxyType({**allowed.contact_points, "hu.ncp": silenced}))
    await node.receiver("at.ncp").receive([sent.delivery(to="at.ncp")])
    assert await node.new_receipts() == [("rejected", "E_NOT_AUTHORISED", sent.id)]
    return sent


async def test_the_sender_is_told_again_and_the_item_stays_as_returned(node: Node) -> None:
    sent = await given_unauthorised(node)
    node.clock.advance(3600)
    (item,) = await node.quarantined()

    (done,) = await give_back(node)

    assert (done.fate.value, done.code) == ("returned", "E_NOT_AUTHORISED")
    (row,) = await node.new_rows()
    payload = read_payload(parse_object(parse_envelope(row.wire_bytes).payload_bytes))
    assert (row.sender, row.kind, payload.to) == ("at.ncp", "receipt", ("hu.ncp",))
    (kept,) = await node.quarantined()
    assert kept == replace(item, returned_at=node.clock.now())
    (entry,) = await node.audit("quarantine.returned")
    assert (entry.actor, entry.contact_point, entry.subject) == ("Ana Anić", "at.ncp", item.id)
    assert entry.detail == {"code": "E_NOT_AUTHORISED", "to": "hu.ncp", "of": sent.id, "receipt": row.message_id}


async def test_the_report_is_one_that_the_sender_accepts(node: Node) -> None:
    sent = await given_unauthorised(node)
    await node.given_sent(sent)
    await give_back(node)
    (row,) = await node.new_rows()
    told = replace(receipt_for(sent), made=replace(sent.made, wire_bytes=row.wire_bytes))
    hints = {"correlation_id": row.message_id, "type": row.kind, "app_id": row.sender}
    node.trust.directory = directory()

    await node.receiver("hu.ncp").receive([told.delivery(to="hu.ncp", **hints)])

    (recipient,) = (await node.sent(sent.id)).recipients
    assert (recipient.state, recipient.code) == ("rejected", "E_NOT_AUTHORISED")


async def test_it_is_not_returned_twice_within_a_minute(node: Node) -> None:
    await given_unauthorised(node)
    await give_back(node)
    await node.new_rows()

    node.clock.advance(59)
    (second,) = await give_back(node)
    assert (second.fate.value, second.code) == ("impossible", "E_RETURNED_LATELY")
    assert "2026-11-23T18:40:01.234Z" in str(second.detail)
    assert await node.new_rows() == []

    node.clock.advance(1)
    (third,) = await give_back(node)
    assert third.fate.value == "returned"
    assert len(await node.new_rows()) == 1


async def test_what_nothing_proves_is_returned_to_nobody(node: Node) -> None:
    await node.receiver("at.ncp").receive([bent(alert()).delivery(to="at.ncp")])

    assert await refusal_to_return(node) == "E_NOT_PROVEN"


async def test_what_was_not_proven_then_is_for_a_replay_not_for_a_return(node: Node) -> None:
    await given_refused(node, alert(), step=6, code="E_KEY_UNKNOWN")

    assert await refusal_to_return(node) == "E_NOT_PROVEN"


@pytest.mark.parametrize("by", ["at.ncp", None])
async def test_stored_words_prove_nothing(node: Node, by: str | None) -> None:
    """An entry that says step 12 over bytes whose signature does not verify."""
    await given_refused(node, bent(alert()), step=12, code="E_EXPIRED", by=by)

    assert await refusal_to_return(node) == "E_NOT_PROVEN"


async def test_a_key_that_was_revoked_since_proves_nothing_any_more(node: Node) -> None:
    await given_refused(node, alert(), step=11, code="E_NOT_AUTHORISED")
    node.trust.directory = directory(without=["rs.ncp"])

    assert await refusal_to_return(node) == "E_NOT_PROVEN"


async def test_who_signed_but_is_not_whom_it_says_is_not_told(node: Node) -> None:
    """Signed by Hungary, said to be from Serbia: an answer to either would be wrong."""
    sent = alert(sender="rs.ncp")
    stolen = replace(sent, addressing=replace(sent.addressing, sender="hu.ncp"))
    forged = signed_as(stolen, "ncp-bridge+jws")
    await given_refused(node, forged, step=9, code="E_SENDER")

    assert await refusal_to_return(node) == "E_NOT_PROVEN"


async def test_what_only_its_properties_made_wrong_is_returned_to_its_signer(node: Node) -> None:
    sent = alert()
    await node.router("at").route([sent.delivery(app_id="hu.ncp")])

    (done,) = await give_back(node)

    assert (done.fate.value, done.code) == ("returned", "E_ROUTE_MISMATCH")
    assert await node.new_receipts() == [("rejected", "E_ROUTE_MISMATCH", sent.id)]


async def test_what_the_router_refused_is_answered_by_each_contact_point_of_ours_it_names(node: Node) -> None:
    await node.router("at").route([alert(to=["at.ncp", "at.border-police", "hu.ncp"]).delivery(app_id="hu.ncp")])

    await give_back(node, hosted=("at.ncp", "at.border-police"))

    assert sorted(row.sender for row in await node.new_rows()) == ["at.border-police", "at.ncp"]
    assert len(await node.audit("quarantine.returned")) == 2


@pytest.mark.parametrize("by", ["at.ncp", None])
async def test_what_is_not_addressed_to_us_is_not_answered(node: Node, by: str | None) -> None:
    await given_refused(node, alert(to=["hu.ncp"]), step=10, code="E_NOT_RECIPIENT", by=by)

    assert await refusal_to_return(node) == "E_NOT_RECIPIENT"


async def test_a_contact_point_that_is_not_hosted_here_answers_nothing(node: Node) -> None:
    to = ["at.ncp", "at.border-police"]
    await given_refused(node, alert(to=to), step=11, code="E_STATUS", by="at.border-police")

    assert await refusal_to_return(node) == "E_CONTACT_POINT"


async def test_control_messages_are_never_answered(node: Node) -> None:
    await node.receiver("at.ncp").receive([receipt_for(alert(sender="at.ncp"), by="rs.ncp").delivery(to="at.ncp")])

    assert await refusal_to_return(node) == "E_RECEIPT"


async def test_a_sealed_message_signed_as_control_is_never_answered(node: Node) -> None:
    await given_refused(node, signed_as(alert(), TYP_CONTROL), step=9, code="E_ROUTE_MISMATCH")

    assert await refusal_to_return(node) in {"E_RECEIPT", "E_NOT_PROVEN"}


async def test_what_came_without_bytes_proves_nothing(node: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(refusing, "QUARANTINE_QUOTA_BYTES", 0)
    await given_refused(node, alert(), step=11, code="E_STATUS")

    assert await refusal_to_return(node) == "E_NO_BYTES"


async def test_a_copy_of_what_was_delivered_is_not_reported_as_refused(node: Node) -> None:
    sent = alert()
    await node.receiver("at.ncp").receive([sent.delivery(to="at.ncp"), sent.delivery(to="at.ncp", app_id="hu.ncp")])
    await node.new_rows()

    assert await refusal_to_return(node) == "E_DELIVERED"


async def test_another_payload_under_a_known_id_changes_nothing_of_what_is_known(node: Node) -> None:
    first = alert()
    second = alert(id=first.id, urgency="expected")
    receiver = node.receiver("at.ncp")
    await receiver.receive([first.delivery(to="at.ncp"), second.delivery(to="at.ncp")])
    await node.new_rows()
    node.clock.advance(3600)

    (done,) = await give_back(node)

    assert (done.fate.value, done.code) == ("returned", "E_EQUIVOCATION")
    node.clock.advance(3600)
    await node.new_rows()
    await receiver.receive([first.delivery(to="at.ncp")])
    assert await node.new_receipts() == [("delivered", None, first.id)]


async def test_what_was_returned_and_is_accepted_by_a_later_replay_is_delivered(node: Node) -> None:
    sent = alert()
    await given_refused(node, sent, step=11, code="E_NOT_AUTHORISED")
    await give_back(node)
    assert await node.new_receipts() == [("rejected", "E_NOT_AUTHORISED", sent.id)]

    await node.receiver("at.ncp").receive([sent.delivery(to="at.ncp")])

    assert await node.new_receipts() == [("delivered", None, sent.id)]


async def test_the_others_are_returned_whatever_stands_between_them(node: Node) -> None:
    await given_refused(node, alert(), step=11, code="E_STATUS")
    await given_refused(node, bent(alert()), step=7, code="E_SIGNATURE")
    await given_refused(node, alert(), step=11, code="E_STATUS")

    done = await give_back(node)

    assert [one.fate.value for one in done] == ["returned", "impossible", "returned"]
    assert len(await node.new_rows()) == 2


async def test_a_heartbeat_is_never_answered(node: Node) -> None:
    numbers = {"first": 1, "last": 2}
    beat = control("heartbeat", {"epoch": 1, "urgent": numbers, "normal": numbers}, sender="rs.ncp", to="at.ncp")
    await given_refused(node, beat, step=11, code="E_NOT_AUTHORISED")

    assert await refusal_to_return(node) == "E_RECEIPT"
