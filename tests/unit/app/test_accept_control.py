"""Control messages: a receipt counts only for what was really sent to its signer, and none is ever answered."""

from __future__ import annotations

import pytest
from bridge_node import Node
from bridge_world import START, Sent, acknowledgement_body, alert, control, receipt_for, unsealed_digest

from bridge.app.receiving.outcomes import Outcome


async def receive(node: Node, *messages: Sent, at: str = "rs.ncp") -> list[Outcome]:
    return await node.receiver(at).receive([message.delivery(to=at) for message in messages])


async def states(node: Node, sent: Sent) -> dict[str, tuple[str, str | None]]:
    return {to.id: (to.state, to.code) for to in (await node.sent(sent.id)).recipients}


async def test_a_receipt_moves_its_signers_state_and_nobody_elses(node: Node) -> None:
    sent = alert(to=["at.ncp", "hu.ncp"])
    await node.given_sent(sent)

    assert await receive(node, receipt_for(sent)) == [Outcome.ACCEPTED]

    assert await states(node, sent) == {"at.ncp": ("delivered", None), "hu.ncp": ("pending", None)}
    assert (await node.sent(sent.id)).recipients[0].delivered_at == START


async def test_no_control_message_is_ever_answered(node: Node) -> None:
    sent = alert()
    await node.given_sent(sent)

    await receive(node, receipt_for(sent), receipt_for(alert()), heartbeat(), control("heartbeat", {"epoch": 0}))

    assert await node.new_rows() == []
    assert await node.inbox() == []


@pytest.mark.parametrize("at_once", [True, False])
async def test_delivered_replaces_rejected_and_stays(node: Node, *, at_once: bool) -> None:
    sent = alert()
    await node.given_sent(sent)
    receipts = [receipt_for(sent, code="E_NO_KEY"), receipt_for(sent), receipt_for(sent, code="E_EXPIRED")]

    for part in [receipts] if at_once else [[one] for one in receipts]:
        assert await receive(node, *part) == [Outcome.ACCEPTED] * len(part)

    assert await states(node, sent) == {"at.ncp": ("delivered", None)}


async def test_a_rejection_is_kept_with_its_code(node: Node) -> None:
    sent = alert()
    await node.given_sent(sent)

    await receive(node, receipt_for(sent, code="E_NO_KEY"))

    assert await states(node, sent) == {"at.ncp": ("rejected", "E_NO_KEY")}


async def test_a_receipt_that_comes_again_changes_nothing(node: Node) -> None:
    sent = alert()
    await node.given_sent(sent)
    receipt = receipt_for(sent)
    await receive(node, receipt)
    before = await node.sent(sent.id)
    node.clock.advance(100)

    assert await receive(node, receipt, receipt_for(sent)) == [Outcome.ACCEPTED] * 2

    assert await node.sent(sent.id) == before


async def test_a_receipt_for_something_never_sent_is_quarantined(node: Node) -> None:
    receipt = receipt_for(alert())

    assert await receive(node, receipt) == [Outcome.QUARANTINED]

    (refusal,) = await node.quarantined()
    assert (refusal.code, refusal.step, refusal.wire_bytes) == ("E_RECEIPT", 13, receipt.made.wire_bytes)
    (entry,) = await node.audit("message.refused")
    assert (entry.subject, entry.detail["code"]) == (refusal.id, "E_RECEIPT")


@pytest.mark.parametrize("digest", ["payload_sha256", "sealed_sha256"])
async def test_a_receipt_with_another_digest_than_what_was_sent_is_quarantined(node: Node, digest: str) -> None:
    sent = alert()
    await node.given_sent(sent)

    assert await receive(node, receipt_for(sent, **{digest: unsealed_digest("x")})) == [Outcome.QUARANTINED]

    assert [refusal.code for refusal in await node.quarantined()] == ["E_RECEIPT"]
    assert await states(node, sent) == {"at.ncp": ("pending", None)}


async def test_a_receipt_of_somebody_it_was_not_sent_to_is_quarantined(node: Node) -> None:
    sent = alert(to=["at.ncp"])
    await node.given_sent(sent)

    assert await receive(node, receipt_for(sent, by="hu.ncp")) == [Outcome.QUARANTINED]
    assert await states(node, sent) == {"at.ncp": ("pending", None)}


async def test_a_receipt_for_another_contact_points_message_on_the_same_node_is_quarantined(node: Node) -> None:
    sent = alert(sender="at.border-police", to=["hu.ncp"])
    await node.given_sent(sent)
    of = receipt_for(sent, by="hu.ncp")
    astray = control("receipt", {"state": "delivered", "of": _of(sent)}, sender="hu.ncp", to="at.ncp")

    assert await receive(node, astray, at="at.ncp") == [Outcome.QUARANTINED]
    assert await states(node, sent) == {"hu.ncp": ("pending", None)}
    assert await receive(node, of, at="at.border-police") == [Outcome.ACCEPTED]
    assert await states(node, sent) == {"hu.ncp": ("delivered", None)}


async def test_outcomes_stand_in_the_order_of_the_batch(node: Node) -> None:
    sent = alert()
    await node.given_sent(sent)
    incoming = alert(sender="at.ncp", to=["rs.ncp"])

    outcomes = await receive(node, receipt_for(alert()), incoming, receipt_for(sent), incoming, receipt_for(alert()))

    assert [outcome.value for outcome in outcomes] == [
        "quarantined",
        "accepted",
        "accepted",
        "duplicate",
        "quarantined",
    ]


async def test_a_control_message_of_another_form_is_quarantined(node: Node) -> None:
    assert await receive(node, control("heartbeat", {"epoch": 1})) == [Outcome.QUARANTINED]
    assert [refusal.code for refusal in await node.quarantined()] == ["E_RECEIPT"]


async def test_an_officers_answer_moves_the_ledger_when_it_names_what_was_sent(node: Node) -> None:
    sent = alert(to=["at.ncp", "hu.ncp"])
    await node.given_sent(sent)

    await receive(node, answer(sent.reference))

    found = (await node.sent(sent.id)).recipients
    assert [(to.id, to.level, to.acknowledged_at) for to in found] == [
        ("at.ncp", "accepted", START),
        ("hu.ncp", None, None),
    ]


async def test_an_officers_answer_to_what_was_never_sent_stays_a_message_with_a_note(node: Node) -> None:
    sent = alert()
    await node.given_sent(sent)
    wrong = answer({**sent.reference, "payload_sha256": unsealed_digest("x")})

    assert await receive(node, wrong) == [Outcome.ACCEPTED]

    assert (await node.sent(sent.id)).recipients[0].level is None
    assert [entry.subject for entry in await node.audit("acknowledgement.unmatched")] == [wrong.id]


def heartbeat() -> Sent:
    lane = {"first": 1, "last": 5}
    return control("heartbeat", {"epoch": 1, "urgent": lane, "normal": lane})


def answer(of: dict[str, str]) -> Sent:
    return alert(kind="acknowledgement", sender="at.ncp", to=["rs.ncp"], body=acknowledgement_body(of))


def _of(sent: Sent) -> dict[str, str]:
    made = sent.made
    return {"id": sent.id, "payload_sha256": made.payload_sha256, "sealed_sha256": made.sealed_sha256}
