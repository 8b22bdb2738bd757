"""What a member can do with messages from machine to machine: receipts, heartbeats, requests, and the numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from bridge_world import Sent, alert
from forging.wire_forge import ABSENT, forge_control
from thief import payload_in

from bridge.app.receiving.outcomes import Outcome

if TYPE_CHECKING:
    from victim import Victim

    from bridge.ports.store.no_gap import MissingRange

OWN = "at.ncp"
NOTHING_SENT = {"id": "01a209b5-38d2-7000-8000-000000000001", "payload_sha256": "A" * 43, "sealed_sha256": "A" * 43}


def receipt_of(sent: Sent, **changes: object) -> dict[str, object]:
    of = {"id": sent.id, "payload_sha256": sent.made.payload_sha256, "sealed_sha256": sent.made.sealed_sha256}
    return {"state": "delivered", "of": of} | changes


async def states(victim: Victim, sent: Sent) -> list[str]:
    return [to.state for to in (await victim.node.sent(sent.id)).recipients]


async def missing(victim: Victim) -> list[MissingRange]:
    async with victim.node.store.reading() as unit:
        return list(await unit.gaps.due([OWN], victim.node.clock.now(), limit=10**6))


async def test_a_receipt_that_nobody_earned(victim: Victim) -> None:
    forged = victim.thief.control("receipt", {"state": "delivered", "of": NOTHING_SENT})
    await victim.has_refused(forged, "E_RECEIPT", step=13)


async def test_a_receipt_for_what_was_sent_to_somebody_else(victim: Victim) -> None:
    sent = alert(sender=OWN, to=["hu.ncp"])
    await victim.node.given_sent(sent)
    await victim.has_refused(victim.thief.control("receipt", receipt_of(sent)), "E_RECEIPT", step=13)
    assert await states(victim, sent) == ["pending"]


async def test_a_receipt_in_the_name_of_the_recipient(victim: Victim) -> None:
    sent = alert(sender=OWN, to=["hu.ncp"])
    await victim.node.given_sent(sent)
    forged = victim.thief.control("receipt", receipt_of(sent), from_="hu.ncp")
    await victim.has_refused(forged, "E_SENDER", step=9)
    assert await states(victim, sent) == ["pending"]


async def test_a_rejection_that_takes_back_what_was_delivered(victim: Victim) -> None:
    sent = alert(sender=OWN, to=["rs.ncp"])
    await victim.node.given_sent(sent)
    receipts = [receipt_of(sent), receipt_of(sent, state="rejected", code="E_DECRYPT")]
    for receipt in receipts:
        assert await victim.receives(victim.thief.control("receipt", receipt)) == [Outcome.ACCEPTED]
    assert await states(victim, sent) == ["delivered"]


@pytest.mark.parametrize("code", ["E_X\n2026-11-27 all is well", "E_\x1b[2J", "E_" + "X" * 1000, "", 7, None])
async def test_a_rejection_whose_code_would_write_into_a_log_or_a_terminal(victim: Victim, code: object) -> None:
    sent = alert(sender=OWN, to=["rs.ncp"])
    await victim.node.given_sent(sent)
    forged = victim.thief.control("receipt", receipt_of(sent, state="rejected", code=code))
    await victim.has_refused(forged, "E_RECEIPT", step=13)


async def test_a_receipt_sealed_like_a_message(victim: Victim) -> None:
    payload = victim.thief.payload("receipt", seq=ABSENT, to=[OWN]) | {"control": receipt_of(alert())}
    forged = forge_control(
        payload["control"],
        base=payload,
        signed_by=[victim.thief.kid],
        typ="ncp-bridge+jws",
        edit=lambda envelope: envelope.update(sealed="{}"),
        ring=victim.thief.ring,
    )
    await victim.has_refused(forged, "E_ROUTE_MISMATCH", step=9)


async def test_an_alert_passed_off_as_a_control_message_leaves_no_trace_of_its_id(victim: Victim) -> None:
    """Else a stranger to the seal could use up the id of a message that is still to come."""
    payload = victim.thief.payload()
    forged = victim.thief.message(payload, typ="ncp-bridge-control+jws", edit=lambda envelope: envelope.pop("sealed"))
    assert await victim.receives(forged) == [Outcome.QUARANTINED]
    assert [one.code for one in await victim.node.quarantined()] == ["E_ROUTE_MISMATCH"]
    assert await victim.node.new_rows() == []
    assert await victim.receives(victim.thief.message(payload)) == [Outcome.ACCEPTED]


async def test_a_receipt_for_several_at_once(victim: Victim) -> None:
    payload = victim.thief.payload("receipt", to=["at.ncp", "hu.ncp"])
    forged = forge_control(receipt_of(alert()), base=payload, signed_by=[victim.thief.kid], ring=victim.thief.ring)
    await victim.has_refused(forged, "E_SCHEMA", step=8)


async def test_a_heartbeat_that_says_what_another_member_sent(victim: Victim) -> None:
    beat = {"epoch": 1, "urgent": {"first": 1, "last": 99}, "normal": {"first": 1, "last": 0}}
    await victim.has_refused(victim.thief.control("heartbeat", beat, from_="hu.ncp"), "E_SENDER", step=9)
    assert await missing(victim) == []


@pytest.mark.parametrize(
    ("beat", "code"),
    [
        ({"epoch": 0}, "E_RECEIPT"), ({"epoch": 1, "urgent": {}, "normal": {}}, "E_RECEIPT"), ([], "E_SCHEMA"),
        ({"epoch": 1, "urgent": {"first": -1, "last": 1}, "normal": {"first": 1, "last": 0}}, "E_RECEIPT"),
        ({"epoch": 1, "urgent": {"first": 1, "last": 2**53}}, "E_PAYLOAD"), ("now", "E_SCHEMA"),
    ],
    ids=str,
)  # fmt: skip
async def test_a_heartbeat_of_another_form(victim: Victim, beat: object, code: str) -> None:
    forged = victim.thief.control("heartbeat", beat)
    await victim.has_refused(forged, code, step=13 if code == "E_RECEIPT" else 8)


async def test_a_request_that_the_broker_repeats_without_end_is_answered_once(victim: Victim) -> None:
    request = victim.thief.control("resend_request", {"epoch": 1, "lane": "urgent", "numbers": list(range(1000))})
    for _ in range(3):
        assert set(await victim.receives(*[request] * 20)) == {Outcome.ACCEPTED}
    assert [row.kind for row in await victim.node.new_rows()] == ["heartbeat"]


@pytest.mark.parametrize("numbers", [[], [1, 1], list(range(1001)), [-1], ["1"], {"0": 1}], ids=len)
async def test_a_request_of_another_form_or_for_more_than_a_thousand(victim: Victim, numbers: object) -> None:
    request = {"epoch": 1, "lane": "urgent", "numbers": numbers}
    await victim.has_refused(victim.thief.control("resend_request", request), "E_RECEIPT", step=13)


async def test_a_number_used_for_two_messages(victim: Victim) -> None:
    """Both are stored: a number is no ground for losing an alert; somebody hears of it."""
    seq = {"epoch": 99, "n": {"at.ncp": 5, "hu.ncp": 5}}
    sent = [victim.thief.message(victim.thief.payload(seq=seq)) for _ in range(2)]
    assert await victim.receives(*sent) == [Outcome.ACCEPTED] * 2
    assert len(await victim.node.inbox()) == 2
    assert len(await victim.node.audit("sequence.number_reused")) == 1


async def test_a_gap_of_all_numbers_there_are_costs_one_row(victim: Victim) -> None:
    for number in (1, 2**53 - 1):
        payload = victim.thief.payload(seq={"epoch": 99, "n": {"at.ncp": number, "hu.ncp": 1}})
        assert await victim.receives(victim.thief.message(payload)) == [Outcome.ACCEPTED]
    victim.node.clock.advance(3600)
    assert len(await missing(victim)) == 1


async def test_an_epoch_that_jumps_to_the_end_and_back_stops_no_message(victim: Victim) -> None:
    for epoch in (2**53 - 1, 1, 99):
        payload = victim.thief.payload(seq={"epoch": epoch, "n": {"at.ncp": 7, "hu.ncp": 7}})
        assert await victim.receives(victim.thief.message(payload)) == [Outcome.ACCEPTED]
    victim.node.clock.advance(3600)
    assert len(await victim.node.inbox()) == 3
    assert await missing(victim) == []


async def test_a_control_message_that_is_delivered_days_late_has_no_effect(victim: Victim) -> None:
    beat = {"epoch": 1, "urgent": {"first": 1, "last": 99}, "normal": {"first": 1, "last": 0}}
    kept = victim.thief.control("heartbeat", beat)
    victim.node.clock.advance(8 * 86400)
    assert await victim.receives(kept) == [Outcome.ACCEPTED]
    assert await missing(victim) == []


async def test_a_flood_of_answers_cannot_be_drawn_from_us_with_one_bad_message(victim: Victim) -> None:
    """Whoever repeats what is refused, the broker too, gets one answer a minute out of us."""
    payload = victim.thief.payload()
    forged = victim.thief.message(payload, body={"exploitation": []})
    for _ in range(10):
        await victim.receives(*[forged] * 50)
    assert [code for _, code, _ in await victim.node.new_receipts()] == ["E_BODY_SCHEMA"]
    (kept,) = await victim.node.quarantined()
    assert kept.seen == 500
    assert payload_in(forged)["id"] not in [item.id for item in await victim.node.inbox()]
